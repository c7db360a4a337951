// SPDX-License-Identifier: Apache-2.0
#include "ws/server_handshake.h"

#include "text/base64.h"
#include "text/tokens.h"
#include "ws/handshake_fields.h"

#include <algorithm>

namespace fairlead::ws {
namespace {

constexpr std::size_t key_bytes = 16;  // RFC 6455 4.1, item 7
constexpr std::string_view version = "13";

Result<void> check_request_line(const Request& request) {
  if (request.method != "GET") return fail(Errc::handshake_bad_method, "the method must be GET");
  if (request.version != HttpVersion::http_1_1) return fail(Errc::handshake_bad_upgrade, "HTTP/1.1 is needed");
  // The opening handshake has no body; one could hide a second request from a proxy.
  if (!request.body.empty()) return fail(Errc::http_malformed, "an opening handshake has no body");
  return {};
}

Result<void> check_fields(const Request& request) {
  const auto& headers = request.headers;
  if (headers.count("Host") != 1) return fail(Errc::http_host_invalid, "Host must be there exactly once");
  if (!any_lists(headers, "Upgrade", "websocket")) {
    return fail(Errc::handshake_bad_upgrade, "Upgrade does not name websocket");
  }
  if (!any_lists(headers, "Connection", "upgrade")) {
    return fail(Errc::handshake_bad_connection, "Connection does not name Upgrade");
  }
  if (headers.count("Sec-WebSocket-Version") != 1 || headers.find("Sec-WebSocket-Version") != version) {
    return fail(Errc::handshake_bad_version, "the version must be 13");
  }
  return {};
}

Result<std::string> read_key(const Headers& headers) {
  if (headers.count("Sec-WebSocket-Key") != 1) {
    return fail(Errc::handshake_bad_key, "Sec-WebSocket-Key must be there exactly once");
  }
  const auto key = headers.find("Sec-WebSocket-Key").value_or("");
  const auto nonce = text::decode_base64(key);
  if (!nonce || nonce->size() != key_bytes) {
    return fail(Errc::handshake_bad_key, "Sec-WebSocket-Key is not the base64 of 16 bytes");
  }
  return std::string(key);
}

bool has_duplicates(const std::vector<std::string>& texts) {
  std::vector<std::string_view> sorted(texts.begin(), texts.end());
  std::ranges::sort(sorted);
  return std::ranges::adjacent_find(sorted) != sorted.end();
}

Result<std::vector<std::string>> read_subprotocols(const Headers& headers) {
  std::vector<std::string> offered;
  for (const auto value : headers.all("Sec-WebSocket-Protocol")) {
    const auto list = text::parse_token_list(value);
    // RFC 6455 4.1, item 10: one or more, each a token, all of them unique.
    if (!list || list->empty()) return fail(Errc::handshake_bad_subprotocol, "Sec-WebSocket-Protocol is no token list");
    offered.insert(offered.end(), list->begin(), list->end());
  }
  if (has_duplicates(offered)) return fail(Errc::handshake_bad_subprotocol, "a subprotocol is offered twice");
  return offered;
}

Result<void> check_choice(const Offer& offer, const Choice& choice) {
  // RFC 6455 4.2.2, item 5: "one of the values … from the client's handshake".
  if (!choice.subprotocol.empty() &&
      std::ranges::find(offer.subprotocols, choice.subprotocol) == offer.subprotocols.end()) {
    return fail(Errc::invalid_argument, "the chosen subprotocol was not offered");
  }
  if (std::ranges::any_of(choice.headers, is_handshake_field, &Header::name)) {
    return fail(Errc::invalid_argument, "a further field belongs to the handshake itself");
  }
  return {};
}

}  // namespace

bool is_upgrade(const Request& request) {
  return request.version == HttpVersion::http_1_1 && any_lists(request.headers, "Upgrade", "websocket");
}

Result<Offer> read_offer(const Request& request) {
  if (auto checked = check_request_line(request); !checked) return std::unexpected(checked.error());
  if (auto checked = check_fields(request); !checked) return std::unexpected(checked.error());
  auto key = read_key(request.headers);
  if (!key) return std::unexpected(key.error());
  auto subprotocols = read_subprotocols(request.headers);
  if (!subprotocols) return std::unexpected(subprotocols.error());
  const auto extensions = read_extensions(request.headers);
  if (!extensions) return std::unexpected(extensions.error());
  return Offer{std::move(*key), std::move(*subprotocols), find_deflate_offers(*extensions)};
}

Result<Acceptance> accept_offer(const Offer& offer, const Choice& choice) {
  if (auto checked = check_choice(offer, choice); !checked) return std::unexpected(checked.error());
  Acceptance acceptance;
  acceptance.response.status = 101;
  auto& headers = acceptance.response.headers;
  headers.add("Upgrade", "websocket");
  headers.add("Connection", "Upgrade");
  headers.add("Sec-WebSocket-Accept", accept_value(offer.key));
  if (!choice.subprotocol.empty()) headers.add("Sec-WebSocket-Protocol", choice.subprotocol);
  acceptance.subprotocol = choice.subprotocol;
  const auto deflate = choice.deflate ? answer_deflate(offer.deflate, *choice.deflate) : std::nullopt;
  if (deflate) {
    headers.add("Sec-WebSocket-Extensions", deflate->answer);
    acceptance.deflate = deflate->agreement;
  }
  for (const auto& [name, value] : choice.headers) headers.add(name, value);
  return acceptance;
}

}  // namespace fairlead::ws
