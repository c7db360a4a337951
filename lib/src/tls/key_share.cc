// SPDX-License-Identifier: Apache-2.0
#include "tls/key_share.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <sodium/core.h>
#include <sodium/crypto_scalarmult_curve25519.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "tls/dispatch.h"
#include "tls/handshake_library.h"

namespace fairlead::tls {
namespace {

constexpr std::size_t key_bytes = 32;  // a public key and a shared secret, RFC 7748 6.1

// What is taken of OpenSSL's provider. A key is its own object, of which nothing is known here.
struct Upstream {
  void* context = nullptr;
  OSSL_FUNC_keymgmt_new_fn* new_key = nullptr;
  OSSL_FUNC_keymgmt_free_fn* free_key = nullptr;
  OSSL_FUNC_keymgmt_import_fn* import = nullptr;
  OSSL_FUNC_keyexch_newctx_fn* new_exchange = nullptr;
  OSSL_FUNC_keyexch_freectx_fn* free_exchange = nullptr;
  OSSL_FUNC_keyexch_init_fn* set_own = nullptr;
  OSSL_FUNC_keyexch_set_peer_fn* set_peer = nullptr;
  OSSL_FUNC_keyexch_derive_fn* derive = nullptr;

  [[nodiscard]] bool complete() const noexcept {
    return new_key != nullptr && free_key != nullptr && import != nullptr && new_exchange != nullptr &&
           free_exchange != nullptr && set_own != nullptr && set_peer != nullptr && derive != nullptr;
  }
};

// Written once, before the first handshake.
Upstream& upstream() {
  static Upstream it;
  return it;
}

void take_key(Upstream& from, const OSSL_DISPATCH* functions) {
  take(from.new_key, functions, OSSL_FUNC_KEYMGMT_NEW);
  take(from.free_key, functions, OSSL_FUNC_KEYMGMT_FREE);
  take(from.import, functions, OSSL_FUNC_KEYMGMT_IMPORT);
}

void take_exchange(Upstream& from, const OSSL_DISPATCH* functions) {
  take(from.new_exchange, functions, OSSL_FUNC_KEYEXCH_NEWCTX);
  take(from.free_exchange, functions, OSSL_FUNC_KEYEXCH_FREECTX);
  take(from.set_own, functions, OSSL_FUNC_KEYEXCH_INIT);
  take(from.set_peer, functions, OSSL_FUNC_KEYEXCH_SET_PEER);
  take(from.derive, functions, OSSL_FUNC_KEYEXCH_DERIVE);
}

struct FreeKey {
  void operator()(void* key) const noexcept { upstream().free_key(key); }
};
using Key = std::unique_ptr<void, FreeKey>;

struct FreeExchange {
  void operator()(void* exchange) const noexcept { upstream().free_exchange(exchange); }
};
using Exchange = std::unique_ptr<void, FreeExchange>;

using Octets = std::array<unsigned char, key_bytes>;

OSSL_PARAM octets(const char* name, const unsigned char* bytes, std::size_t size) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char*>(bytes), size);  // NOLINT: only read
}

Key import(int selection, const OSSL_PARAM* parameters) {
  Key key(upstream().new_key(upstream().context));
  if (key == nullptr || upstream().import(key.get(), selection, parameters) != 1) return nullptr;
  return key;
}

struct Fresh {
  Key key;
  Octets public_bytes{};
};

// RFC 7748 5: of 32 random bytes, bits are set and cleared so that they are a scalar.
void clamp(Octets& scalar) {
  scalar.front() &= 0xf8U;
  scalar.back() = static_cast<unsigned char>((scalar.back() & 0x7fU) | 0x40U);
}

Fresh fresh_key() {
  Fresh made;
  Octets secret{};
  if (RAND_priv_bytes_ex(handshake_library(), secret.data(), key_bytes, 0) != 1) return made;
  clamp(secret);
  if (crypto_scalarmult_curve25519_base(made.public_bytes.data(), secret.data()) == 0) {
    const std::array parameters{octets(OSSL_PKEY_PARAM_PUB_KEY, made.public_bytes.data(), key_bytes),
                                octets(OSSL_PKEY_PARAM_PRIV_KEY, secret.data(), key_bytes), OSSL_PARAM_construct_end()};
    made.key = import(OSSL_KEYMGMT_SELECT_KEYPAIR, parameters.data());
  }
  OPENSSL_cleanse(secret.data(), secret.size());
  return made;
}

Key public_key(const unsigned char* bytes, std::size_t size) {
  if (size != key_bytes) return nullptr;
  const std::array parameters{octets(OSSL_PKEY_PARAM_PUB_KEY, bytes, size), OSSL_PARAM_construct_end()};
  return import(OSSL_KEYMGMT_SELECT_PUBLIC_KEY, parameters.data());
}

// Refuses the all-zero secret that a peer's key of small order would give (RFC 8446 7.4.2).
bool agree(void* own, void* peer, unsigned char* secret) {
  const Exchange exchange(upstream().new_exchange(upstream().context));
  std::size_t size = 0;
  return exchange != nullptr && upstream().set_own(exchange.get(), own, nullptr) == 1 &&
         upstream().set_peer(exchange.get(), peer) == 1 &&
         upstream().derive(exchange.get(), secret, &size, key_bytes) == 1 && size == key_bytes;
}

// ── Making keys ─────────────────────────────────────────────────────────────────────────────────────────────────────

struct Making {
  int selection;
};

int set_making(void* /*making*/, const OSSL_PARAM* parameters) {
  const OSSL_PARAM* group = OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_GROUP_NAME);
  return group == nullptr || OPENSSL_strcasecmp(static_cast<const char*>(group->data), "X25519") == 0 ? 1 : 0;
}

void* start_making(void* /*provider*/, int selection, const OSSL_PARAM* parameters) {
  return set_making(nullptr, parameters) == 1 ? new Making{.selection = selection} : nullptr;  // NOLINT: OpenSSL's form
}

void end_making(void* making) { delete static_cast<Making*>(making); }  // NOLINT: OpenSSL's form

void* make(void* making, OSSL_CALLBACK* /*progress*/, void* /*argument*/) {
  const auto selection = static_cast<unsigned>(static_cast<Making*>(making)->selection);
  const bool only_parameters = (selection & static_cast<unsigned>(OSSL_KEYMGMT_SELECT_KEYPAIR)) == 0;
  return only_parameters ? upstream().new_key(upstream().context) : fresh_key().key.release();
}

const OSSL_PARAM* settable(void* /*making*/, void* /*provider*/) {
  static constexpr std::array list{OSSL_PARAM{OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PARAM_UTF8_STRING, nullptr, 0, 0},
                                   OSSL_PARAM{}};
  return list.data();
}

// ── The functions of an encapsulation ───────────────────────────────────────────────────────────────────────────────

// The key that an operation is about: the peer's to encapsulate, ours to decapsulate. Whoever made the context keeps
// it.
struct Operation {
  void* key = nullptr;
};

void* make_operation(void* /*provider*/) { return new Operation; }                   // NOLINT: OpenSSL's form
void free_operation(void* operation) { delete static_cast<Operation*>(operation); }  // NOLINT

int begin(void* operation, void* key, const OSSL_PARAM* /*parameters*/) {
  static_cast<Operation*>(operation)->key = key;
  return key != nullptr ? 1 : 0;
}

int encapsulate(void* operation, unsigned char* out, std::size_t* out_size, unsigned char* secret,
                std::size_t* secret_size) {
  *out_size = *secret_size = key_bytes;
  if (out == nullptr) return 1;  // only asks how much room is needed
  const Fresh own = fresh_key();
  if (own.key == nullptr || !agree(own.key.get(), static_cast<Operation*>(operation)->key, secret)) return 0;
  std::ranges::copy(own.public_bytes, out);
  return 1;
}

int decapsulate(void* operation, unsigned char* secret, std::size_t* secret_size, const unsigned char* in,
                std::size_t in_size) {
  *secret_size = key_bytes;
  if (secret == nullptr) return 1;
  const Key peer = public_key(in, in_size);
  return peer != nullptr && agree(static_cast<Operation*>(operation)->key, peer.get(), secret) ? 1 : 0;
}

// Upstream's functions, but for those that make a key.
const OSSL_DISPATCH* keys_of(const OSSL_DISPATCH* functions) {
  // NOLINTNEXTLINE: for the life of the process, whichever thread is the last one
  static auto& keys = *new std::vector<OSSL_DISPATCH>{
      entry(OSSL_FUNC_KEYMGMT_GEN_INIT, start_making), entry(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, set_making),
      entry(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, settable), entry(OSSL_FUNC_KEYMGMT_GEN, make),
      entry(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, end_making)};
  const auto makes = [](int id) {
    return std::ranges::any_of(keys, [id](const OSSL_DISPATCH& ours) { return ours.function_id == id; });
  };
  std::vector<OSSL_DISPATCH> others;
  for (; functions->function_id != 0; ++functions) {
    if (!makes(functions->function_id)) others.push_back(*functions);
  }
  others.push_back({0, nullptr});
  keys.insert(keys.end(), others.begin(), others.end());
  return keys.data();
}

const OSSL_DISPATCH* encapsulation() {
  static const std::array functions{entry(OSSL_FUNC_KEM_NEWCTX, make_operation),
                                    entry(OSSL_FUNC_KEM_FREECTX, free_operation),
                                    entry(OSSL_FUNC_KEM_ENCAPSULATE_INIT, begin),
                                    entry(OSSL_FUNC_KEM_ENCAPSULATE, encapsulate),
                                    entry(OSSL_FUNC_KEM_DECAPSULATE_INIT, begin),
                                    entry(OSSL_FUNC_KEM_DECAPSULATE, decapsulate),
                                    OSSL_DISPATCH{0, nullptr}};
  return functions.data();
}

}  // namespace

std::optional<KeyShare> make_key_share(OSSL_PROVIDER* provider) {
  const OSSL_ALGORITHM* keys = find_algorithm(provider, OSSL_OP_KEYMGMT, "X25519");
  const OSSL_ALGORITHM* exchanges = find_algorithm(provider, OSSL_OP_KEYEXCH, "X25519");
  if (keys == nullptr || exchanges == nullptr || sodium_init() < 0) return std::nullopt;
  Upstream found{.context = OSSL_PROVIDER_get0_provider_ctx(provider)};
  take_key(found, keys->implementation);
  take_exchange(found, exchanges->implementation);
  if (!found.complete()) return std::nullopt;
  upstream() = found;
  const bool other_kind = find_algorithm(provider, OSSL_OP_KEM, "X25519") != nullptr;
  return KeyShare{
      .upstream = keys, .keys = keys_of(keys->implementation), .encapsulation = other_kind ? nullptr : encapsulation()};
}

}  // namespace fairlead::tls
