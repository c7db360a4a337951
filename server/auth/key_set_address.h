// SPDX-License-Identifier: Apache-2.0
// Where a set of keys is fetched from. `{{name}}` in the configured address stands for what the group `(?P<name>…)` of
// `issuer_regex` or `audience_regex` has found in the token. Nobody has verified that token yet, so a group that is
// used here may list literal values alone, "(?P<realm>one|two)": then every address that can come about is known from
// the start, and a token chooses among them but never makes one.
#pragma once

#include "auth/settings.h"

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace fairlead::server {

// What a token says of itself, not yet believed.
struct ClaimedOrigin {
  std::string issuer;
  std::vector<std::string> audiences;
};

class KeySetAddress {
 public:
  static constexpr std::size_t addresses_most = 100;

  // The error begins with the key of the configuration that is wrong.
  [[nodiscard]] static std::expected<KeySetAddress, std::string> make(const TokenSettings& settings);

  // All that can come about; one when there is nothing to fill in.
  [[nodiscard]] const std::vector<std::string>& all() const noexcept { return all_; }
  [[nodiscard]] bool depends_on_token() const noexcept { return !sources_.empty(); }
  // One of `all`, or nothing when the token has none.
  [[nodiscard]] std::optional<std::string> of(const ClaimedOrigin& origin) const;

 private:
  using Values = std::map<std::string, std::string, std::less<>>;
  enum class Claim { issuer, audience };
  struct Source {
    Claim claim;
    std::shared_ptr<const re2::RE2> pattern;
  };
  [[nodiscard]] std::expected<void, std::string> read_groups(const TokenSettings& settings);
  [[nodiscard]] std::expected<void, std::string> read_group(std::string_view pattern, const std::string& name,
                                                            std::string_view key);
  [[nodiscard]] std::string filled(const Values& values) const;
  void fill_all(Values& values, std::size_t next);
  [[nodiscard]] static bool take(const Source& source, const std::string& text, Values& values);

  std::string address_;
  std::vector<std::string> placeholders_;                         // in their order, each once
  std::map<std::string, std::vector<std::string>> alternatives_;  // by placeholder
  std::vector<Source> sources_;                                   // patterns that have one of them
  std::vector<std::string> all_;
};

}  // namespace fairlead::server
