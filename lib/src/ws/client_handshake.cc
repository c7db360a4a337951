// SPDX-License-Identifier: Apache-2.0
#include "ws/client_handshake.h"

#include "base/entropy.h"
#include "http1/http_date.h"
#include "text/base64.h"
#include "text/tokens.h"
#include "ws/deflate_offer.h"
#include "ws/handshake_fields.h"

#include <algorithm>
#include <array>

namespace fairlead::ws {
namespace {

// RFC 6455 4.1, item 7: "a nonce consisting of a randomly selected 16-byte value … base64-encoded".
std::string make_key(Entropy& entropy) {
  std::array<std::byte, 16> nonce{};
  entropy.fill(nonce);
  return text::encode_base64(nonce);
}

Result<std::string> join_subprotocols(const std::vector<std::string>& subprotocols) {
  std::string joined;
  for (auto it = subprotocols.begin(); it != subprotocols.end(); ++it) {
    if (!text::is_token(*it)) return fail(Errc::invalid_argument, "a subprotocol is not a token");
    if (std::find(subprotocols.begin(), it, *it) != it) return fail(Errc::invalid_argument, "a subprotocol twice");
    joined.append(joined.empty() ? "" : ", ").append(*it);
  }
  return joined;
}

Result<void> add_further_fields(const Headers& further, Headers& headers) {
  for (const auto& [name, value] : further) {
    if (is_handshake_field(name)) return fail(Errc::invalid_argument, "a further field belongs to the handshake");
    headers.add(name, value);
  }
  return {};
}

// What is no switch of protocols. RFC 9112 6.3, rule 1 ends every 1xx at its empty line, whatever its fields say: one
// that announces a body comes from a sender that may go on with it, and its bytes would be read as frames.
Result<void> check_switch(const Headers& headers, HttpVersion version) {
  // RFC 9110 15.2: "HTTP/1.0 did not define any 1xx status codes"; 6455 4.1 asks with 1.1.
  if (version == HttpVersion::http_1_0) {
    return fail(Errc::http_unsupported_version, "101 in HTTP/1.0, which has no 1xx statuses (RFC 9110 15.2)");
  }
  // RFC 9110 8.6: "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx".
  // "0" does no harm: it announces nothing.
  const bool announces_nothing = headers.count("Content-Length") == 1 && headers.find("Content-Length") == "0";
  if (headers.contains("Content-Length") && !announces_nothing) {
    return fail(Errc::http_malformed, "101 with Content-Length, which must not be there (RFC 9110 8.6)");
  }
  // RFC 9112 6.1: the same of Transfer-Encoding.
  if (headers.contains("Transfer-Encoding")) {
    return fail(Errc::http_malformed, "101 with Transfer-Encoding, which must not be there (RFC 9112 6.1)");
  }
  return {};
}

Result<void> check_upgrade(const Headers& headers) {
  // RFC 6455 4.1: the response's Upgrade must be this value, not merely list it.
  if (headers.count("Upgrade") != 1 || !text::equals_ignoring_case(headers.find("Upgrade").value_or(""), "websocket")) {
    return fail(Errc::handshake_bad_upgrade, "the response's Upgrade is not websocket");
  }
  if (!any_lists(headers, "Connection", "upgrade")) {
    return fail(Errc::handshake_bad_connection, "the response's Connection does not name Upgrade");
  }
  return {};
}

Result<void> check_accept(const Headers& headers, std::string_view key) {
  if (headers.count("Sec-WebSocket-Accept") != 1 || headers.find("Sec-WebSocket-Accept") != accept_value(key)) {
    return fail(Errc::handshake_bad_accept, "Sec-WebSocket-Accept is not the answer to our key");
  }
  return {};
}

Result<std::string> check_subprotocol(const Headers& headers, const std::vector<std::string>& offered) {
  const auto chosen = headers.find("Sec-WebSocket-Protocol");
  if (!chosen) return std::string();
  if (headers.count("Sec-WebSocket-Protocol") != 1 || std::ranges::find(offered, *chosen) == offered.end()) {
    return fail(Errc::handshake_bad_subprotocol, "the server chose a subprotocol that was not offered");
  }
  return std::string(*chosen);
}

Result<std::optional<DeflateAgreement>> check_extensions(const Headers& headers,
                                                         const std::optional<DeflateOptions>& offered) {
  const auto elements = read_extensions(headers);
  if (!elements) return std::unexpected(elements.error());
  if (elements->empty()) return std::nullopt;
  if (!offered || elements->size() > 1) {
    return fail(Errc::handshake_bad_extension, "the server uses an extension that was not offered, or one twice");
  }
  auto agreement = check_deflate_answer(elements->front(), *offered);
  if (!agreement) return std::unexpected(agreement.error());
  return *agreement;
}

}  // namespace

Result<ClientHandshake> ClientHandshake::start(const Url& url, const ClientHandshakeOptions& options,
                                               Entropy& entropy) {
  if (!url.is_websocket()) return fail(Errc::invalid_argument, "the scheme must be wss or ws");
  auto subprotocols = join_subprotocols(options.subprotocols);
  if (!subprotocols) return std::unexpected(subprotocols.error());
  ClientHandshake handshake;
  handshake.key_ = make_key(entropy);
  handshake.subprotocols_ = options.subprotocols;
  handshake.deflate_ = options.deflate;
  handshake.request_.method = "GET";
  handshake.request_.target = url.target;
  auto& headers = handshake.request_.headers;
  if (!headers.add("Host", url.host_field())) return fail(Errc::invalid_argument, "the host cannot stand in a field");
  headers.add("Upgrade", "websocket");
  headers.add("Connection", "Upgrade");
  headers.add("Sec-WebSocket-Key", handshake.key_);
  headers.add("Sec-WebSocket-Version", "13");
  if (!options.origin.empty() && !headers.add("Origin", options.origin)) {
    return fail(Errc::invalid_argument, "the origin cannot stand in a field");
  }
  if (!subprotocols->empty()) headers.add("Sec-WebSocket-Protocol", *subprotocols);
  if (options.deflate) headers.add("Sec-WebSocket-Extensions", write_deflate_offer(*options.deflate));
  if (auto added = add_further_fields(options.headers, headers); !added) return std::unexpected(added.error());
  return handshake;
}

Result<Agreement> ClientHandshake::check_response(const Response& response, HttpVersion version) const {
  if (response.status != 101) {
    const auto phrase = std::string(reason_phrase(response.status));
    return fail(Errc::handshake_refused, "the server answered " + std::to_string(response.status) + " " + phrase);
  }
  const auto& headers = response.headers;
  if (auto checked = check_switch(headers, version); !checked) return std::unexpected(checked.error());
  if (auto checked = check_upgrade(headers); !checked) return std::unexpected(checked.error());
  if (auto checked = check_accept(headers, key_); !checked) return std::unexpected(checked.error());
  auto subprotocol = check_subprotocol(headers, subprotocols_);
  if (!subprotocol) return std::unexpected(subprotocol.error());
  auto deflate = check_extensions(headers, deflate_);
  if (!deflate) return std::unexpected(deflate.error());
  return Agreement{std::move(*subprotocol), *deflate};
}

std::optional<Refusal> read_refusal(const Response& response, std::chrono::system_clock::time_point now) {
  using std::chrono::seconds;
  // A year: beyond any wait that makes sense, and far from where durations overflow.
  static constexpr seconds longest = std::chrono::years(1);
  if (response.status == 101) return std::nullopt;
  Refusal refusal{response.status, std::nullopt, std::string(response.headers.find("Location").value_or(""))};
  const auto value = response.headers.find("Retry-After");
  if (!value) return refusal;
  const auto limit = static_cast<unsigned long long>(longest.count());
  if (const auto delay = text::parse_decimal(*value)) {
    refusal.retry_after = seconds(static_cast<seconds::rep>(std::min(*delay, limit)));
  } else if (const auto date = http1::parse_http_date(*value)) {
    refusal.retry_after = std::clamp(*date - std::chrono::floor<seconds>(now), seconds(0), longest);
  }
  return refusal;
}

}  // namespace fairlead::ws
