// SPDX-License-Identifier: Apache-2.0
// The form in which OpenSSL takes a provider's functions and gives those of its own.
#pragma once

#include <openssl/core.h>
#include <openssl/provider.h>

#include <string_view>

namespace fairlead::tls {

template <class Function>
[[nodiscard]] OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};  // NOLINT: OpenSSL's form
}

// Looks for one of `functions`, which leaves `place` as it is when it is not there.
template <class Function>
void take(Function*& place, const OSSL_DISPATCH* functions, int id) {
  for (; functions->function_id != 0; ++functions) {
    if (functions->function_id == id)
      place = reinterpret_cast<Function*>(functions->function);  // NOLINT: OpenSSL's form
  }
}

// By the first of its names. Null: the provider has none.
[[nodiscard]] inline const OSSL_ALGORITHM* find_algorithm(OSSL_PROVIDER* provider, int operation,
                                                          std::string_view first_name) {
  int uncached = 0;
  const OSSL_ALGORITHM* at = OSSL_PROVIDER_query_operation(provider, operation, &uncached);
  for (; at != nullptr && at->algorithm_names != nullptr; ++at) {
    const std::string_view names = at->algorithm_names;
    if (names.substr(0, names.find(':')) == first_name) return at;
  }
  return nullptr;
}

}  // namespace fairlead::tls
