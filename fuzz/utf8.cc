// SPDX-License-Identifier: Apache-2.0
// The incremental UTF-8 check: the verdict must not depend on the split, and must agree with a decoder that is obvious.
#include "text/utf8.h"

#include "base/assert.h"
#include "input.h"

#include <string_view>

namespace {

using fairlead::as_bytes;

// RFC 3629 4, the grammar, one rule a line.
bool obvious(std::string_view text) {
  const auto in = [&](std::size_t at, unsigned low, unsigned high) {
    if (at >= text.size()) return false;
    const auto byte = static_cast<unsigned char>(text[at]);
    return byte >= low && byte <= high;
  };
  const auto tails = [&](std::size_t at, std::size_t count) {
    for (std::size_t index = 0; index < count; ++index)
      if (!in(at + index, 0x80, 0xBF)) return false;
    return true;
  };
  for (std::size_t at = 0; at < text.size();) {
    if (in(at, 0x00, 0x7F))
      at += 1;
    else if (in(at, 0xC2, 0xDF) && tails(at + 1, 1))
      at += 2;
    else if (in(at, 0xE0, 0xE0) && in(at + 1, 0xA0, 0xBF) && tails(at + 2, 1))
      at += 3;
    else if (in(at, 0xE1, 0xEC) && tails(at + 1, 2))
      at += 3;
    else if (in(at, 0xED, 0xED) && in(at + 1, 0x80, 0x9F) && tails(at + 2, 1))
      at += 3;
    else if (in(at, 0xEE, 0xEF) && tails(at + 1, 2))
      at += 3;
    else if (in(at, 0xF0, 0xF0) && in(at + 1, 0x90, 0xBF) && tails(at + 2, 2))
      at += 4;
    else if (in(at, 0xF1, 0xF3) && tails(at + 1, 3))
      at += 4;
    else if (in(at, 0xF4, 0xF4) && in(at + 1, 0x80, 0x8F) && tails(at + 2, 2))
      at += 4;
    else
      return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fairlead::fuzzing::Input input(data, size);
  const std::size_t step = input.byte() % 67 + 1U;
  const std::string text = input.bytes(size);
  fairlead::text::Utf8Validator validator;
  bool sound = true;
  for (std::size_t at = 0; at < text.size() && sound; at += step)
    sound = validator.feed(as_bytes(std::string_view(text).substr(at, step)));
  FAIRLEAD_ASSERT((sound && validator.complete()) == obvious(text));
  FAIRLEAD_ASSERT(fairlead::text::is_utf8(as_bytes(text)) == obvious(text));
  return 0;
}
