// SPDX-License-Identifier: Apache-2.0
// RFC 4648. Whoever accepts two spellings of the same bytes lets a token that was refused come back in another one.
#include "auth/jose.h"

namespace fairlead::server {
namespace {

int digit(char c, char last, char before_last) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == before_last) return 62;
  return c == last ? 63 : -1;
}

std::optional<std::string> decode(std::string_view text, char before_last, char last) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  unsigned bits = 0;
  unsigned waiting = 0;
  for (const char c : text) {
    const int value = digit(c, last, before_last);
    if (value < 0) return std::nullopt;
    bits = (bits << 6U | static_cast<unsigned>(value)) & 0xffffU;
    waiting += 6;
    if (waiting < 8) continue;
    waiting -= 8;
    bytes += static_cast<char>(static_cast<unsigned char>(bits >> waiting & 0xffU));
  }
  // RFC 4648 3.5: pad bits are zero.
  if ((bits & ((1U << waiting) - 1U)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) { return decode(text, '-', '_'); }

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
  return decode(text, '+', '/');
}

}  // namespace fairlead::server
