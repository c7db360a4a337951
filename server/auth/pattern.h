// SPDX-License-Identifier: Apache-2.0
// Regular expressions of the configuration and of tokens over text of peers. RE2's run in time linear in the text, so
// no name of a channel and no claim can stall a loop; its patterns are bounded in memory.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace fairlead::server {

class Pattern {
 public:
  // The error says why, without the pattern.
  [[nodiscard]] static std::expected<Pattern, std::string> make(std::string_view pattern);
  // The whole text, not a part of it.
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const re2::RE2> compiled_;
};

// Where a set of keys may come from: https, a file, or http of this machine. Keys that can be exchanged on their way
// are no keys.
[[nodiscard]] bool is_key_set_url(std::string_view url) noexcept;

}  // namespace fairlead::server
