// SPDX-License-Identifier: Apache-2.0
#include "model/media_type.h"

#include <algorithm>
#include <array>

namespace fairlead::server {
namespace {

using namespace std::string_view_literals;

// WHATWG MIME Sniffing 6.1. Where a length or a size stands between two marks, the second is looked for behind it.
struct Signature {
  std::string_view type, begins;
  std::size_t second_at = 0;
  std::string_view second;
};
constexpr std::array signatures{
    Signature{"image/png"sv, "\x89PNG\r\n\x1a\n"sv, 0, {}},
    Signature{"image/jpeg"sv, "\xff\xd8\xff"sv, 0, {}},
    Signature{"image/gif"sv, "GIF87a"sv, 0, {}},
    Signature{"image/gif"sv, "GIF89a"sv, 0, {}},
    Signature{"image/webp"sv, "RIFF"sv, 8, "WEBPVP"sv},
    Signature{"image/avif"sv, "\0\0\0"sv, 4, "ftypavif"sv},
};

bool matches(std::string_view bytes, const Signature& signature) {
  const bool long_enough = bytes.size() >= signature.second_at;
  return bytes.starts_with(signature.begins) && long_enough &&
         bytes.substr(signature.second_at).starts_with(signature.second);
}

}  // namespace

std::string_view picture_type(std::string_view bytes) noexcept {
  const auto* const found =
      std::ranges::find_if(signatures, [bytes](const Signature& one) { return matches(bytes, one); });
  return found == signatures.end() ? std::string_view() : found->type;
}

bool is_picture_type(std::string_view name) noexcept {
  return std::ranges::any_of(signatures, [name](const Signature& one) { return one.type == name; });
}

}  // namespace fairlead::server
