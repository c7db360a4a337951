// SPDX-License-Identifier: Apache-2.0
#include "auth/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace fairlead::server {
namespace {

constexpr std::size_t longest_pattern_bytes = 4096;
constexpr std::int64_t memory_bytes = std::int64_t{1} << 20;

}  // namespace

std::expected<Pattern, std::string> Pattern::make(std::string_view pattern) {
  if (pattern.size() > longest_pattern_bytes) return std::unexpected("the pattern is too long");
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory_bytes);
  options.set_never_capture(true);
  auto compiled = std::make_shared<const RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled->ok()) return std::unexpected("the pattern is no regular expression of the RE2 syntax");
  return Pattern(std::move(compiled));
}

bool Pattern::matches(std::string_view text) const {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

bool is_key_set_url(std::string_view url) noexcept {
  static constexpr std::array<std::string_view, 9> here{"http://localhost:", "http://localhost/", "http://127.0.0.1:",
                                                        "http://127.0.0.1/", "http://[::1]:",     "http://[::1]/",
                                                        "http://localhost?", "http://127.0.0.1?", "http://[::1]?"};
  if (url.starts_with("https://") || url.starts_with("file:")) return true;
  if (url.find('@') != std::string_view::npos) return false;  // "http://localhost:x@elsewhere/"
  return std::ranges::any_of(here, [&](std::string_view one) { return url.starts_with(one); });
}

}  // namespace fairlead::server
