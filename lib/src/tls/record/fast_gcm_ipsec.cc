// SPDX-License-Identifier: Apache-2.0
// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): bytes are bytes.
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>

#include <optional>

#include "tls/record/fast_gcm.h"

namespace fairlead::tls::record {
namespace {

static_assert(sizeof(gcm_key_data) <= fast_gcm_key_bytes && alignof(gcm_key_data) <= fast_gcm_alignment);

// The functions for this machine. They keep no state, so the library's manager (200 KB) is not needed afterwards.
struct Functions {
  aes_gcm_pre_t expand_128;
  aes_gcm_pre_t expand_256;
  aes_gcm_enc_dec_t seal_128;
  aes_gcm_enc_dec_t seal_256;
  aes_gcm_enc_dec_t open_128;
  aes_gcm_enc_dec_t open_256;
  aes_gcm_init_t init_128;
  aes_gcm_init_t init_256;
  aes_gcm_enc_dec_update_t update_128;
  aes_gcm_enc_dec_update_t update_256;
  aes_gcm_enc_dec_finalize_t finalize_128;
  aes_gcm_enc_dec_finalize_t finalize_256;
};

std::optional<Functions> functions_of(const IMB_MGR& manager) {
  // Without the instructions the library computes AES from tables, which leaks the key through the cache.
  constexpr std::uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SELF_TEST_PASS;
  if ((manager.features & needed) != needed) return std::nullopt;
  return Functions{.expand_128 = manager.gcm128_pre,
                   .expand_256 = manager.gcm256_pre,
                   .seal_128 = manager.gcm128_enc,
                   .seal_256 = manager.gcm256_enc,
                   .open_128 = manager.gcm128_dec,
                   .open_256 = manager.gcm256_dec,
                   .init_128 = manager.gcm128_init,
                   .init_256 = manager.gcm256_init,
                   .update_128 = manager.gcm128_enc_update,
                   .update_256 = manager.gcm256_enc_update,
                   .finalize_128 = manager.gcm128_enc_finalize,
                   .finalize_256 = manager.gcm256_enc_finalize};
}

std::optional<Functions> find_functions() {
  IMB_MGR* manager = alloc_mb_mgr(0);
  if (manager == nullptr) return std::nullopt;
  init_mb_mgr_auto(manager, nullptr);
  auto found = functions_of(*manager);
  free_mb_mgr(manager);
  return found;
}

const std::optional<Functions>& functions() noexcept {
  static const std::optional<Functions> found = find_functions();
  return found;
}

const gcm_key_data* key_of(const FastGcmCall& call) { return reinterpret_cast<const gcm_key_data*>(call.expanded); }
const std::uint8_t* octets(const std::byte* bytes) { return reinterpret_cast<const std::uint8_t*>(bytes); }
std::uint8_t* octets(std::byte* bytes) { return reinterpret_cast<std::uint8_t*>(bytes); }

}  // namespace

bool fast_gcm_available() noexcept { return functions().has_value(); }

void fast_gcm_expand(Bytes key, std::byte* expanded) noexcept {
  constexpr std::size_t aes_128_bytes = 16;
  auto* out = reinterpret_cast<gcm_key_data*>(expanded);
  (key.size() == aes_128_bytes ? functions()->expand_128 : functions()->expand_256)(key.data(), out);
}

void fast_gcm_seal(const FastGcmCall& call, Bytes in, std::byte* out, std::byte* tag) noexcept {
  gcm_context_data context;
  (call.aes_256 ? functions()->seal_256 : functions()->seal_128)(
      key_of(call), &context, octets(out), octets(in.data()), in.size(), octets(call.nonce.data()),
      octets(call.header.data()), call.header.size(), octets(tag), tag_bytes);
}

void fast_gcm_seal_with(const FastGcmCall& call, Bytes in, std::byte last, std::byte* out, std::byte* tag) noexcept {
  gcm_context_data context;
  const Functions& use = *functions();
  (call.aes_256 ? use.init_256 : use.init_128)(key_of(call), &context, octets(call.nonce.data()),
                                               octets(call.header.data()), call.header.size());
  const auto update = call.aes_256 ? use.update_256 : use.update_128;
  update(key_of(call), &context, octets(out), octets(in.data()), in.size());
  update(key_of(call), &context, octets(out + in.size()), octets(&last), 1);
  (call.aes_256 ? use.finalize_256 : use.finalize_128)(key_of(call), &context, octets(tag), tag_bytes);
  OPENSSL_cleanse(&context, sizeof(context));  // holds a block of the key stream
}

void fast_gcm_open(const FastGcmCall& call, Bytes in, std::byte* out, std::byte* tag) noexcept {
  gcm_context_data context;
  (call.aes_256 ? functions()->open_256 : functions()->open_128)(
      key_of(call), &context, octets(out), octets(in.data()), in.size(), octets(call.nonce.data()),
      octets(call.header.data()), call.header.size(), octets(tag), tag_bytes);
}

}  // namespace fairlead::tls::record
// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
