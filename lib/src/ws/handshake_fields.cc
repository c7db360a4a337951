// SPDX-License-Identifier: Apache-2.0
#include "ws/handshake_fields.h"

#include "base/assert.h"
#include "text/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace fairlead::ws {

std::string accept_value(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::byte, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes.
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  // SHA-1 proves here only that the server speaks the protocol (RFC 6455 1.3): its weakness does not matter.
  FAIRLEAD_ASSERT(EVP_Digest(text.data(), text.size(), out, &size, EVP_sha1(), nullptr) == 1);
  return text::encode_base64(Bytes(digest).first(size));
}

bool is_handshake_field(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 5> owned = {"Host", "Upgrade", "Connection", "Content-Length",
                                                            "Transfer-Encoding"};
  static constexpr std::string_view prefix = "Sec-WebSocket-";
  return text::equals_ignoring_case(name.substr(0, prefix.size()), prefix) ||
         std::ranges::any_of(owned, [&](auto mine) { return text::equals_ignoring_case(mine, name); });
}

bool any_lists(const Headers& headers, std::string_view name, std::string_view token) {
  return std::ranges::any_of(headers, [&](const Header& field) {
    return text::equals_ignoring_case(field.name, name) && text::list_contains(field.value, token);
  });
}

Result<std::vector<text::ExtensionElement>> read_extensions(const Headers& headers) {
  std::vector<text::ExtensionElement> all;
  for (const auto& field : headers) {
    if (!text::equals_ignoring_case(field.name, "Sec-WebSocket-Extensions")) continue;
    auto elements = text::parse_extensions(field.value);
    if (!elements) return fail(Errc::handshake_bad_extension, "Sec-WebSocket-Extensions is malformed");
    std::ranges::move(*elements, std::back_inserter(all));
  }
  return all;
}

}  // namespace fairlead::ws
