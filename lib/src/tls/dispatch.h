// SPDX-License-Identifier: Apache-2.0
// The form in which OpenSSL takes a provider's functions.
#pragma once

#include <openssl/core.h>

namespace fairlead::tls {

template <class Function>
[[nodiscard]] OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};  // NOLINT: OpenSSL's form
}

}  // namespace fairlead::tls
