// SPDX-License-Identifier: Apache-2.0
#include "tls/record/hkdf.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace fairlead::tls::record {
namespace {

// RFC 5869 2.3: T(n) = HMAC(secret, T(n-1) | info | n), one behind the other.
void expand(Hash hash, Bytes secret, Bytes info, MutableBytes out) noexcept {
  std::array<std::byte, longest_hash_bytes> block{};
  Bytes last;
  for (std::uint8_t number = 1; !out.empty(); ++number) {
    Hmac hmac(hash, secret);
    hmac.add(last);
    hmac.add(info);
    hmac.add(std::array{std::byte{number}});
    hmac.finish(MutableBytes(block).first(hash_bytes(hash)));
    last = Bytes(block).first(hash_bytes(hash));
    const std::size_t share = std::min(out.size(), last.size());
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

void hkdf_extract(Hash hash, Bytes salt, Bytes material, MutableBytes out) noexcept {
  Hmac hmac(hash, salt);
  hmac.add(material);
  hmac.finish(out);
}

bool hkdf_expand_label(Hash hash, Bytes secret, std::string_view prefix, std::string_view label, Bytes context,
                       MutableBytes out) noexcept {
  if (prefix.size() + label.size() > longest_part || context.size() > longest_part) return false;
  if (out.size() > most_blocks * hash_bytes(hash)) return false;
  const HkdfLabel info(out.size(), prefix, label, context);
  expand(hash, secret, info.bytes(), out);
  return true;
}

}  // namespace fairlead::tls::record
