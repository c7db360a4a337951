// SPDX-License-Identifier: Apache-2.0
#include "tls/record/traffic_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/assert.h"

namespace fairlead::tls::record {
namespace {

struct Free {
  void operator()(EVP_KDF* kdf) const noexcept { EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const noexcept { EVP_KDF_CTX_free(context); }
};

EVP_KDF* tls13_kdf() {
  static const std::unique_ptr<EVP_KDF, Free> kdf(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_3_KDF, nullptr));
  FAIRLEAD_ASSERT(kdf != nullptr);
  return kdf.get();
}

OSSL_PARAM text(const char* name, std::string& value) {
  return OSSL_PARAM_construct_utf8_string(name, value.data(), value.size());
}

OSSL_PARAM octets(const char* name, const void* data, std::size_t size) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<void*>(data), size);  // NOLINT: only read
}

// RFC 8446 7.1: HKDF-Expand-Label(secret, label, "", out.size()).
void expand_label(Suite suite, Bytes secret, std::string label, MutableBytes out) {
  std::string digest = suite == Suite::aes_256_gcm_sha384 ? "SHA384" : "SHA256";
  std::string mode = "EXPAND_ONLY";
  std::string prefix = "tls13 ";
  const std::array<OSSL_PARAM, 6> parameters{text(OSSL_KDF_PARAM_MODE, mode),
                                             text(OSSL_KDF_PARAM_DIGEST, digest),
                                             octets(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
                                             octets(OSSL_KDF_PARAM_PREFIX, prefix.data(), prefix.size()),
                                             octets(OSSL_KDF_PARAM_LABEL, label.data(), label.size()),
                                             OSSL_PARAM_construct_end()};
  const std::unique_ptr<EVP_KDF_CTX, Free> context(EVP_KDF_CTX_new(tls13_kdf()));
  FAIRLEAD_ASSERT(context != nullptr);
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());  // NOLINT: bytes are bytes
  FAIRLEAD_ASSERT(EVP_KDF_derive(context.get(), bytes, out.size(), parameters.data()) == 1);
}

}  // namespace

TrafficKeys::TrafficKeys(Suite suite, Bytes secret) : suite_(suite) {
  FAIRLEAD_ASSERT(secret.size() == secret_bytes(suite));
  std::ranges::copy(secret, secret_.begin());
  derive();
}

TrafficKeys::~TrafficKeys() {
  OPENSSL_cleanse(secret_.data(), secret_.size());
  OPENSSL_cleanse(key_.data(), key_.size());
  OPENSSL_cleanse(iv_.data(), iv_.size());
}

// RFC 8446 7.2: application_traffic_secret_N+1 = HKDF-Expand-Label(application_traffic_secret_N, "traffic upd", "", L).
void TrafficKeys::update() {
  const std::size_t size = secret_bytes(suite_);
  std::array<std::byte, longest_secret_bytes> next{};
  expand_label(suite_, Bytes(secret_).first(size), "traffic upd", MutableBytes(next).first(size));
  secret_ = next;
  OPENSSL_cleanse(next.data(), next.size());
  derive();
}

// RFC 8446 7.3.
void TrafficKeys::derive() {
  const Bytes secret = Bytes(secret_).first(secret_bytes(suite_));
  expand_label(suite_, secret, "key", MutableBytes(key_).first(key_bytes(suite_)));
  expand_label(suite_, secret, "iv", iv_);
}

// RFC 8446 5.3: the sequence number, in network byte order and padded to the left, is XORed with the IV.
Nonce TrafficKeys::nonce(std::uint64_t sequence) const noexcept {
  Nonce nonce = iv_;
  for (std::size_t at = nonce_bytes; at-- > nonce_bytes - sizeof(sequence); sequence >>= 8U) {
    nonce[at] ^= static_cast<std::byte>(sequence & 0xffU);
  }
  return nonce;
}

}  // namespace fairlead::tls::record
