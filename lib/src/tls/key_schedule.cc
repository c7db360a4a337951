// SPDX-License-Identifier: Apache-2.0
#include "tls/key_schedule.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "tls/dispatch.h"
#include "tls/mac.h"
#include "tls/record/hkdf.h"
#include "tls/traffic_secrets.h"

namespace fairlead::tls {
namespace {

using record::Hash;
using record::hash_bytes;
using record::longest_hash_bytes;

thread_local TrafficSecrets* overhears = nullptr;

std::string_view text(const OSSL_PARAM& parameter) {
  return {static_cast<const char*>(parameter.data), parameter.data_size};
}
Bytes bytes(const OSSL_PARAM& parameter) {
  return {static_cast<const std::byte*>(parameter.data), parameter.data_size};
}

// What one call derives, in the words of the documentation of EVP_KDF-TLS13_KDF.
struct Asked {
  explicit Asked(const OSSL_PARAM* parameter) {
    for (; parameter != nullptr && parameter->key != nullptr; ++parameter) note(*parameter);
  }
  void note(const OSSL_PARAM& parameter) {
    const std::string_view name = parameter.key;
    if (name == OSSL_KDF_PARAM_MODE) OSSL_PARAM_get_int(&parameter, &mode);
    if (name == OSSL_KDF_PARAM_DIGEST) hash = hash_named(static_cast<const char*>(parameter.data));
    if (name == OSSL_KDF_PARAM_KEY) key = bytes(parameter);
    if (name == OSSL_KDF_PARAM_SALT) salt = bytes(parameter);
    if (name == OSSL_KDF_PARAM_PREFIX) prefix = text(parameter);
    if (name == OSSL_KDF_PARAM_LABEL) label = text(parameter);
    if (name == OSSL_KDF_PARAM_DATA) data = bytes(parameter);
  }

  int mode = -1;
  std::optional<Hash> hash;
  std::optional<Bytes> key;
  std::optional<Bytes> salt;
  std::string_view prefix;
  std::string_view label;
  Bytes data;
};

// RFC 8446 7.1: the next secret = HKDF-Extract(Derive-Secret(the last one, "derived", ""), key); what is missing is
// zeros.
bool extract(const Asked& asked, MutableBytes out) {
  const std::size_t size = hash_bytes(*asked.hash);
  if (out.size() != size) return false;
  static constexpr std::array<std::byte, longest_hash_bytes> zeros{};
  const Bytes material = asked.key ? *asked.key : Bytes(zeros).first(size);
  if (!asked.salt) {
    record::hkdf_extract(*asked.hash, {}, material, out);
    return true;
  }
  std::array<std::byte, longest_hash_bytes> nothing{};
  std::array<std::byte, longest_hash_bytes> derived{};
  const MutableBytes salt = MutableBytes(derived).first(size);
  record::hash(*asked.hash, {}, MutableBytes(nothing).first(size));
  if (!record::hkdf_expand_label(*asked.hash, *asked.salt, asked.prefix, asked.label, Bytes(nothing).first(size),
                                 salt)) {
    return false;
  }
  record::hkdf_extract(*asked.hash, salt, material, out);
  OPENSSL_cleanse(derived.data(), derived.size());
  return true;
}

int derive(void* /*context*/, unsigned char* out, std::size_t size, const OSSL_PARAM* parameters) {
  const Asked asked(parameters);
  if (!asked.hash) return 0;
  const MutableBytes result(reinterpret_cast<std::byte*>(out), size);  // NOLINT: bytes are bytes
  if (asked.mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY) return extract(asked, result) ? 1 : 0;
  if (asked.mode != EVP_KDF_HKDF_MODE_EXPAND_ONLY || !asked.key) return 0;
  if (!record::hkdf_expand_label(*asked.hash, *asked.key, asked.prefix, asked.label, asked.data, result)) return 0;
  if (overhears != nullptr) overhears->take(asked.label, result);
  return 1;
}

// Nothing is kept between calls, so all contexts are the same one.
void* make_context(void* /*provider*/) {
  static char nothing = 0;
  return &nothing;
}
void free_context(void* /*context*/) {}

}  // namespace

// NOLINTNEXTLINE: OpenSSL's form
const OSSL_DISPATCH key_schedule_functions[] = {entry(OSSL_FUNC_KDF_NEWCTX, make_context),
                                                entry(OSSL_FUNC_KDF_FREECTX, free_context),
                                                entry(OSSL_FUNC_KDF_DERIVE, derive),
                                                {0, nullptr}};

Overhearing::Overhearing(TrafficSecrets* secrets) noexcept : outer_(std::exchange(overhears, secrets)) {}
Overhearing::~Overhearing() { overhears = outer_; }

}  // namespace fairlead::tls
