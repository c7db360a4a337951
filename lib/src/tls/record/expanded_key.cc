// SPDX-License-Identifier: Apache-2.0
#include "tls/record/expanded_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstring>

#include "base/assert.h"

// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): bytes are bytes.
namespace fairlead::tls::record {
namespace {

// Below it, copying the content next to its type byte and sealing both with one call costs less than the three calls
// that need no copy (bench/micro, seal_fast: at 2,048 bytes and less on one core and on two, at 2,560 no longer).
constexpr std::size_t copy_below_bytes = 2'560;

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const noexcept { EVP_CIPHER_free(cipher); }
};
using CipherPtr = std::unique_ptr<EVP_CIPHER, FreeCipher>;

// Fetched once: a look-up by name costs more than sealing a small record.
const EVP_CIPHER* cipher_of(Suite suite) {
  static const std::array<CipherPtr, 3> ciphers{CipherPtr(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr)),
                                                CipherPtr(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)),
                                                CipherPtr(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr))};
  return ciphers[static_cast<std::size_t>(suite)].get();
}

const unsigned char* octets(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }
unsigned char* octets(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

// Encrypts or decrypts, which the context knows.
void process(EVP_CIPHER_CTX* context, std::byte* out, Bytes in) {
  int size = 0;
  FAIRLEAD_ASSERT(EVP_CipherUpdate(context, out == nullptr ? nullptr : octets(out), &size, octets(in.data()),
                                   static_cast<int>(in.size())) == 1);
}

void begin(EVP_CIPHER_CTX* context, const Nonce& nonce, Bytes header) {
  FAIRLEAD_ASSERT(EVP_CipherInit_ex2(context, nullptr, nullptr, octets(nonce.data()), -1, nullptr) == 1);
  process(context, nullptr, header);
}

void evp_seal(EVP_CIPHER_CTX* context, Bytes content, std::byte type, std::byte* out) {
  if (!content.empty()) process(context, out, content);
  process(context, out + content.size(), Bytes(&type, 1));
  int size = 0;
  std::byte* tag = out + content.size() + 1;
  FAIRLEAD_ASSERT(EVP_CipherFinal_ex(context, octets(tag), &size) == 1);
  FAIRLEAD_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_bytes, tag) == 1);
}

bool evp_open(EVP_CIPHER_CTX* context, Bytes text, Bytes tag, std::byte* out) {
  std::array<std::byte, tag_bytes> expected{};
  std::ranges::copy(tag, expected.begin());
  FAIRLEAD_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_bytes, expected.data()) == 1);
  if (!text.empty()) process(context, out, text);
  int size = 0;
  return EVP_CipherFinal_ex(context, octets(out + text.size()), &size) == 1;
}

}  // namespace

void ExpandedKey::Free::operator()(evp_cipher_ctx_st* context) const noexcept { EVP_CIPHER_CTX_free(context); }

ExpandedKey::~ExpandedKey() { wipe(); }

void ExpandedKey::wipe() noexcept {
  if (!holds_key_) return;
  holds_key_ = false;
  if (evp_ == nullptr) OPENSSL_cleanse(fast_.data(), fast_.size());
  evp_.reset();  // OpenSSL wipes what is inside
}

void ExpandedKey::expand(Suite suite, Use use, Bytes key) {
  if (suite == Suite::chacha20_poly1305_sha256 || !fast_gcm_available()) return expand_for_evp(suite, use, key);
  FAIRLEAD_ASSERT(key.size() == key_bytes(suite));
  wipe();
  holds_key_ = true;
  aes_256_ = suite == Suite::aes_256_gcm_sha384;
  fast_gcm_expand(key, fast_.data());
}

void ExpandedKey::expand_for_evp(Suite suite, Use use, Bytes key) {
  FAIRLEAD_ASSERT(key.size() == key_bytes(suite));
  wipe();
  holds_key_ = true;
  evp_.reset(EVP_CIPHER_CTX_new());
  FAIRLEAD_ASSERT(evp_ != nullptr);
  FAIRLEAD_ASSERT(EVP_CipherInit_ex2(evp_.get(), cipher_of(suite), octets(key.data()), nullptr,
                                     use == Use::seal ? 1 : 0, nullptr) == 1);
}

void ExpandedKey::seal(const Nonce& nonce, Bytes header, Bytes content, std::byte type, std::byte* out) {
  FAIRLEAD_ASSERT(holds_key_);
  if (evp_ != nullptr) {
    begin(evp_.get(), nonce, header);
    return evp_seal(evp_.get(), content, type, out);
  }
  const FastGcmCall call{.expanded = fast_.data(), .nonce = nonce, .header = header, .aes_256 = aes_256_};
  std::byte* tag = out + content.size() + 1;
  if (content.size() >= copy_below_bytes) return fast_gcm_seal_with(call, content, type, out, tag);
  if (!content.empty()) std::memcpy(out, content.data(), content.size());
  out[content.size()] = type;
  fast_gcm_seal(call, Bytes(out, content.size() + 1), out, tag);
}

bool ExpandedKey::open(const Nonce& nonce, Bytes header, Bytes sealed, std::byte* out) {
  FAIRLEAD_ASSERT(holds_key_ && sealed.size() >= tag_bytes);
  const Bytes text = sealed.first(sealed.size() - tag_bytes);
  const Bytes tag = sealed.last(tag_bytes);
  bool good = false;
  if (evp_ != nullptr) {
    begin(evp_.get(), nonce, header);
    good = evp_open(evp_.get(), text, tag, out);
  } else {
    std::array<std::byte, tag_bytes> expected;
    const FastGcmCall call{.expanded = fast_.data(), .nonce = nonce, .header = header, .aes_256 = aes_256_};
    fast_gcm_open(call, text, out, expected.data());
    good = CRYPTO_memcmp(expected.data(), tag.data(), tag_bytes) == 0;
  }
  if (!good) OPENSSL_cleanse(out, text.size());
  return good;
}

}  // namespace fairlead::tls::record
// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
