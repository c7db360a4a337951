// SPDX-License-Identifier: Apache-2.0
#include "auth/key_set.h"

#include <simdjson.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace fairlead::server {
namespace {

constexpr std::string_view file_scheme = "file:";

Outcome<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(key_set_limit_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (!file && !file.eof()))
    return std::unexpected(Fault{FaultKind::unavailable, "cannot read " + path});
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.empty()) return std::unexpected(Fault{FaultKind::unavailable, "cannot read " + path});
  return text;
}

// "file:///etc/keys.json" and "file:keys.json".
std::string path_of(std::string_view url) {
  url.remove_prefix(file_scheme.size());
  if (url.starts_with("//")) url.remove_prefix(2);
  return std::string(url);
}

}  // namespace

KeySet::KeySet(std::string url, std::chrono::milliseconds refresh, FetchDocument fetch, KeySetReport report)
    : url_(std::move(url)), refresh_(refresh), fetch_(std::move(fetch)), report_(std::move(report)) {
  if (!std::string_view(url_).starts_with(file_scheme)) return;
  fetch_ = [](const std::string& from, const Done<std::string>& done) { done(read_file(path_of(from))); };
}

std::optional<std::string> KeySet::fault_of_file(const std::string& url) {
  if (!std::string_view(url).starts_with(file_scheme)) return std::nullopt;
  const auto document = read_file(path_of(url));
  if (!document) return document.error().sentence;
  const auto keys = parse(*document);
  return keys ? std::nullopt : std::optional(keys.error());
}

std::expected<std::vector<VerificationKey>, std::string> KeySet::parse(std::string_view document) {
  if (document.size() > key_set_limit_bytes) return std::unexpected("the set of keys is too long");
  simdjson::dom::parser parser;
  simdjson::dom::array members;
  constexpr std::size_t depth = 8;
  if (parser.allocate(document.size() + 1, depth) != simdjson::SUCCESS ||
      parser.parse(document.data(), document.size())["keys"].get(members) != simdjson::SUCCESS)
    return std::unexpected("the set of keys is no JSON object with a list of keys");
  if (members.size() > key_set_limit_keys) return std::unexpected("the set has too many keys");
  std::vector<VerificationKey> keys;
  for (const simdjson::dom::element member : members) {
    // RFC 7517 5: members of kinds that are not understood are ignored.
    if (auto key = VerificationKey::jwk(simdjson::minify(member))) keys.push_back(std::move(*key));
  }
  if (keys.empty()) return std::unexpected("the set has no key that can be used");
  return keys;
}

void KeySet::refresh_every(std::chrono::milliseconds refresh) {
  const std::lock_guard lock(mutex_);
  refresh_ = refresh;
}

std::optional<VerificationKey> KeySet::known(const std::string& id, Algorithm algorithm) const {
  std::optional<VerificationKey> found;
  for (const VerificationKey& key : keys_) {
    if (!key.is_for(algorithm) || (!id.empty() && key.id() != id)) continue;
    if (found) return std::nullopt;  // ambiguous
    found = key;
  }
  return found;
}

bool KeySet::is_usable(WallTime now) const {
  const std::chrono::milliseconds kept = std::max<std::chrono::milliseconds>(key_set_kept, 10 * refresh_);
  return fetched_at_ && now - *fetched_at_ < kept;
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): kept, or called once and gone
void KeySet::find(const std::string& id, Algorithm algorithm, WallTime now, Found found) {
  std::unique_lock lock(mutex_);
  const bool fresh = fetched_at_ && now - *fetched_at_ < refresh_;
  const bool may_ask = !fetching_ && (!asked_at_ || now - *asked_at_ >= key_set_retry);
  std::optional<VerificationKey> key = is_usable(now) ? known(id, algorithm) : std::nullopt;
  const bool wait = !key && (may_ask || fetching_) && waiting_.size() < key_set_waiting_limit;
  if (wait) waiting_.push_back({id, algorithm, found});
  const bool ask = may_ask && (!key || !fresh);
  if (ask) {
    fetching_ = true;
    asked_at_ = now;
  }
  const Miss miss = is_usable(now) ? Miss::unknown : Miss::unavailable;
  lock.unlock();
  if (ask) fetch(now);
  if (wait) return;
  if (key) return found(std::move(*key));
  found(std::unexpected(miss));
}

void KeySet::fetch(WallTime now) {
  fetch_(url_,
         [self = shared_from_this(), now](Outcome<std::string> document) { self->fetched(std::move(document), now); });
}

void KeySet::fetched(Outcome<std::string> document, WallTime asked) {
  auto keys = document ? parse(*document) : std::unexpected(document.error().sentence);
  if (report_) report_(url_, keys ? std::string() : keys.error());
  std::vector<std::pair<Found, std::expected<VerificationKey, Miss>>> answers;
  {
    const std::lock_guard lock(mutex_);
    fetching_ = false;
    if (keys) {
      keys_ = std::move(*keys);
      fetched_at_ = asked;
    }
    for (Waiting& one : std::exchange(waiting_, {})) {
      auto key = is_usable(asked) ? known(one.id, one.algorithm) : std::nullopt;
      const Miss miss = keys ? Miss::unknown : Miss::unavailable;
      if (key) {
        answers.emplace_back(std::move(one.found), std::move(*key));
      } else {
        answers.emplace_back(std::move(one.found), std::unexpected(miss));
      }
    }
  }
  for (auto& [found, answer] : answers) found(std::move(answer));
}

}  // namespace fairlead::server
