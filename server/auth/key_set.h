// SPDX-License-Identifier: Apache-2.0
// A set of keys (RFC 7517) that lives elsewhere: fetched, kept, fetched again. One fetch at a time; an id that nobody
// knows makes at most one fetch in ten seconds, so tokens with invented ids cannot drive it.
#pragma once

#include "auth/jose.h"
#include "auth/tokens.h"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fairlead::server {

// When fetching fails, known keys go on working for this long after the last success, or for ten refreshes when that
// is longer. After that nobody can say whether a key has been withdrawn.
inline constexpr std::chrono::hours key_set_kept{24};
inline constexpr std::chrono::seconds key_set_retry{10};
inline constexpr std::size_t key_set_limit_bytes = std::size_t{256} * 1024;
inline constexpr std::size_t key_set_limit_keys = 100;
inline constexpr std::size_t key_set_waiting_limit = 10'000;

class KeySet : public std::enable_shared_from_this<KeySet> {
 public:
  enum class Miss : std::uint8_t { unknown, unavailable };
  using Found = std::function<void(std::expected<VerificationKey, Miss>)>;

  KeySet(std::string url, std::chrono::milliseconds refresh, FetchDocument fetch, KeySetReport report = {});

  // The key with the token's id that is good for its algorithm; a token without an id has one when just one is.
  // Within the call when it is known and fresh enough, else once the set has come. Any thread.
  void find(const std::string& id, Algorithm algorithm, WallTime now, Found found);

  // From now on it is read again this often. Any thread.
  void refresh_every(std::chrono::milliseconds refresh);

  // Reads a set that lies in a file, as a `find` would: nothing, or why it is of no use. Elsewhere nothing is looked
  // at.
  [[nodiscard]] static std::optional<std::string> fault_of_file(const std::string& url);

  // Keys by their ids; members that are of no use here are left out. The error names the rule.
  [[nodiscard]] static std::expected<std::vector<VerificationKey>, std::string> parse(std::string_view document);

 private:
  struct Waiting {
    std::string id;
    Algorithm algorithm;
    Found found;
  };
  [[nodiscard]] std::optional<VerificationKey> known(const std::string& id, Algorithm algorithm) const;
  [[nodiscard]] bool is_usable(WallTime now) const;
  void fetch(WallTime now);
  void fetched(Outcome<std::string> document, WallTime asked);

  std::string url_;
  std::chrono::milliseconds refresh_;
  FetchDocument fetch_;
  KeySetReport report_;
  std::mutex mutex_;
  std::vector<VerificationKey> keys_;
  std::optional<WallTime> fetched_at_, asked_at_;
  bool fetching_ = false;
  std::vector<Waiting> waiting_;
};

}  // namespace fairlead::server
