// SPDX-License-Identifier: Apache-2.0
// The few things that are done with secrets here: compare them, sign with them, make new ones.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::server {

// In a time that depends on neither where they differ nor how long the expected one is.
[[nodiscard]] bool equal_secrets(std::string_view shown, std::string_view expected);

// HMAC-SHA256 (RFC 2104) in lower-case hexadecimal.
[[nodiscard]] std::string hmac_sha256_hex(std::string_view secret, std::string_view message);

// `bytes` random bytes in lower-case hexadecimal.
[[nodiscard]] std::string random_hex(std::size_t bytes);

// The value of X-Fairlead-Signature for a body that is sent at this Unix time (X-Fairlead-Timestamp):
// hex(HMAC-SHA256(secret, timestamp + "." + body)). A receiver compares in constant time and refuses old timestamps.
[[nodiscard]] std::string webhook_signature(std::string_view secret, std::string_view timestamp, std::string_view body);

}  // namespace fairlead::server
