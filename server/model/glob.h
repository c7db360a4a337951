// SPDX-License-Identifier: Apache-2.0
// Patterns for names: of channels and what tokens allow of them, where the case of letters matters, and of origins,
// where it does not.
#pragma once

#include <cstdint>
#include <string_view>

namespace fairlead::server {

enum class LetterCase : std::uint8_t { matters, ignored };  // of A to Z
enum class Wildcards : std::uint8_t { star_and_question_mark, star_alone };

// Whether the whole text is what the pattern says: `*` stands for any text, also none, `?` (unless it is a character
// like others) for one character. Takes time in proportion to the product of both lengths at worst, and no memory.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text, LetterCase letters,
                                Wildcards wildcards = Wildcards::star_and_question_mark) noexcept;

}  // namespace fairlead::server
