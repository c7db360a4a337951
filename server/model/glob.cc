// SPDX-License-Identifier: Apache-2.0
#include "model/glob.h"

#include <cstddef>

namespace fairlead::server {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

// The last `*` takes in one character more each time that what follows it does not fit: no memory, no recursion.
bool matches_glob(std::string_view pattern, std::string_view text, LetterCase letters, Wildcards wildcards) noexcept {
  const bool any_one = wildcards == Wildcards::star_and_question_mark;
  const auto same = [letters](char a, char b) {
    return a == b || (letters == LetterCase::ignored && lower(a) == lower(b));
  };
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && ((any_one && pattern[p] == '?') || same(pattern[p], text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace fairlead::server
