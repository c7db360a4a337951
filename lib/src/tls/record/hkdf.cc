// SPDX-License-Identifier: Apache-2.0
// The hash functions are called by their old names: through EVP each of them costs more in look-ups and allocations
// than the few blocks that are hashed here.
#define OPENSSL_SUPPRESS_DEPRECATED  // NOLINT: OpenSSL's name
#include "tls/record/hkdf.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/assert.h"

namespace fairlead::tls::record {
namespace {

struct Sha256 {
  using State = SHA256_CTX;
  static constexpr std::size_t size = SHA256_DIGEST_LENGTH;
  static constexpr std::size_t block = SHA256_CBLOCK;
  static void start(State& state) { SHA256_Init(&state); }
  static void add(State& state, Bytes bytes) { SHA256_Update(&state, bytes.data(), bytes.size()); }
  static void finish(State& state, unsigned char* out) { SHA256_Final(out, &state); }
};

struct Sha384 {
  using State = SHA512_CTX;
  static constexpr std::size_t size = SHA384_DIGEST_LENGTH;
  static constexpr std::size_t block = SHA512_CBLOCK;
  static void start(State& state) { SHA384_Init(&state); }
  static void add(State& state, Bytes bytes) { SHA384_Update(&state, bytes.data(), bytes.size()); }
  static void finish(State& state, unsigned char* out) { SHA384_Final(out, &state); }
};

using Parts = std::initializer_list<Bytes>;

// What a hash leaves on the stack is as secret as what went into it.
template <class Sha>
void digest(Parts parts, MutableBytes out) noexcept {
  FAIRLEAD_ASSERT(out.size() == Sha::size);
  typename Sha::State state;
  Sha::start(state);
  for (const Bytes part : parts) Sha::add(state, part);
  Sha::finish(state, reinterpret_cast<unsigned char*>(out.data()));  // NOLINT: bytes are bytes
  OPENSSL_cleanse(&state, sizeof(state));
}

// RFC 2104: H(K XOR opad, H(K XOR ipad, text)).
template <class Sha>
class Hmac {
 public:
  explicit Hmac(Bytes key) noexcept {
    if (key.size() > Sha::block) {
      digest<Sha>({key}, MutableBytes(key_).first(Sha::size));
    } else {
      std::ranges::copy(key, key_.begin());
    }
  }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;
  ~Hmac() { OPENSSL_cleanse(key_.data(), key_.size()); }

  void operator()(Bytes first, Bytes second, Bytes third, MutableBytes out) const noexcept {
    std::array<std::byte, Sha::block> pad{};
    std::array<std::byte, Sha::size> inner{};
    mask(std::byte{0x36}, pad);
    digest<Sha>({pad, first, second, third}, inner);
    mask(std::byte{0x5c}, pad);
    digest<Sha>({pad, inner}, out);
    OPENSSL_cleanse(pad.data(), pad.size());
    OPENSSL_cleanse(inner.data(), inner.size());
  }

 private:
  void mask(std::byte with, std::array<std::byte, Sha::block>& pad) const noexcept {
    std::ranges::transform(key_, pad.begin(), [with](std::byte one) { return one ^ with; });
  }

  std::array<std::byte, Sha::block> key_{};
};

// RFC 5869 2.3: T(n) = HMAC(secret, T(n-1) | info | n), one behind the other.
template <class Sha>
void expand(Bytes secret, Bytes info, MutableBytes out) noexcept {
  const Hmac<Sha> hmac(secret);
  std::array<std::byte, Sha::size> block{};
  Bytes last;
  for (std::uint8_t number = 1; !out.empty(); ++number) {
    const std::array count{std::byte{number}};
    hmac(last, info, count, block);
    last = block;
    const std::size_t share = std::min(out.size(), block.size());
    std::ranges::copy(last.first(share), out.begin());
    out = out.subspan(share);
  }
  OPENSSL_cleanse(block.data(), block.size());
}

constexpr std::size_t longest_part = 255;  // a length of one byte, RFC 8446 7.1
constexpr std::size_t most_blocks = 255;   // RFC 5869 2.3

// RFC 8446 7.1: struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel.
class HkdfLabel {
 public:
  HkdfLabel(std::size_t length, std::string_view prefix, std::string_view label, Bytes context) noexcept {
    put(length >> 8U);
    put(length & 0xffU);
    put(prefix.size() + label.size());
    put(as_bytes(prefix));
    put(as_bytes(label));
    put(context.size());
    put(context);
  }
  [[nodiscard]] Bytes bytes() const noexcept { return Bytes(bytes_).first(size_); }

 private:
  void put(std::size_t byte) noexcept { bytes_[size_++] = static_cast<std::byte>(byte); }
  void put(Bytes bytes) noexcept {
    std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
  }

  std::array<std::byte, 4 + 2 * longest_part> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace

void hash_nothing(Hash hash, MutableBytes out) noexcept {
  if (hash == Hash::sha384) return digest<Sha384>({}, out);
  digest<Sha256>({}, out);
}

void hkdf_extract(Hash hash, Bytes salt, Bytes material, MutableBytes out) noexcept {
  if (hash == Hash::sha384) {
    const Hmac<Sha384> hmac(salt);
    return hmac(material, {}, {}, out);
  }
  const Hmac<Sha256> hmac(salt);
  hmac(material, {}, {}, out);
}

bool hkdf_expand_label(Hash hash, Bytes secret, std::string_view prefix, std::string_view label, Bytes context,
                       MutableBytes out) noexcept {
  if (prefix.size() + label.size() > longest_part || context.size() > longest_part) return false;
  if (out.size() > most_blocks * hash_bytes(hash)) return false;
  const HkdfLabel info(out.size(), prefix, label, context);
  if (hash == Hash::sha384) {
    expand<Sha384>(secret, info.bytes(), out);
  } else {
    expand<Sha256>(secret, info.bytes(), out);
  }
  return true;
}

}  // namespace fairlead::tls::record
