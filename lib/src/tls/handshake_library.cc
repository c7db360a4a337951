// SPDX-License-Identifier: Apache-2.0
#include "tls/handshake_library.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <array>
#include <string_view>
#include <vector>

#include "tls/key_schedule.h"

namespace fairlead::tls {
namespace {

using Algorithms = std::vector<OSSL_ALGORITHM>;

// OpenSSL's default provider, seen through ours.
struct Upstream {
  OSSL_PROVIDER* provider = nullptr;
  Algorithms derivations;  // its key derivations, and ours; ends with an empty entry
};

Upstream& upstream() {
  static Upstream& it = *new Upstream;  // NOLINT: for the life of the process, whichever thread is the last one
  return it;
}

const OSSL_ALGORITHM* query(void* /*provider*/, int operation, int* uncached) {
  *uncached = 0;
  if (operation == OSSL_OP_KDF) return upstream().derivations.data();
  return OSSL_PROVIDER_query_operation(upstream().provider, operation, uncached);
}

// The groups of TLS, among others.
int capabilities(void* /*provider*/, const char* name, OSSL_CALLBACK* found, void* argument) {
  return OSSL_PROVIDER_get_capabilities(upstream().provider, name, found, argument);
}

template <class Function>
OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};  // NOLINT: OpenSSL's form
}

int start(const OSSL_CORE_HANDLE* /*handle*/, const OSSL_DISPATCH* /*core*/, const OSSL_DISPATCH** functions,
          void** context) {
  static const std::array ours{entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
                               entry(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, capabilities), OSSL_DISPATCH{0, nullptr}};
  *functions = ours.data();
  *context = OSSL_PROVIDER_get0_provider_ctx(upstream().provider);  // the algorithms are its own
  return 1;
}

int is_usual(OSSL_PROVIDER* provider, void* others) {
  const std::string_view name = OSSL_PROVIDER_get0_name(provider);
  if (name != "default" && name != "base") *static_cast<bool*>(others) = true;
  return 1;
}

bool only_the_default_provider() {
  bool others = false;
  OSSL_PROVIDER_do_all(nullptr, is_usual, &others);
  return !others && OSSL_PROVIDER_available(nullptr, "default") == 1 &&
         EVP_default_properties_is_fips_enabled(nullptr) == 0;
}

Algorithms derivations_of(OSSL_PROVIDER* provider) {
  constexpr std::string_view key_schedule = "TLS13-KDF";
  Algorithms list;
  int uncached = 0;
  const OSSL_ALGORITHM* at = OSSL_PROVIDER_query_operation(provider, OSSL_OP_KDF, &uncached);
  for (; at != nullptr && at->algorithm_names != nullptr; ++at) {
    const std::string_view names = at->algorithm_names;
    if (names.substr(0, names.find(':')) != key_schedule) list.push_back(*at);
  }
  list.push_back({key_schedule.data(), "provider=fairlead", key_schedule_functions, nullptr});
  list.push_back({});
  return list;
}

OSSL_LIB_CTX* make() {
  if (!only_the_default_provider()) return nullptr;
  upstream().provider = OSSL_PROVIDER_try_load(nullptr, "default", 1);
  if (upstream().provider == nullptr) return nullptr;
  upstream().derivations = derivations_of(upstream().provider);
  OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
  if (library != nullptr && OSSL_PROVIDER_add_builtin(library, "fairlead", start) == 1 &&
      OSSL_PROVIDER_load(library, "fairlead") != nullptr) {
    return library;
  }
  OSSL_LIB_CTX_free(library);
  return nullptr;
}

}  // namespace

OSSL_LIB_CTX* handshake_library() {
  static OSSL_LIB_CTX* const library = [] {  // for the life of the process: contexts refer to it
    OSSL_LIB_CTX* made = make();
    ERR_clear_error();
    return made;
  }();
  return library;
}

}  // namespace fairlead::tls
