// SPDX-License-Identifier: Apache-2.0
#include "tls/record/content.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace fairlead::tls::record {
namespace {

struct Named {
  std::uint8_t number;
  const char* name;
};

constexpr std::array<Named, 27> names{{{0, "close_notify"},
                                       {10, "unexpected_message"},
                                       {20, "bad_record_mac"},
                                       {22, "record_overflow"},
                                       {40, "handshake_failure"},
                                       {42, "bad_certificate"},
                                       {43, "unsupported_certificate"},
                                       {44, "certificate_revoked"},
                                       {45, "certificate_expired"},
                                       {46, "certificate_unknown"},
                                       {47, "illegal_parameter"},
                                       {48, "unknown_ca"},
                                       {49, "access_denied"},
                                       {50, "decode_error"},
                                       {51, "decrypt_error"},
                                       {70, "protocol_version"},
                                       {71, "insufficient_security"},
                                       {80, "internal_error"},
                                       {86, "inappropriate_fallback"},
                                       {90, "user_canceled"},
                                       {109, "missing_extension"},
                                       {110, "unsupported_extension"},
                                       {112, "unrecognized_name"},
                                       {113, "bad_certificate_status_response"},
                                       {115, "unknown_psk_identity"},
                                       {116, "certificate_required"},
                                       {120, "no_application_protocol"}}};

// A cache line at a time: the compiler makes a few wide instructions of it.
constexpr std::size_t stride = 64;

bool all_zero(const std::byte* from) noexcept {
  std::array<std::uint64_t, stride / sizeof(std::uint64_t)> words;
  std::memcpy(words.data(), from, stride);
  std::uint64_t any = 0;
  for (const std::uint64_t word : words) any |= word;
  return any == 0;
}

}  // namespace

std::optional<std::size_t> find_type(Bytes inner) noexcept {
  std::size_t end = inner.size();
  if (end > 0 && inner[end - 1] != std::byte{0}) return end - 1;  // no padding, as nearly everybody sends
  while (end >= stride && all_zero(inner.data() + end - stride)) end -= stride;
  while (end > 0 && inner[end - 1] == std::byte{0}) --end;
  if (end == 0) return std::nullopt;
  return end - 1;
}

const char* alert_name(std::uint8_t number) noexcept {
  const auto* found = std::ranges::find(names, number, &Named::number);
  return found != names.end() ? found->name : nullptr;
}

}  // namespace fairlead::tls::record
