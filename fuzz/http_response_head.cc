// SPDX-License-Identifier: Apache-2.0
// Responses in pieces: the same outcome for any split, bounded bodies, an end of the stream anywhere.
#include "http1/response_reader.h"
#include "http_reading.h"
#include "ws/client_handshake.h"

#include <fairlead/error.h>

namespace {

using namespace fairlead;

struct Reading {
  Reading(const Limits& limits, http1::ResponseReader::Body body) : reader(limits, body, TimePoint{}) {}

  void feed(std::string_view piece) {
    reader.receive(as_bytes(piece), TimePoint{});
    drain();
  }
  void end() {
    reader.receive_end();
    drain();
    outcome += as_text(reader.leftover());
  }
  void drain() {
    while (auto event = reader.next_event()) {
      if (const auto* failed = std::get_if<http1::ResponseFailedEvent>(&*event)) {
        outcome += to_string(failed->error);
        failed_once = true;
        continue;
      }
      const auto& response = std::get<http1::ResponseEvent>(*event).response;
      FAIRLEAD_ASSERT(response.status == 101 || (response.status >= 200 && response.status <= 999));
      FAIRLEAD_ASSERT(response.body.size() <= 64 && response.headers.size() <= 12);
      FAIRLEAD_ASSERT(ws::read_refusal(response, {}).has_value() == (response.status != 101));
      outcome += std::to_string(response.status) + fuzz::describe(response.headers) + response.body;
    }
  }

  http1::ResponseReader reader;
  std::string outcome;
  bool failed_once = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto body = data[0] % 2 == 0 ? http1::ResponseReader::Body::read : http1::ResponseReader::Body::skip;
  const Limits limits = fuzz::small_limits();
  Reading whole(limits, body);
  whole.feed(wire);
  Reading split(limits, body);
  fuzz::in_pieces(wire, data[0], [&](std::string_view piece) { split.feed(piece); });
  whole.end();
  split.end();
  // After an error nobody asks for what is left over.
  FAIRLEAD_ASSERT(whole.failed_once == split.failed_once);
  FAIRLEAD_ASSERT(whole.failed_once || whole.outcome == split.outcome);
  return 0;
}
