// SPDX-License-Identifier: Apache-2.0
#include "tls/record/traffic_keys.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <string_view>

#include "base/assert.h"
#include "tls/record/hkdf.h"

namespace fairlead::tls::record {
namespace {

// RFC 8446 7.1: HKDF-Expand-Label(secret, label, "", out.size()).
void expand_label(Suite suite, Bytes secret, std::string_view label, MutableBytes out) {
  const Hash hash = suite == Suite::aes_256_gcm_sha384 ? Hash::sha384 : Hash::sha256;
  FAIRLEAD_ASSERT(hkdf_expand_label(hash, secret, "tls13 ", label, {}, out));
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
