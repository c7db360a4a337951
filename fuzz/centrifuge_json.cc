// SPDX-License-Identifier: Apache-2.0
// Frames of JSON clients: any bytes give commands or 3501. Payloads that are taken are JSON without a line break, and
// a rpc with one gets back what it sent.
#include "base/assert.h"
#include "input.h"
#include "model/json.h"
#include "protocol/codec.h"

#include <string>

namespace {

using namespace fairlead::server;

void check_payload(const Codec& codec, const Payload& data) {
  if (data.empty()) return;
  FAIRLEAD_ASSERT(compact_json(data) == data);
  Reply reply;
  reply.id = 1;
  reply.body = RpcResult{data};
  std::string out;
  codec.encode(reply, out);
  FAIRLEAD_ASSERT(out == R"({"id":1,"rpc":{"data":)" + data + "}}");
}

// Texts come back whole from a reply that carries them.
void check_text(const Codec& codec, const std::string& text) {
  Reply reply;
  reply.body = ClientError{1, text, false};
  std::string out;
  codec.encode(reply, out);
  FAIRLEAD_ASSERT(is_json(out) && !out.contains('\n'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto codec = make_codec(WireFormat::json);
  const std::string frame = fairlead::fuzzing::Input(data, size).bytes(size);
  (void)codec->decode_emulation(fairlead::as_bytes(frame));
  check_text(*codec, frame);
  const auto commands = codec->decode(fairlead::as_bytes(frame));
  if (!commands) {
    FAIRLEAD_ASSERT(commands.error() == disconnect_reason::bad_request);
    return 0;
  }
  FAIRLEAD_ASSERT(!commands->empty());
  for (const Command& command : *commands) {
    if (const auto* rpc = std::get_if<RpcRequest>(&command.body)) check_payload(*codec, rpc->data);
    if (const auto* publish = std::get_if<PublishRequest>(&command.body)) check_payload(*codec, publish->data);
  }
  return 0;
}
