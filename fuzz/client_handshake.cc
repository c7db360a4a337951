// SPDX-License-Identifier: Apache-2.0
// A server's response to our handshake, and texts of the application that reach our request.
#include "ws/client_handshake.h"
#include "base/entropy.h"
#include "http1/request_reader.h"
#include "http1/response_reader.h"
#include "http1/writer.h"
#include "http_reading.h"
#include "ws/handshake_fields.h"

#include <algorithm>

namespace {

using namespace fairlead;

const std::vector<std::string> offered = {"chat", "superchat"};

void check(const ws::ClientHandshake& handshake, const DeflateOptions& options, std::string_view fields,
           std::uint32_t seed) {
  const auto accept = ws::accept_value(*handshake.request().headers.find("Sec-WebSocket-Key"));
  std::string wire = "HTTP/1.1 101 Switching Protocols\r\n";
  if (seed % 4 != 0) wire += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n";
  wire.append(fields).append("\r\n\r\n");
  const Limits limits;
  http1::ResponseReader reader(limits, http1::ResponseReader::Body::skip, TimePoint{});
  fuzz::in_pieces(wire, seed, [&](std::string_view piece) { reader.receive(as_bytes(piece), TimePoint{}); });
  const auto event = reader.next_event();
  const auto* read = event ? std::get_if<http1::ResponseEvent>(&*event) : nullptr;
  if (read == nullptr) return;
  const auto agreement = handshake.check_response(read->response, read->version);
  if (!agreement) return;
  FAIRLEAD_ASSERT(read->response.headers.find("Sec-WebSocket-Accept") == accept);
  FAIRLEAD_ASSERT(agreement->subprotocol.empty() ||
                  std::ranges::find(offered, agreement->subprotocol) != offered.end());
  if (!agreement->deflate) return;
  FAIRLEAD_ASSERT(agreement->deflate->our_window_bits >= 8);
  FAIRLEAD_ASSERT(agreement->deflate->our_window_bits <= options.send_window_bits);
  FAIRLEAD_ASSERT(agreement->deflate->their_window_bits >= 8);
  FAIRLEAD_ASSERT(agreement->deflate->their_window_bits <= options.receive_window_bits);
}

// Whatever the application passes: refused, or a head with the fields that we wrote (CVE-2026-1527).
void inject(std::string_view text, Entropy& entropy) {
  const std::string copy(text);
  if (const auto url = parse_url(text)) FAIRLEAD_ASSERT(parse_url(url->text()) == url);
  const auto url = parse_url("wss://h/" + copy);
  if (!url) return;
  const auto handshake = ws::ClientHandshake::start(
      *url, {.subprotocols = {}, .origin = copy, .deflate = {}, .headers = {{copy, "x"}, {"X", copy}}}, entropy);
  if (!handshake) return;
  Buffer wire;
  if (!http1::write_request(handshake->request(), wire)) return;
  Limits limits;
  limits.http_head_bytes = unlimited;
  http1::RequestReader reader(limits, TimePoint{});
  reader.receive(wire.readable(), TimePoint{});
  const auto event = reader.next_event();
  FAIRLEAD_ASSERT(event);
  if (const auto* read = std::get_if<http1::RequestEvent>(&*event)) {
    FAIRLEAD_ASSERT(read->request.headers.size() == handshake->request().headers.size());
    FAIRLEAD_ASSERT(reader.leftover().empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  SeededEntropy entropy(1);
  const DeflateOptions options{static_cast<std::uint8_t>(8 + data[1] % 8),
                               static_cast<std::uint8_t>(8 + data[1] / 8 % 8), (data[1] & 64) != 0,
                               (data[1] & 128) != 0};
  const auto handshake = ws::ClientHandshake::start(
      *parse_url("wss://h/"), {.subprotocols = offered, .origin = {}, .deflate = options, .headers = {}}, entropy);
  FAIRLEAD_ASSERT(handshake);
  check(*handshake, options, text, data[0]);
  inject(text, entropy);
  return 0;
}
