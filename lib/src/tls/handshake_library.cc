// SPDX-License-Identifier: Apache-2.0
#include "tls/handshake_library.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "tls/binder.h"
#include "tls/dispatch.h"
#include "tls/ecdsa.h"
#include "tls/key_schedule.h"
#include "tls/key_share.h"
#include "tls/mac.h"
#include "tls/randomness.h"

namespace fairlead::tls {
namespace {

using Algorithms = std::vector<OSSL_ALGORITHM>;

// OpenSSL's default provider, seen through ours. Lists end with an empty entry.
struct Upstream {
  OSSL_PROVIDER* provider = nullptr;
  Algorithms ciphers;         // those of its ciphers that our suites have
  Algorithms derivations;     // its key derivation for TLS 1.2, and ours for TLS 1.3
  Algorithms macs;            // our HMAC
  Algorithms keys;            // its kinds of keys, but our X25519 and HMAC
  Algorithms signatures;      // its signatures, but our HMAC and ECDSA
  Algorithms encapsulations;  // its key encapsulations, and X25519 as one
  Algorithms generators;      // its generators of random numbers, and ours
  bool encapsulates_x25519 = false;
};

Upstream& upstream() {
  static Upstream& it = *new Upstream;  // NOLINT: for the life of the process, whichever thread is the last one
  return it;
}

const OSSL_ALGORITHM* query(void* /*provider*/, int operation, int* uncached) {
  *uncached = 0;
  if (operation == OSSL_OP_CIPHER) return upstream().ciphers.data();
  if (operation == OSSL_OP_KDF) return upstream().derivations.data();
  if (operation == OSSL_OP_MAC) return upstream().macs.data();
  if (operation == OSSL_OP_KEYMGMT) return upstream().keys.data();
  if (operation == OSSL_OP_SIGNATURE) return upstream().signatures.data();
  if (operation == OSSL_OP_KEM) return upstream().encapsulations.data();
  if (operation == OSSL_OP_RAND) return upstream().generators.data();
  return OSSL_PROVIDER_query_operation(upstream().provider, operation, uncached);
}

struct Listener {
  OSSL_CALLBACK* found;
  void* argument;
};

// A group of TLS as the default provider describes it; X25519 with the word that it is an encapsulation.
int describe_group(const OSSL_PARAM* group, void* told) {
  const auto& [found, argument] = *static_cast<const Listener*>(told);
  unsigned id = 0;
  const OSSL_PARAM* name = OSSL_PARAM_locate_const(group, OSSL_CAPABILITY_TLS_GROUP_ID);
  if (name == nullptr || OSSL_PARAM_get_uint(name, &id) != 1 || id != x25519_group) return found(group, argument);
  static constexpr unsigned yes = 1;
  std::vector<OSSL_PARAM> ours{
      OSSL_PARAM_construct_uint(OSSL_CAPABILITY_TLS_GROUP_IS_KEM, const_cast<unsigned*>(&yes))};  // NOLINT: only read
  for (; group->key != nullptr; ++group) ours.push_back(*group);
  ours.push_back(OSSL_PARAM_construct_end());
  return found(ours.data(), argument);
}

int capabilities(void* /*provider*/, const char* name, OSSL_CALLBACK* found, void* argument) {
  return OSSL_PROVIDER_get_capabilities(upstream().provider, name, found, argument);
}

// A client keeps Diffie-Hellman: it has its key already, and there OpenSSL answers a bad share with illegal_parameter
// (RFC 8446 6), but a failed decapsulation with internal_error.
int capabilities_of_server(void* provider, const char* name, OSSL_CALLBACK* found, void* argument) {
  if (!upstream().encapsulates_x25519 || std::string_view(name) != "TLS-GROUP") {
    return capabilities(provider, name, found, argument);
  }
  Listener listener{.found = found, .argument = argument};
  return OSSL_PROVIDER_get_capabilities(upstream().provider, name, describe_group, &listener);
}

// All that the library below the providers has of ours.
const OSSL_ALGORITHM* query_randomness(void* /*provider*/, int operation, int* uncached) {
  static const std::array generators{OSSL_ALGORITHM{random_name, "provider=fairlead", random_functions, nullptr},
                                     OSSL_ALGORITHM{}};
  *uncached = 0;
  return operation == OSSL_OP_RAND ? generators.data() : nullptr;
}

int start_randomness(const OSSL_CORE_HANDLE* /*handle*/, const OSSL_DISPATCH* /*core*/, const OSSL_DISPATCH** functions,
                     void** /*context*/) {
  static const std::array ours{entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query_randomness), OSSL_DISPATCH{0, nullptr}};
  *functions = ours.data();
  return 1;
}

template <auto capabilities_of_role>
int start(const OSSL_CORE_HANDLE* /*handle*/, const OSSL_DISPATCH* /*core*/, const OSSL_DISPATCH** functions,
          void** context) {
  static const std::array ours{entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
                               entry(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, capabilities_of_role),
                               OSSL_DISPATCH{0, nullptr}};
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

using Names = std::initializer_list<std::string_view>;

Algorithms algorithms_if(OSSL_PROVIDER* provider, int operation, auto wanted) {
  Algorithms list;
  int uncached = 0;
  const OSSL_ALGORITHM* at = OSSL_PROVIDER_query_operation(provider, operation, &uncached);
  for (; at != nullptr && at->algorithm_names != nullptr; ++at) {
    const std::string_view names = at->algorithm_names;
    if (wanted(names.substr(0, names.find(':')))) list.push_back(*at);
  }
  return list;
}

// What the default provider has for `operation`, without what has one of these names.
Algorithms all_but(Names names, OSSL_PROVIDER* provider, int operation) {
  return algorithms_if(provider, operation,
                       [names](std::string_view name) { return std::ranges::find(names, name) == names.end(); });
}

// Of what the default provider has for `operation`, what has one of these names.
Algorithms only(Names names, OSSL_PROVIDER* provider, int operation) {
  return algorithms_if(provider, operation,
                       [names](std::string_view name) { return std::ranges::find(names, name) != names.end(); });
}

OSSL_ALGORITHM ours(const char* names, const OSSL_DISPATCH* functions) {
  return {names, "provider=fairlead", functions, nullptr};
}

// Of ciphers, key derivations and MACs only those that TLS asks for, as with each key that it uses OpenSSL walks past
// all names that its library context knows.
void gather(Upstream& from) {
  OSSL_PROVIDER* const provider = from.provider;
  from.ciphers = only({"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"}, provider, OSSL_OP_CIPHER);
  from.derivations = only({"TLS1-PRF"}, provider, OSSL_OP_KDF);
  from.derivations.push_back(ours("TLS13-KDF", key_schedule_functions));
  from.macs = {ours("HMAC", hmac_functions)};
  const std::optional<KeyShare> share = make_key_share(provider);
  from.keys = all_but({"HMAC", share ? "X25519" : ""}, provider, OSSL_OP_KEYMGMT);
  from.keys.push_back(ours("HMAC", binder_key_functions));
  const OSSL_DISPATCH* const ecdsa = make_ecdsa(provider);
  from.signatures = all_but({"HMAC", ecdsa != nullptr ? "ECDSA" : ""}, provider, OSSL_OP_SIGNATURE);
  from.signatures.push_back(ours("HMAC", binder_signature_functions));
  if (ecdsa != nullptr) from.signatures.push_back(ours("ECDSA", ecdsa));
  from.encapsulations = all_but({}, provider, OSSL_OP_KEM);
  from.encapsulates_x25519 = share && share->encapsulation != nullptr;
  if (share) from.keys.push_back(ours(share->upstream->algorithm_names, share->keys));
  if (from.encapsulates_x25519) {
    from.encapsulations.push_back(ours(share->upstream->algorithm_names, share->encapsulation));
  }
  from.generators = all_but({}, provider, OSSL_OP_RAND);
  from.generators.push_back(ours(random_name, random_functions));
  for (Algorithms* list : {&from.ciphers, &from.derivations, &from.macs, &from.keys, &from.signatures,
                           &from.encapsulations, &from.generators}) {
    list->push_back({});
  }
}

bool load(OSSL_LIB_CTX* library, const char* name, OSSL_provider_init_fn* start) {
  return OSSL_PROVIDER_add_builtin(library, name, start) == 1 && OSSL_PROVIDER_load(library, name) != nullptr;
}

bool use_our_generator(OSSL_LIB_CTX* library) {
  return RAND_set_DRBG_type(library, random_name, nullptr, nullptr, nullptr) == 1;
}

// Algorithms of the default provider fetch what they need themselves, and their random bytes, from the library that the
// provider was loaded into. So it gets one of its own, in which a signature finds our generator, too.
OSSL_PROVIDER* load_upstream() {
  OSSL_LIB_CTX* below = OSSL_LIB_CTX_new();
  OSSL_PROVIDER* provider = nullptr;
  if (below != nullptr && load(below, "fairlead-randomness", start_randomness)) {
    provider = OSSL_PROVIDER_load(below, "default");
  }
  if (provider != nullptr && use_our_generator(below)) return provider;
  OSSL_LIB_CTX_free(below);
  return nullptr;
}

OSSL_LIB_CTX* library_of(OSSL_provider_init_fn* start_of_role) {
  OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
  if (library != nullptr && load(library, "fairlead", start_of_role) && use_our_generator(library)) return library;
  OSSL_LIB_CTX_free(library);
  return nullptr;
}

struct Libraries {
  OSSL_LIB_CTX* server = nullptr;
  OSSL_LIB_CTX* client = nullptr;
};

Libraries make() {
  if (!only_the_default_provider()) return {};
  upstream().provider = load_upstream();
  if (upstream().provider == nullptr) return {};
  gather(upstream());
  return {.server = library_of(start<capabilities_of_server>), .client = library_of(start<capabilities>)};
}

}  // namespace

OSSL_LIB_CTX* handshake_library(Side side) {
  static const Libraries libraries = [] {  // for the life of the process: contexts refer to them
    const Libraries made = make();
    ERR_clear_error();
    return made;
  }();
  return side == Side::server ? libraries.server : libraries.client;
}

}  // namespace fairlead::tls
