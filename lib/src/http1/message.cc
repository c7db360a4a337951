// SPDX-License-Identifier: Apache-2.0
// Bodies of the public request and response types.
#include <fairlead/http.h>

#include "text/percent.h"
#include "text/tokens.h"

#include <unistd.h>

namespace fairlead {
namespace {

Response with_type(int status, std::string_view type, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", type);
  response.body = std::move(body);
  return response;
}

}  // namespace

std::string to_string(const PeerAddress& address) {
  if (address.is_unix()) return address.path.empty() ? "unix" : "unix:" + address.path;
  const bool six = address.ip.find(':') != std::string::npos;
  return (six ? "[" + address.ip + "]" : address.ip) + ":" + std::to_string(address.port);
}

std::optional<std::string> Request::query_parameter(std::string_view name) const {
  return text::find_query_parameter(query, name);
}

std::string_view Request::host() const noexcept { return headers.find("Host").value_or(""); }

std::optional<std::string_view> Request::origin() const noexcept { return headers.find("Origin"); }

std::vector<std::string_view> Request::subprotocols() const {
  std::vector<std::string_view> offered;
  for (const auto& header : headers) {
    if (!text::equals_ignoring_case(header.name, "Sec-WebSocket-Protocol")) continue;
    const auto list = text::parse_token_list(header.value);
    if (!list) return {};
    offered.insert(offered.end(), list->begin(), list->end());
  }
  return offered;
}

FileBody::FileBody(int descriptor, std::uint64_t offset, std::uint64_t length_bytes)
    : descriptor_(new int(descriptor),
                  [](const int* owned) {
                    ::close(*owned);
                    delete owned;
                  }),
      offset_(offset),
      length_bytes_(length_bytes) {}

Response Response::text(int status, std::string body) {
  return with_type(status, "text/plain; charset=utf-8", std::move(body));
}
Response Response::html(int status, std::string body) {
  return with_type(status, "text/html; charset=utf-8", std::move(body));
}
Response Response::json(int status, std::string body) { return with_type(status, "application/json", std::move(body)); }
Response Response::empty(int status) {
  Response response;
  response.status = status;
  return response;
}

Response Response::stream(int status, Headers headers, std::function<void(ResponseStream)> begin) {
  Response response = empty(status);
  response.headers = std::move(headers);
  response.body_stream = std::move(begin);
  return response;
}

Response Response::redirect(std::string_view location, int status) {
  Response response = empty(status);
  if (location.empty() || !response.headers.add("Location", location)) return empty(500);
  return response;
}

}  // namespace fairlead
