// SPDX-License-Identifier: Apache-2.0
// HKDF as TLS 1.3 uses it (RFC 5869, RFC 8446 7.1), over OpenSSL's SHA-2: pure functions, which allocate nothing.
#pragma once

#include <fairlead/bytes.h>

#include <string_view>

#include "tls/record/hmac.h"

namespace fairlead::tls::record {

// RFC 5869 2.2: HKDF-Extract(salt, material). `out` has hash_bytes(hash) bytes.
void hkdf_extract(Hash hash, Bytes salt, Bytes material, MutableBytes out) noexcept;

// HKDF-Expand-Label(secret, label, context, out.size()), with "tls13 " as the prefix. False, and nothing is written,
// when a part is too long for RFC 8446 7.1 or RFC 5869 2.3.
[[nodiscard]] bool hkdf_expand_label(Hash hash, Bytes secret, std::string_view prefix, std::string_view label,
                                     Bytes context, MutableBytes out) noexcept;

}  // namespace fairlead::tls::record
