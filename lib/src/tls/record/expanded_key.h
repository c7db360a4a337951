// SPDX-License-Identifier: Apache-2.0
// One direction's key in the form that the cipher works with: AEAD of RFC 5116 as TLS uses it (RFC 8446 5.2).
#pragma once

#include <fairlead/bytes.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "tls/record/fast_gcm.h"
#include "tls/record/suite.h"
#include "tls/record/traffic_keys.h"

struct evp_cipher_ctx_st;  // OpenSSL's EVP_CIPHER_CTX

namespace fairlead::tls::record {

enum class Use : std::uint8_t { seal, open };

// Wiped when it goes.
class ExpandedKey {
 public:
  ExpandedKey() = default;
  ExpandedKey(const ExpandedKey&) = delete;
  ExpandedKey& operator=(const ExpandedKey&) = delete;
  ~ExpandedKey();

  void expand(Suite suite, Use use, Bytes key);
  void wipe() noexcept;

  // Seals `content` with one byte `type` behind it: `out` gets content.size() + 1 + tag_bytes.
  void seal(const Nonce& nonce, Bytes header, Bytes content, std::byte type, std::byte* out);
  // `sealed` ends with the tag; `out` gets sealed.size() - tag_bytes. False: it is forged, and `out` was wiped.
  [[nodiscard]] bool open(const Nonce& nonce, Bytes header, Bytes sealed, std::byte* out);

  // For measurements and their tests: expands for EVP where the fast path would be taken.
  void expand_for_evp(Suite suite, Use use, Bytes key);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };

  alignas(fast_gcm_alignment) std::array<std::byte, fast_gcm_key_bytes> fast_;
  std::unique_ptr<evp_cipher_ctx_st, Free> evp_;  // null: the fast path
  bool aes_256_ = false;
  bool holds_key_ = false;
};

}  // namespace fairlead::tls::record
