// SPDX-License-Identifier: Apache-2.0
// Deltas: what is made of a base and a target makes the target of the base; those for text are text; any bytes as a
// delta give something within the limit or nothing.
#include "protocol/centrifuge/fossil.h"

#include "base/assert.h"
#include "input.h"
#include "model/utf8.h"

#include <string>

namespace {

namespace fossil = fairlead::server::fossil;

constexpr std::size_t limit = 4096;

// A target that is like the base: most of it, with something else in the middle.
std::string changed(const std::string& base, fairlead::fuzzing::Input& input) {
  std::string target = base;
  for (int edit = input.byte() % 4; edit > 0; --edit) {
    const std::size_t at = input.byte() % (target.size() + 1);
    const std::size_t removed = input.byte();
    target.replace(at, removed, input.bytes(input.byte() % 32));
  }
  return target;
}

void check_pair(const std::string& base, const std::string& target) {
  FAIRLEAD_ASSERT(fossil::apply(base, fossil::create(base, target), target.size()) == target);
  const auto text = fossil::create_utf8(base, target);
  if (!text) return;
  FAIRLEAD_ASSERT(text->size() < target.size() && fairlead::server::is_utf8(*text));
  FAIRLEAD_ASSERT(fossil::apply(base, *text, target.size()) == target);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fairlead::fuzzing::Input input(data, size);
  const std::size_t base_size = std::size_t{input.byte()} * 4;
  const std::string base = input.bytes(base_size);
  fairlead::fuzzing::Input edits = input;
  check_pair(base, changed(base, edits));
  const std::string rest = input.bytes(size);
  check_pair(base, rest);
  const auto made = fossil::apply(base, rest, limit);
  FAIRLEAD_ASSERT(!made || made->size() <= limit);
  return 0;
}
