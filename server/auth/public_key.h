// SPDX-License-Identifier: Apache-2.0
// A key that others may know is no secret of HMAC: whoever takes the public key of RSA for one lets everybody sign.
#pragma once

#include <string_view>

namespace fairlead::server {

// PEM of any kind; JSON with a "kty"; a public key or a certificate in DER, or in base64 of either alphabet; a public
// key of SSH.
[[nodiscard]] bool looks_like_public_key(std::string_view secret);

}  // namespace fairlead::server
