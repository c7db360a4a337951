// SPDX-License-Identifier: Apache-2.0
#include "input.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace fairlead::cli {
namespace {

constexpr std::size_t queue_limit_bytes = 2 * piece_bytes;  // one on its way to the peer, one being read

}  // namespace

Input::Input(int descriptor, LineSplitter splitter, std::size_t read_bytes)
    : descriptor_(descriptor),
      read_bytes_(read_bytes),
      splitter_(std::move(splitter)),
      stop_descriptor_(::eventfd(0, EFD_CLOEXEC)) {
  if (stop_descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "cannot watch the input");
}

Input::~Input() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  const std::uint64_t one = 1;
  (void)!::write(stop_descriptor_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  ::close(stop_descriptor_);
}

void Input::attach(const ConnectionHandle& handle) {
  {
    const std::lock_guard lock(mutex_);
    handle_ = handle;
    interrupted_ = false;
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { read_all(); });
}

void Input::interrupt() {
  {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
  }
  resume_if_ready();
}

bool Input::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_ && queue_.empty();
}

// ── The thread ──────────────────────────────────────────────────────────────────────────────────────────────────────

void Input::read_all() {
  std::string buffer;
  while (wait_for_room() && wait_for_bytes()) {
    if (!read_some(buffer)) return;
    splitter_.feed(buffer);
    publish();
  }
}

bool Input::wait_for_room() {
  std::unique_lock lock(mutex_);
  room_.wait(lock, [this] { return stopping_ || queued_bytes_ < queue_limit_bytes; });
  return !stopping_ && !ended_;
}

bool Input::wait_for_bytes() const {
  std::array<pollfd, 2> both{
      {{.fd = stop_descriptor_, .events = POLLIN, .revents = 0}, {.fd = descriptor_, .events = POLLIN, .revents = 0}}};
  while (::poll(both.data(), both.size(), -1) < 0) {
    if (errno != EINTR) return false;
  }
  return both[0].revents == 0;
}

bool Input::read_some(std::string& buffer) {
  buffer.resize(read_bytes_);
  const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
    buffer.clear();
    return true;
  }
  if (got < 0) {
    publish_end(Error{Errc::system, fmt::format("cannot read the input: {}", std::generic_category().message(errno))});
  } else if (got == 0) {
    splitter_.finish();
    publish();
    publish_end(std::nullopt);
  }
  buffer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return got > 0;
}

void Input::publish() {
  while (std::optional<Result<Piece>> piece = splitter_.next()) {
    if (!*piece) return publish_end(piece->error());
    const std::lock_guard lock(mutex_);
    queued_bytes_ += (*piece)->bytes.size();
    queue_.push_back(*std::move(piece));
  }
  tell_loop();
}

void Input::publish_end(std::optional<Error> error) {
  {
    const std::lock_guard lock(mutex_);
    if (!ended_ && error) queue_.emplace_back(std::unexpected(*std::move(error)));
    ended_ = true;
  }
  tell_loop();
}

void Input::tell_loop() {
  ConnectionHandle handle;
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_) return;  // it looks by itself before it waits
    handle = handle_;
  }
  // If the connection has closed by then, nobody needs to be told: `interrupt` does it.
  (void)handle.post([this](Connection&) { resume_if_ready(); });
}

// ── The loop ────────────────────────────────────────────────────────────────────────────────────────────────────────

bool Input::ready() const {
  const std::lock_guard lock(mutex_);
  return ready_locked();
}

bool Input::wait(std::coroutine_handle<> waiting) {
  const std::lock_guard lock(mutex_);
  if (ready_locked()) return false;
  waiting_ = waiting;
  return true;
}

std::optional<Result<Piece>> Input::take() {
  const std::lock_guard lock(mutex_);
  if (interrupted_ || queue_.empty()) return std::nullopt;
  Result<Piece> piece = std::move(queue_.front());
  queue_.pop_front();
  if (piece) queued_bytes_ -= piece->bytes.size();
  if (queued_bytes_ < queue_limit_bytes) room_.notify_one();
  return piece;
}

void Input::resume_if_ready() {
  std::coroutine_handle<> waiting;
  {
    const std::lock_guard lock(mutex_);
    if (ready_locked()) waiting = std::exchange(waiting_, {});
  }
  if (waiting) waiting.resume();
}

}  // namespace fairlead::cli
