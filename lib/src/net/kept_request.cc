// SPDX-License-Identifier: Apache-2.0
#include "net/kept_request.h"

#include "base/assert.h"
#include "text/tokens.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

namespace fairlead::net {
namespace {

constexpr std::array<std::string_view, 6> handshake_fields{"Upgrade",
                                                           "Connection",
                                                           "Sec-WebSocket-Key",
                                                           "Sec-WebSocket-Version",
                                                           "Sec-WebSocket-Extensions",
                                                           "Sec-WebSocket-Protocol"};

bool is_of_handshake(std::string_view name) {
  return std::ranges::any_of(handshake_fields,
                             [name](std::string_view field) { return text::equals_ignoring_case(field, name); });
}

// Each string behind its length: seven bits in a byte, the lowest first, the eighth says that more follow.
constexpr unsigned length_bits = 7;
constexpr unsigned more_follows = 1U << length_bits;

void pack(std::string& out, std::string_view text) {
  std::size_t length = text.size();
  for (; length >= more_follows; length >>= length_bits) {
    out.push_back(static_cast<char>((length & (more_follows - 1U)) | more_follows));
  }
  out.push_back(static_cast<char>(length));
  out.append(text);
}

std::string_view take(std::string_view& in) {
  std::size_t length = 0;
  for (unsigned shift = 0;; shift += length_bits) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    length |= static_cast<std::size_t>(byte & (more_follows - 1U)) << shift;
    if ((byte & more_follows) == 0) break;
  }
  const std::string_view text = in.substr(0, length);
  in.remove_prefix(length);
  return text;
}

}  // namespace

KeptRequest::KeptRequest(const Request& request, Fields fields)
    : peer_port_(request.peer.port), version_(request.version), tls_(request.tls) {
  std::string packed;
  for (const std::string* text : {&request.method, &request.target, &request.path, &request.query, &request.body,
                                  &request.peer.ip, &request.peer.path}) {
    pack(packed, *text);
  }
  for (const Header& field : request.headers) {
    if (fields == Fields::without_handshake && is_of_handshake(field.name)) continue;
    pack(packed, field.name);
    pack(packed, field.value);
  }
  FAIRLEAD_ASSERT(packed.size() <= std::numeric_limits<std::uint32_t>::max());
  size_ = static_cast<std::uint32_t>(packed.size());
  packed_ = std::make_unique_for_overwrite<char[]>(packed.size());  // NOLINT(modernize-avoid-c-arrays)
  std::memcpy(packed_.get(), packed.data(), packed.size());
}

const Request& KeptRequest::get() {
  if (unpacked_ == nullptr) {
    unpacked_ = std::make_unique<const Request>(unpack());
    packed_.reset();
  }
  return *unpacked_;
}

Request KeptRequest::unpack() const {
  Request request;
  if (packed_ == nullptr) return request;
  std::string_view in(packed_.get(), size_);
  for (std::string* text : {&request.method, &request.target, &request.path, &request.query, &request.body,
                            &request.peer.ip, &request.peer.path}) {
    *text = take(in);
  }
  while (!in.empty()) {
    const std::string_view name = take(in);
    request.headers.add(name, take(in));
  }
  request.version = version_;
  request.peer.port = peer_port_;
  request.tls = tls_;
  return request;
}

}  // namespace fairlead::net
