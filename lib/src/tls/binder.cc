// SPDX-License-Identifier: Apache-2.0
#include "tls/binder.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <optional>

#include "tls/dispatch.h"
#include "tls/mac.h"
#include "tls/record/hmac.h"

namespace fairlead::tls {
namespace {

using record::Hash;
using record::Hmac;
using record::longest_hash_bytes;

// ── Keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────

// RFC 8446 4.4.4: finished_key is as long as the hash.
class BinderKey {
 public:
  BinderKey() = default;
  BinderKey(const BinderKey&) = delete;
  BinderKey& operator=(const BinderKey&) = delete;
  ~BinderKey() { OPENSSL_cleanse(secret_.data(), secret_.size()); }

  [[nodiscard]] bool take(Bytes secret) noexcept {
    if (secret.size() > secret_.size()) return false;
    std::ranges::copy(secret, secret_.begin());
    size_ = secret.size();
    return true;
  }
  [[nodiscard]] std::optional<Bytes> secret() const noexcept {
    return size_ ? std::optional(Bytes(secret_).first(*size_)) : std::nullopt;
  }

 private:
  std::array<std::byte, longest_hash_bytes> secret_{};
  std::optional<std::size_t> size_;  // nullopt: none was given
};

void* make_key(void* /*provider*/) { return new (std::nothrow) BinderKey; }  // NOLINT: OpenSSL's form
void free_key(void* key) { delete static_cast<BinderKey*>(key); }            // NOLINT: likewise

bool is_about_secrets(int selection) {
  return (static_cast<unsigned>(selection) & static_cast<unsigned>(OSSL_KEYMGMT_SELECT_PRIVATE_KEY)) != 0;
}

int has(const void* key, int selection) {
  return !is_about_secrets(selection) || static_cast<const BinderKey*>(key)->secret() ? 1 : 0;
}

int import(void* key, int selection, const OSSL_PARAM* parameters) {
  const OSSL_PARAM* secret = OSSL_PARAM_locate_const(parameters, OSSL_PKEY_PARAM_PRIV_KEY);
  if (!is_about_secrets(selection) || secret == nullptr || secret->data_type != OSSL_PARAM_OCTET_STRING) return 0;
  return static_cast<BinderKey*>(key)->take({static_cast<const std::byte*>(secret->data), secret->data_size}) ? 1 : 0;
}

const OSSL_PARAM* import_types(int selection) {
  static constexpr std::array list{OSSL_PARAM{OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PARAM_OCTET_STRING, nullptr, 0, 0},
                                   OSSL_PARAM{}};
  return is_about_secrets(selection) ? list.data() : nullptr;
}

// ── Signatures ──────────────────────────────────────────────────────────────────────────────────────────────────────

using Signature = std::optional<Hmac>;

Signature& of(void* signature) { return *static_cast<Signature*>(signature); }

void* make_signature(void* /*provider*/, const char* /*properties*/) {
  return new (std::nothrow) Signature;  // NOLINT: OpenSSL's form
}
void free_signature(void* signature) { delete static_cast<Signature*>(signature); }  // NOLINT: likewise

// OpenSSL finishes a copy, so that the original could go on.
void* copy_signature(void* signature) {
  return new (std::nothrow) Signature(of(signature));  // NOLINT: OpenSSL's form
}

int start(void* signature, const char* digest, void* key, const OSSL_PARAM* /*parameters*/) {
  if (key == nullptr || digest == nullptr) return 0;
  const std::optional<Hash> hash = hash_named(digest);
  const std::optional<Bytes> secret = static_cast<const BinderKey*>(key)->secret();
  if (!hash || !secret) return 0;
  of(signature).emplace(*hash, *secret);
  return 1;
}

int add(void* signature, const unsigned char* data, std::size_t size) {
  if (!of(signature)) return 0;
  of(signature)->add({reinterpret_cast<const std::byte*>(data), size});  // NOLINT: bytes are bytes
  return 1;
}

int finish(void* signature, unsigned char* out, std::size_t* size, std::size_t room) {
  Signature& mac = of(signature);
  if (!mac) return 0;
  *size = mac->size();
  if (out == nullptr) return 1;  // only asks how much room is needed
  if (room < *size) return 0;
  mac->finish({reinterpret_cast<std::byte*>(out), *size});  // NOLINT: bytes are bytes
  mac.reset();
  return 1;
}

}  // namespace

// NOLINTNEXTLINE: OpenSSL's form
const OSSL_DISPATCH binder_key_functions[] = {entry(OSSL_FUNC_KEYMGMT_NEW, make_key),
                                              entry(OSSL_FUNC_KEYMGMT_FREE, free_key),
                                              entry(OSSL_FUNC_KEYMGMT_HAS, has),
                                              entry(OSSL_FUNC_KEYMGMT_IMPORT, import),
                                              entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_types),
                                              {0, nullptr}};

// NOLINTNEXTLINE: OpenSSL's form
const OSSL_DISPATCH binder_signature_functions[] = {entry(OSSL_FUNC_SIGNATURE_NEWCTX, make_signature),
                                                    entry(OSSL_FUNC_SIGNATURE_FREECTX, free_signature),
                                                    entry(OSSL_FUNC_SIGNATURE_DUPCTX, copy_signature),
                                                    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, start),
                                                    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, add),
                                                    entry(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, finish),
                                                    {0, nullptr}};

}  // namespace fairlead::tls
