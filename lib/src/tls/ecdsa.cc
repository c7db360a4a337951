// SPDX-License-Identifier: Apache-2.0
#include "tls/ecdsa.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "tls/dispatch.h"
#include "tls/mac.h"
#include "tls/record/hmac.h"

namespace fairlead::tls {
namespace {

using record::Hash;

// The functions of OpenSSL's provider.
struct Upstream {
  OSSL_FUNC_signature_newctx_fn* make = nullptr;
  OSSL_FUNC_signature_freectx_fn* free = nullptr;
  OSSL_FUNC_signature_dupctx_fn* copy = nullptr;
  OSSL_FUNC_signature_sign_init_fn* start_sign = nullptr;
  OSSL_FUNC_signature_sign_fn* sign = nullptr;
  OSSL_FUNC_signature_verify_init_fn* start_verify = nullptr;
  OSSL_FUNC_signature_verify_fn* verify = nullptr;
  OSSL_FUNC_signature_digest_sign_init_fn* start_digest_sign = nullptr;
  OSSL_FUNC_signature_digest_sign_update_fn* add_to_sign = nullptr;
  OSSL_FUNC_signature_digest_sign_final_fn* finish_sign = nullptr;
  OSSL_FUNC_signature_digest_verify_init_fn* start_digest_verify = nullptr;
  OSSL_FUNC_signature_digest_verify_update_fn* add_to_verify = nullptr;
  OSSL_FUNC_signature_digest_verify_final_fn* finish_verify = nullptr;
  OSSL_FUNC_signature_get_ctx_params_fn* get = nullptr;
  OSSL_FUNC_signature_set_ctx_params_fn* set = nullptr;
  OSSL_FUNC_signature_gettable_ctx_params_fn* gettable = nullptr;
  OSSL_FUNC_signature_settable_ctx_params_fn* settable = nullptr;
  OSSL_FUNC_signature_get_ctx_md_params_fn* get_of_digest = nullptr;
  OSSL_FUNC_signature_set_ctx_md_params_fn* set_of_digest = nullptr;
  OSSL_FUNC_signature_gettable_ctx_md_params_fn* gettable_of_digest = nullptr;
  OSSL_FUNC_signature_settable_ctx_md_params_fn* settable_of_digest = nullptr;

  [[nodiscard]] bool complete() const noexcept {
    return make != nullptr && free != nullptr && copy != nullptr && start_sign != nullptr && sign != nullptr &&
           start_verify != nullptr && verify != nullptr && start_digest_sign != nullptr && add_to_sign != nullptr &&
           finish_sign != nullptr && start_digest_verify != nullptr && add_to_verify != nullptr &&
           finish_verify != nullptr && get != nullptr && set != nullptr && gettable != nullptr && settable != nullptr &&
           get_of_digest != nullptr && set_of_digest != nullptr && gettable_of_digest != nullptr &&
           settable_of_digest != nullptr;
  }
};

// Written once, before the first handshake.
Upstream& upstream() {
  static Upstream it;
  return it;
}

Upstream take_all(const OSSL_DISPATCH* functions) {
  Upstream found;
  take(found.make, functions, OSSL_FUNC_SIGNATURE_NEWCTX);
  take(found.free, functions, OSSL_FUNC_SIGNATURE_FREECTX);
  take(found.copy, functions, OSSL_FUNC_SIGNATURE_DUPCTX);
  take(found.start_sign, functions, OSSL_FUNC_SIGNATURE_SIGN_INIT);
  take(found.sign, functions, OSSL_FUNC_SIGNATURE_SIGN);
  take(found.start_verify, functions, OSSL_FUNC_SIGNATURE_VERIFY_INIT);
  take(found.verify, functions, OSSL_FUNC_SIGNATURE_VERIFY);
  take(found.start_digest_sign, functions, OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT);
  take(found.add_to_sign, functions, OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE);
  take(found.finish_sign, functions, OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL);
  take(found.start_digest_verify, functions, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT);
  take(found.add_to_verify, functions, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE);
  take(found.finish_verify, functions, OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL);
  take(found.get, functions, OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS);
  take(found.set, functions, OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS);
  take(found.gettable, functions, OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS);
  take(found.settable, functions, OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS);
  take(found.get_of_digest, functions, OSSL_FUNC_SIGNATURE_GET_CTX_MD_PARAMS);
  take(found.set_of_digest, functions, OSSL_FUNC_SIGNATURE_SET_CTX_MD_PARAMS);
  take(found.gettable_of_digest, functions, OSSL_FUNC_SIGNATURE_GETTABLE_CTX_MD_PARAMS);
  take(found.settable_of_digest, functions, OSSL_FUNC_SIGNATURE_SETTABLE_CTX_MD_PARAMS);
  return found;
}

struct FreeUpstream {
  void operator()(void* context) const noexcept { upstream().free(context); }
};

// A signature of a text that comes in one piece is only remembered until it comes.
struct Signature {
  std::unique_ptr<void, FreeUpstream> theirs;  // has the key
  std::optional<Hash> remembered{};

  // Prepares what was only remembered, for whatever else is asked for.
  [[nodiscard]] bool prepare() {
    if (!remembered) return true;
    const char* const digest = *std::exchange(remembered, std::nullopt) == Hash::sha256 ? "SHA2-256" : "SHA2-384";
    return upstream().start_digest_sign(theirs.get(), digest, nullptr, nullptr) == 1;
  }
};

Signature& of(void* signature) { return *static_cast<Signature*>(signature); }

void* make(void* provider, const char* properties) {
  std::unique_ptr<void, FreeUpstream> theirs(upstream().make(provider, properties));
  if (theirs == nullptr) return nullptr;
  return new (std::nothrow) Signature{.theirs = std::move(theirs)};  // NOLINT: OpenSSL's form
}

void free(void* signature) { delete static_cast<Signature*>(signature); }  // NOLINT: OpenSSL's form

void* copy(void* signature) {
  std::unique_ptr<void, FreeUpstream> theirs(upstream().copy(of(signature).theirs.get()));
  if (theirs == nullptr) return nullptr;
  // NOLINTNEXTLINE: OpenSSL's form
  return new (std::nothrow) Signature{.theirs = std::move(theirs), .remembered = of(signature).remembered};
}

int start_digest_sign(void* signature, const char* digest, void* key, const OSSL_PARAM* parameters) {
  const std::optional<Hash> hash = digest != nullptr ? hash_named(digest) : std::nullopt;
  void* const theirs = of(signature).theirs.get();
  of(signature).remembered.reset();
  if (!hash || key == nullptr || (parameters != nullptr && parameters->key != nullptr)) {
    return upstream().start_digest_sign(theirs, digest, key, parameters);
  }
  if (upstream().start_sign(theirs, key, nullptr) != 1) return 0;
  of(signature).remembered = hash;
  return 1;
}

int digest_sign(void* signature, unsigned char* out, std::size_t* size, std::size_t room, const unsigned char* text,
                std::size_t text_size) {
  void* const theirs = of(signature).theirs.get();
  if (!of(signature).remembered) {
    if (out != nullptr && upstream().add_to_sign(theirs, text, text_size) != 1) return 0;
    return upstream().finish_sign(theirs, out, size, room);
  }
  if (out == nullptr)
    return upstream().sign(theirs, nullptr, size, 0, nullptr, 0);  // only asks how much room is needed
  std::array<std::byte, record::longest_hash_bytes> hashed{};
  const Hash hash = *of(signature).remembered;
  const MutableBytes result = MutableBytes(hashed).first(hash_bytes(hash));
  record::hash(hash, {reinterpret_cast<const std::byte*>(text), text_size}, result);  // NOLINT: bytes are bytes
  return upstream().sign(theirs, out, size, room, reinterpret_cast<const unsigned char*>(result.data()),
                         result.size());  // NOLINT: likewise
}

// A function of OpenSSL's provider on its own context.
template <auto function, class Type>
struct PassOn;
template <auto function, class... Arguments>
struct PassOn<function, int(void*, Arguments...)> {
  static int call(void* signature, Arguments... arguments) {
    return of(signature).prepare() ? (upstream().*function)(of(signature).theirs.get(), arguments...) : 0;
  }
};
template <auto function, class... Arguments>
struct PassOn<function, const OSSL_PARAM*(void*, Arguments...)> {  // is also asked without a signature
  static const OSSL_PARAM* call(void* signature, Arguments... arguments) {
    if (signature == nullptr) return (upstream().*function)(nullptr, arguments...);
    return of(signature).prepare() ? (upstream().*function)(of(signature).theirs.get(), arguments...) : nullptr;
  }
};

template <auto function, class Type>
OSSL_DISPATCH pass_on(int id) {
  return entry(id, PassOn<function, Type>::call);
}

const OSSL_DISPATCH* functions() {
  static const std::array list{
      entry(OSSL_FUNC_SIGNATURE_NEWCTX, make),
      entry(OSSL_FUNC_SIGNATURE_FREECTX, free),
      entry(OSSL_FUNC_SIGNATURE_DUPCTX, copy),
      entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, start_digest_sign),
      entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, digest_sign),
      pass_on<&Upstream::start_sign, OSSL_FUNC_signature_sign_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_INIT),
      pass_on<&Upstream::sign, OSSL_FUNC_signature_sign_fn>(OSSL_FUNC_SIGNATURE_SIGN),
      pass_on<&Upstream::start_verify, OSSL_FUNC_signature_verify_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_INIT),
      pass_on<&Upstream::verify, OSSL_FUNC_signature_verify_fn>(OSSL_FUNC_SIGNATURE_VERIFY),
      pass_on<&Upstream::add_to_sign, OSSL_FUNC_signature_digest_sign_update_fn>(
          OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE),
      pass_on<&Upstream::finish_sign, OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL),
      pass_on<&Upstream::start_digest_verify, OSSL_FUNC_signature_digest_verify_init_fn>(
          OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT),
      pass_on<&Upstream::add_to_verify, OSSL_FUNC_signature_digest_verify_update_fn>(
          OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE),
      pass_on<&Upstream::finish_verify, OSSL_FUNC_signature_digest_verify_final_fn>(
          OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL),
      pass_on<&Upstream::get, OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS),
      pass_on<&Upstream::set, OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS),
      pass_on<&Upstream::gettable, OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS),
      pass_on<&Upstream::settable, OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS),
      pass_on<&Upstream::get_of_digest, OSSL_FUNC_signature_get_ctx_md_params_fn>(
          OSSL_FUNC_SIGNATURE_GET_CTX_MD_PARAMS),
      pass_on<&Upstream::set_of_digest, OSSL_FUNC_signature_set_ctx_md_params_fn>(
          OSSL_FUNC_SIGNATURE_SET_CTX_MD_PARAMS),
      pass_on<&Upstream::gettable_of_digest, OSSL_FUNC_signature_gettable_ctx_md_params_fn>(
          OSSL_FUNC_SIGNATURE_GETTABLE_CTX_MD_PARAMS),
      pass_on<&Upstream::settable_of_digest, OSSL_FUNC_signature_settable_ctx_md_params_fn>(
          OSSL_FUNC_SIGNATURE_SETTABLE_CTX_MD_PARAMS),
      OSSL_DISPATCH{0, nullptr}};
  return list.data();
}

}  // namespace

const OSSL_DISPATCH* make_ecdsa(OSSL_PROVIDER* provider) {
  const OSSL_ALGORITHM* theirs = find_algorithm(provider, OSSL_OP_SIGNATURE, "ECDSA");
  if (theirs == nullptr) return nullptr;
  const Upstream found = take_all(theirs->implementation);
  if (!found.complete()) return nullptr;
  upstream() = found;
  return functions();
}

}  // namespace fairlead::tls
