// SPDX-License-Identifier: Apache-2.0
// What a handshake of TLS 1.3 agreed on, taken from the lines that OpenSSL writes for key logs: OpenSSL 3.0 has no
// other way to ask for it.
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

  // A line "LABEL client_random secret", both in hexadecimal; those of other labels are left alone.
  void take(std::string_view line);
  [[nodiscard]] bool complete() const noexcept { return client_.size != 0 && server_.size != 0; }
  [[nodiscard]] Bytes client() const noexcept { return client_.view(); }
  [[nodiscard]] Bytes server() const noexcept { return server_.view(); }

 private:
  struct Secret {
    [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes).first(size); }
    std::array<std::byte, record::longest_secret_bytes> bytes{};
    std::size_t size = 0;
  };
  static void parse(std::string_view hexadecimal, Secret& secret);

  Secret client_;
  Secret server_;
};

}  // namespace fairlead::tls
