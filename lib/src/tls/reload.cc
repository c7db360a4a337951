// SPDX-License-Identifier: Apache-2.0
#include "tls/reload.h"

#include <sys/stat.h>

#include <utility>

#include "tls/ticket_keys.h"

namespace fairlead::tls {
namespace {
constexpr std::chrono::hours renewal_retry{1};
}  // namespace

FileWatch::FileWatch(const std::vector<std::string>& paths) : paths_(paths) {
  for (const std::string& path : paths_) stamps_.push_back(look(path));
}

FileWatch::Stamp FileWatch::look(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return {};
  constexpr std::int64_t nanoseconds = 1'000'000'000;
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .size = found.st_size,
          .changed_ns = found.st_ctim.tv_sec * nanoseconds + found.st_ctim.tv_nsec};
}

bool FileWatch::changed() {
  bool any = false;
  for (std::size_t at = 0; at < paths_.size(); ++at) {
    const Stamp now = look(paths_[at]);
    any = any || now != stamps_[at];
    stamps_[at] = now;
  }
  return any;
}

ReloadableContext::ReloadableContext(Tls options, FileWatch watch, std::shared_ptr<const ServerContext> context)
    : options_(std::move(options)), watch_(std::move(watch)), context_(std::move(context)) {}

Result<std::unique_ptr<ReloadableContext>> ReloadableContext::open(Tls options) {
  auto context = ServerContext::build(options);
  if (!context) return std::unexpected(context.error());
  FileWatch watch((*context)->files());
  return std::unique_ptr<ReloadableContext>(
      new ReloadableContext(std::move(options), std::move(watch), std::move(*context)));
}

std::shared_ptr<const ServerContext> ReloadableContext::current() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

Result<void> ReloadableContext::reload() {
  const std::lock_guard lock(reload_mutex_);
  return swap_in(options_);
}

Result<void> ReloadableContext::replace(Tls options) {
  const std::lock_guard lock(reload_mutex_);
  if (auto swapped = swap_in(options); !swapped) return swapped;
  options_ = std::move(options);
  return {};
}

Result<bool> ReloadableContext::reload_if_changed(std::chrono::system_clock::time_point now) {
  const std::lock_guard lock(reload_mutex_);
  const bool renewal = renewal_is_due(now);
  if (!watch_.changed() && !renewal) return false;
  if (renewal) no_renewal_before_ = now + renewal_retry;
  if (auto swapped = swap_in(options_, now); !swapped) return std::unexpected(swapped.error());
  if (renewal) (void)watch_.changed();  // we wrote the files ourselves
  return true;
}

bool ReloadableContext::renewal_is_due(std::chrono::system_clock::time_point now) const {
  const auto renew_at = current()->renew_at();
  return renew_at && now >= *renew_at && now >= no_renewal_before_;
}

Result<void> ReloadableContext::swap_in(const Tls& options, std::chrono::system_clock::time_point now) {
  auto next = ServerContext::build(options, current()->tickets(), now);
  if (!next) return std::unexpected(next.error());
  if ((*next)->files() != current()->files()) watch_ = FileWatch((*next)->files());
  const std::lock_guard lock(mutex_);
  context_.swap(*next);  // the old one goes after the lock, if nobody else has it
  return {};
}

bool ReloadableContext::rotate_tickets_if_due(TimePoint now) const { return current()->tickets()->rotate_if_due(now); }

}  // namespace fairlead::tls
