// SPDX-License-Identifier: Apache-2.0
// What an open channel remembers of the request that opened it: a Request is a dozen strings, which few look at again.
#pragma once

#include <fairlead/http.h>

#include <cstdint>
#include <memory>
#include <string>

namespace fairlead::net {

// Packed into one block until somebody asks for it; then it stays unpacked. Not thread-safe.
class KeptRequest {
 public:
  enum class Fields : std::uint8_t {
    all,
    without_handshake,  // those of the handshake itself have done their work (RFC 6455 4.2.1)
  };

  KeptRequest() = default;  // an empty request
  KeptRequest(const Request& request, Fields fields);

  // Lasts as long as this object.
  [[nodiscard]] const Request& get();

 private:
  [[nodiscard]] Request unpack() const;

  std::unique_ptr<char[]> packed_;  // NOLINT(modernize-avoid-c-arrays): raw storage
  std::uint32_t size_ = 0;
  std::uint16_t peer_port_ = 0;
  HttpVersion version_ = HttpVersion::http_1_1;
  std::shared_ptr<const TlsInfo> tls_;
  std::unique_ptr<const Request> unpacked_;
};

}  // namespace fairlead::net
