// SPDX-License-Identifier: Apache-2.0
// What a handshake of TLS 1.3 agreed on, overheard where it is derived: OpenSSL has no way to ask for it, and the lines
// that it writes for key logs cost more than the key schedule.
#pragma once

#include <fairlead/bytes.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "tls/record/suite.h"

namespace fairlead::tls {

// client_application_traffic_secret_0 and server_application_traffic_secret_0 (RFC 8446 7.1). Wiped when it goes.
class TrafficSecrets {
 public:
  TrafficSecrets() = default;
  TrafficSecrets(const TrafficSecrets&) = delete;
  TrafficSecrets& operator=(const TrafficSecrets&) = delete;
  ~TrafficSecrets();

  // A secret that was derived under this label of RFC 8446 7.1; those of other labels are left alone.
  void take(std::string_view label, Bytes secret) noexcept;
  [[nodiscard]] bool complete() const noexcept { return client_.size != 0 && server_.size != 0; }
  [[nodiscard]] Bytes client() const noexcept { return client_.view(); }
  [[nodiscard]] Bytes server() const noexcept { return server_.view(); }

 private:
  struct Secret {
    [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes).first(size); }
    std::array<std::byte, record::longest_secret_bytes> bytes{};
    std::size_t size = 0;
  };

  Secret client_;
  Secret server_;
};

}  // namespace fairlead::tls
