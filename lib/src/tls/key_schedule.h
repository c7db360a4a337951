// SPDX-License-Identifier: Apache-2.0
// TLS 1.3's key derivation (RFC 8446 7.1) in the form in which OpenSSL asks a provider for it ("TLS13-KDF"). OpenSSL
// decides what is derived from what; here is only how, without its look-ups by name and its allocations.
#pragma once

#include <openssl/core.h>

namespace fairlead::tls {

class TrafficSecrets;

// All parameters come with the call that derives; the hash is SHA-256 or SHA-384.
extern const OSSL_DISPATCH key_schedule_functions[];  // NOLINT: OpenSSL's form

// While one lives, the secrets that this thread derives are also told to `secrets` (null: to nobody).
class Overhearing {
 public:
  explicit Overhearing(TrafficSecrets* secrets) noexcept;
  Overhearing(const Overhearing&) = delete;
  Overhearing& operator=(const Overhearing&) = delete;
  ~Overhearing();

 private:
  TrafficSecrets* outer_;
};

}  // namespace fairlead::tls
