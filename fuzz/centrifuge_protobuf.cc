// SPDX-License-Identifier: Apache-2.0
// Frames of Protobuf clients: any bytes give commands or 3501, and filters that are taken can be checked and applied.
#include "base/assert.h"
#include "input.h"
#include "protocol/codec.h"

#include <string>

namespace {

using namespace fairlead::server;

void check_filter(const FilterNode& filter, const std::string& tag) {
  if (check(filter)) (void)matches(filter, {{filter.key, tag}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto codec = make_codec(WireFormat::protobuf);
  const std::string frame = fairlead::fuzzing::Input(data, size).bytes(size);
  (void)codec->decode_emulation(fairlead::as_bytes(frame));
  const auto commands = codec->decode(fairlead::as_bytes(frame));
  if (!commands) {
    FAIRLEAD_ASSERT(commands.error() == disconnect_reason::bad_request);
    return 0;
  }
  FAIRLEAD_ASSERT(!commands->empty());
  for (const Command& command : *commands)
    if (const auto* subscribe = std::get_if<SubscribeRequest>(&command.body); subscribe != nullptr && subscribe->filter)
      check_filter(*subscribe->filter, subscribe->token);
  return 0;
}
