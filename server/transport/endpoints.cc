// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoints.h"

#include <algorithm>
#include <utility>

namespace fairlead::server {
namespace {

// How long a browser may remember the answer to its preflight request.
constexpr std::string_view preflight_max_age_seconds = "300";

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool lists_method(std::string_view methods, std::string_view method) {
  for (std::size_t at = methods.find(method); at != std::string_view::npos; at = methods.find(method, at + 1)) {
    const std::size_t end = at + method.size();
    const bool begins = at == 0 || methods[at - 1] == ' ';
    if (begins && (end == methods.size() || methods[end] == ',')) return true;
  }
  return false;
}

}  // namespace

void Endpoints::reconfigure(const TransportSettings& settings) {
  auto origins = std::make_shared<const Origins>(settings.allowed_origins);
  const std::scoped_lock lock(mutex_);
  origins_ = std::move(origins);
}

std::shared_ptr<const Origins> Endpoints::origins() const {
  const std::scoped_lock lock(mutex_);
  return origins_;
}

LoopTransports& Endpoints::here() {
  const LoopHandle loop = LoopHandle::current();
  const std::scoped_lock lock(mutex_);
  for (const auto& known : loops_) {
    if (known->handle() == loop) return *known;
  }
  return *loops_.emplace_back(std::make_unique<LoopTransports>(host_, emulated_));
}

std::optional<Response> Endpoints::refuse(const Request& request, std::string_view methods) const {
  const auto origins = this->origins();
  if (!origins->allow(request)) return Response::text(403, "This page may not connect here.\n");
  if (request.method == "OPTIONS") {
    Response preflight = Response::empty(204);
    origins->add_cors(request, preflight.headers);
    preflight.headers.add("Access-Control-Allow-Methods", methods);
    if (const auto asked = request.headers.find("Access-Control-Request-Headers")) {
      preflight.headers.add("Access-Control-Allow-Headers", *asked);
    }
    preflight.headers.add("Access-Control-Max-Age", preflight_max_age_seconds);
    return preflight;
  }
  if (lists_method(methods, request.method)) return std::nullopt;
  Response response = Response::text(405, "Method Not Allowed\n");
  response.headers.add("Allow", methods);
  return response;
}

Caller caller_of(const Request& request, std::string_view transport, WireFormat format) {
  Caller caller;
  caller.transport = transport;
  caller.protocol = format == WireFormat::json ? "json" : "protobuf";
  caller.encoding = format == WireFormat::json ? "json" : "binary";
  caller.peer_ip = request.peer.ip;
  for (const Header& field : request.headers) {
    auto& value = caller.headers[lowered(field.name)];
    value = value.empty() ? field.value : value + ", " + field.value;
  }
  return caller;
}

WireFormat format_of_body(const Request& request) {
  const std::string type = lowered(request.headers.find("Content-Type").value_or(""));
  return type.starts_with("application/octet-stream") ? WireFormat::protobuf : WireFormat::json;
}

}  // namespace fairlead::server
