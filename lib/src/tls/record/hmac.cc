// SPDX-License-Identifier: Apache-2.0
// The hash functions are called by their old names: through EVP each of them costs more in look-ups and allocations
// than the few blocks that are hashed here.
#define OPENSSL_SUPPRESS_DEPRECATED  // NOLINT: OpenSSL's name
#include "tls/record/hmac.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <concepts>

#include "base/assert.h"

namespace fairlead::tls::record {
namespace {

void start(SHA256_CTX& state) { SHA256_Init(&state); }
void start(SHA512_CTX& state) { SHA384_Init(&state); }
void add(SHA256_CTX& state, Bytes bytes) { SHA256_Update(&state, bytes.data(), bytes.size()); }
void add(SHA512_CTX& state, Bytes bytes) { SHA384_Update(&state, bytes.data(), bytes.size()); }
void finish(SHA256_CTX& state, std::byte* out) {
  SHA256_Final(reinterpret_cast<unsigned char*>(out), &state);
}  // NOLINT
void finish(SHA512_CTX& state, std::byte* out) {
  SHA384_Final(reinterpret_cast<unsigned char*>(out), &state);
}  // NOLINT

template <class State>
constexpr std::size_t block_bytes = std::same_as<State, SHA256_CTX> ? SHA256_CBLOCK : SHA512_CBLOCK;
template <class State>
constexpr std::size_t digest_bytes = std::same_as<State, SHA256_CTX> ? SHA256_DIGEST_LENGTH : SHA384_DIGEST_LENGTH;

// What a hash leaves on the stack is as secret as what went into it.
template <class State>
void digest(Bytes text, std::byte* out) noexcept {
  State state;
  start(state);
  add(state, text);
  finish(state, out);
  OPENSSL_cleanse(&state, sizeof(state));
}

}  // namespace

void hash(Hash hash, Bytes text, MutableBytes out) noexcept {
  FAIRLEAD_ASSERT(out.size() == hash_bytes(hash));
  if (hash == Hash::sha384) return digest<SHA512_CTX>(text, out.data());
  digest<SHA256_CTX>(text, out.data());
}

template <class State>
void Hmac::start(Bytes key) noexcept {
  std::array<std::byte, block_bytes<State>> block{};
  if (key.size() > block.size()) {
    digest<State>(key, block.data());
  } else {
    std::ranges::copy(key, block.begin());
  }
  std::ranges::transform(block, outer_pad_.begin(), [](std::byte one) { return one ^ std::byte{0x5c}; });
  for (std::byte& one : block) one ^= std::byte{0x36};
  State& inner = inner_.emplace<State>();
  record::start(inner);
  record::add(inner, block);
  OPENSSL_cleanse(block.data(), block.size());
}

Hmac::Hmac(Hash hash, Bytes key) noexcept {
  if (hash == Hash::sha384) {
    start<SHA512_CTX>(key);
  } else {
    start<SHA256_CTX>(key);
  }
}

Hmac::~Hmac() {
  std::visit([](auto& inner) { OPENSSL_cleanse(&inner, sizeof(inner)); }, inner_);
  OPENSSL_cleanse(outer_pad_.data(), outer_pad_.size());
}

std::size_t Hmac::size() const noexcept {
  return hash_bytes(std::holds_alternative<SHA512_CTX>(inner_) ? Hash::sha384 : Hash::sha256);
}

void Hmac::add(Bytes text) noexcept {
  std::visit([text](auto& inner) { record::add(inner, text); }, inner_);
}

void Hmac::finish(MutableBytes out) noexcept {
  FAIRLEAD_ASSERT(out.size() == size());
  std::visit(
      [&]<class State>(State& state) {
        std::array<std::byte, digest_bytes<State>> inner{};
        record::finish(state, inner.data());
        record::start(state);
        record::add(state, Bytes(outer_pad_).first(block_bytes<State>));
        record::add(state, inner);
        record::finish(state, out.data());
        OPENSSL_cleanse(inner.data(), inner.size());
      },
      inner_);
}

}  // namespace fairlead::tls::record
