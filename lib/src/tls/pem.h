// SPDX-License-Identifier: Apache-2.0
// Certificates, keys and revocation lists out of files and PEM text.
#pragma once

#include <fairlead/error.h>
#include <fairlead/tls.h>

#include <string>
#include <string_view>
#include <vector>

#include "tls/openssl.h"

namespace fairlead::tls {

// A chain with a private key, or a CA bundle, is a few to some hundred kilobytes; anything larger is the wrong file.
inline constexpr std::size_t pem_limit_bytes = std::size_t{4} * 1024 * 1024;

// The text of a file. `what` names it in errors: "certificate chain".
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::string_view what,
                                            std::size_t limit_bytes = pem_limit_bytes);
[[nodiscard]] Result<std::string> read_source(const PemSource& source, std::string_view what);
// How errors name a source: its path, or "(PEM text)".
[[nodiscard]] std::string source_name(const PemSource& source);

// All certificates in their order; never empty. Other blocks are skipped.
[[nodiscard]] Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem);
// The first private key. An encrypted one is an error: nobody could type the password.
[[nodiscard]] Result<KeyPtr> parse_key(std::string_view pem);
[[nodiscard]] Result<std::vector<CrlPtr>> parse_crls(std::string_view pem);

[[nodiscard]] std::string to_pem(X509* certificate);
[[nodiscard]] std::string to_pem(EVP_PKEY* key);  // PKCS #8, not encrypted

}  // namespace fairlead::tls
