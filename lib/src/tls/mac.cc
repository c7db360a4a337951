// SPDX-License-Identifier: Apache-2.0
#include "tls/mac.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "tls/dispatch.h"

namespace fairlead::tls {
namespace {

using record::Hash;
using record::Hmac;

// A key starts a computation over; the digest has to be named before it, or together with it.
struct Computation {
  std::optional<Hash> hash;
  std::optional<Hmac> mac;

  bool start(Bytes key) {
    if (!hash) return false;
    mac.emplace(*hash, key);
    return true;
  }
};

Computation& of(void* context) { return *static_cast<Computation*>(context); }
Bytes bytes(const void* data, std::size_t size) { return {static_cast<const std::byte*>(data), size}; }

void* make_context(void* /*provider*/) { return new Computation; }               // NOLINT: OpenSSL's form
void free_context(void* context) { delete static_cast<Computation*>(context); }  // NOLINT

int set_parameters(void* context, const OSSL_PARAM* parameter) {
  const OSSL_PARAM* key = nullptr;
  for (; parameter != nullptr && parameter->key != nullptr; ++parameter) {
    const std::string_view name = parameter->key;
    if (name == OSSL_MAC_PARAM_KEY) key = parameter;
    if (name != OSSL_MAC_PARAM_DIGEST) continue;
    of(context).hash = hash_named(static_cast<const char*>(parameter->data));
    if (!of(context).hash) return 0;
  }
  return key == nullptr || of(context).start(bytes(key->data, key->data_size)) ? 1 : 0;
}

int start(void* context, const unsigned char* key, std::size_t size, const OSSL_PARAM* parameters) {
  if (set_parameters(context, parameters) != 1) return 0;
  if (key != nullptr) return of(context).start(bytes(key, size)) ? 1 : 0;
  return of(context).mac ? 1 : 0;
}

int add(void* context, const unsigned char* data, std::size_t size) {
  if (!of(context).mac) return 0;
  of(context).mac->add(bytes(data, size));
  return 1;
}

int finish(void* context, unsigned char* out, std::size_t* size, std::size_t room) {
  std::optional<Hmac>& mac = of(context).mac;
  if (!mac || room < mac->size()) return 0;
  *size = mac->size();
  mac->finish({reinterpret_cast<std::byte*>(out), *size});  // NOLINT: bytes are bytes
  mac.reset();
  return 1;
}

int get_parameters(void* context, OSSL_PARAM* parameters) {
  OSSL_PARAM* size = OSSL_PARAM_locate(parameters, OSSL_MAC_PARAM_SIZE);
  if (size == nullptr) return 1;
  return of(context).hash && OSSL_PARAM_set_size_t(size, hash_bytes(*of(context).hash)) == 1 ? 1 : 0;
}

const OSSL_PARAM* gettable(void* /*context*/, void* /*provider*/) {
  static constexpr std::array list{OSSL_PARAM{OSSL_MAC_PARAM_SIZE, OSSL_PARAM_UNSIGNED_INTEGER, nullptr, 0, 0},
                                   OSSL_PARAM{}};
  return list.data();
}

const OSSL_PARAM* settable(void* /*context*/, void* /*provider*/) {
  static constexpr std::array list{OSSL_PARAM{OSSL_MAC_PARAM_DIGEST, OSSL_PARAM_UTF8_STRING, nullptr, 0, 0},
                                   OSSL_PARAM{OSSL_MAC_PARAM_KEY, OSSL_PARAM_OCTET_STRING, nullptr, 0, 0},
                                   OSSL_PARAM{}};
  return list.data();
}

}  // namespace

std::optional<Hash> hash_named(const char* name) {
  for (const char* known : {"SHA256", "SHA2-256", "SHA-256"}) {
    if (OPENSSL_strcasecmp(name, known) == 0) return Hash::sha256;
  }
  for (const char* known : {"SHA384", "SHA2-384", "SHA-384"}) {
    if (OPENSSL_strcasecmp(name, known) == 0) return Hash::sha384;
  }
  return std::nullopt;
}

// NOLINTNEXTLINE: OpenSSL's form
const OSSL_DISPATCH hmac_functions[] = {entry(OSSL_FUNC_MAC_NEWCTX, make_context),
                                        entry(OSSL_FUNC_MAC_FREECTX, free_context),
                                        entry(OSSL_FUNC_MAC_INIT, start),
                                        entry(OSSL_FUNC_MAC_UPDATE, add),
                                        entry(OSSL_FUNC_MAC_FINAL, finish),
                                        entry(OSSL_FUNC_MAC_GET_CTX_PARAMS, get_parameters),
                                        entry(OSSL_FUNC_MAC_SET_CTX_PARAMS, set_parameters),
                                        entry(OSSL_FUNC_MAC_GETTABLE_CTX_PARAMS, gettable),
                                        entry(OSSL_FUNC_MAC_SETTABLE_CTX_PARAMS, settable),
                                        {0, nullptr}};

}  // namespace fairlead::tls
