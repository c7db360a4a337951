// SPDX-License-Identifier: Apache-2.0
// Field lines of a client behind a valid request line, through reader, offer, origin and answer.
#include "ws/server_handshake.h"
#include "http1/errors.h"
#include "http1/request_reader.h"
#include "http1/response_reader.h"
#include "http1/writer.h"
#include "http_reading.h"
#include "ws/origin.h"

#include <set>

namespace {

using namespace fairlead;

// What we write must be readable as what we meant.
void expect_readable(const Response& response) {
  Buffer wire;
  http1::write_response(response, {}, wire);
  const Limits limits;
  http1::ResponseReader reader(limits, http1::ResponseReader::Body::read, TimePoint{});
  reader.receive(wire.readable(), TimePoint{});
  const auto event = reader.next_event();
  FAIRLEAD_ASSERT(event);
  const auto* read = std::get_if<http1::ResponseEvent>(&*event);
  FAIRLEAD_ASSERT(read != nullptr && read->response.status == response.status);
  FAIRLEAD_ASSERT(reader.leftover().empty());
}

void accept(const ws::Offer& offer, std::uint8_t choice) {
  const std::set<std::string> unique(offer.subprotocols.begin(), offer.subprotocols.end());
  FAIRLEAD_ASSERT(unique.size() == offer.subprotocols.size());
  ws::Choice chosen;
  if (!offer.subprotocols.empty()) chosen.subprotocol = offer.subprotocols[choice % offer.subprotocols.size()];
  chosen.deflate =
      DeflateOptions{static_cast<std::uint8_t>(8 + choice % 8), static_cast<std::uint8_t>(8 + choice / 8 % 8),
                     (choice & 64) != 0, (choice & 128) != 0};
  const auto accepted = ws::accept_offer(offer, chosen);
  FAIRLEAD_ASSERT(accepted && accepted->response.status == 101);
  if (accepted->deflate) {
    FAIRLEAD_ASSERT(accepted->deflate->our_window_bits >= 8 &&
                    accepted->deflate->our_window_bits <= chosen.deflate->send_window_bits);
    FAIRLEAD_ASSERT(accepted->deflate->their_window_bits >= 8 &&
                    accepted->deflate->their_window_bits <= chosen.deflate->receive_window_bits);
  }
  expect_readable(accepted->response);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view fields(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Limits limits;
  http1::RequestReader reader(limits, TimePoint{});
  std::string wire = "GET /chat HTTP/1.1\r\n";
  // Most of a valid handshake is given, so that the fuzzer's lines decide about the rest.
  if ((data[0] & 1) != 0) wire += "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  if ((data[0] & 2) != 0) wire += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  wire.append(fields).append("\r\n\r\n");
  fuzz::in_pieces(wire, data[0], [&](std::string_view piece) { reader.receive(as_bytes(piece), TimePoint{}); });
  const auto event = reader.next_event();
  if (!event) return 0;
  if (const auto* failed = std::get_if<http1::RequestFailedEvent>(&*event))
    expect_readable(http1::error_response(failed->error));
  const auto* read = std::get_if<http1::RequestEvent>(&*event);
  if (read == nullptr) return 0;
  (void)ws::check_origin(read->request, {.same_origin = true, .allowed = {"https://a"}, .hosts = {"h", "i:1"}});
  const auto offer = ws::read_offer(read->request);
  if (offer) {
    accept(*offer, data[1]);
  } else {
    expect_readable(http1::error_response(offer.error()));
  }
  return 0;
}
