// SPDX-License-Identifier: Apache-2.0
// Facts out of an X.509 certificate, in the words of the public headers.
#pragma once

#include <fairlead/certificate.h>
#include <fairlead/tls_info.h>

#include <chrono>
#include <string>
#include <vector>

#include "tls/openssl.h"

namespace fairlead::tls {

[[nodiscard]] CertificateInfo describe(X509* certificate);
[[nodiscard]] CertificateDetails describe_details(X509* certificate);

[[nodiscard]] std::string subject_of(X509* certificate);
// Base64 of the SHA-256 of the SubjectPublicKeyInfo.
[[nodiscard]] std::string spki_sha256(X509* certificate);
[[nodiscard]] std::chrono::system_clock::time_point to_time(const ASN1_TIME* time);
[[nodiscard]] std::string iso8601(std::chrono::system_clock::time_point time);

}  // namespace fairlead::tls
