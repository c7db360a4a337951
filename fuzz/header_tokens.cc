// SPDX-License-Identifier: Apache-2.0
// The small grammars: tokens, extensions, base64, paths, authorities, dates. Whatever is accepted obeys its grammar.
#include "base/assert.h"
#include "http1/http_date.h"
#include "text/authority.h"
#include "text/base64.h"
#include "text/percent.h"
#include "text/tokens.h"
#include "ws/deflate_offer.h"

#include <cstdint>

namespace {

using namespace fairlead;

void extensions(std::string_view value) {
  const auto elements = text::parse_extensions(value);
  if (!elements) return;
  std::string rewritten;
  for (const auto& element : *elements) {
    FAIRLEAD_ASSERT(text::is_token(element.name));
    rewritten.append(rewritten.empty() ? "" : ",").append(element.name);
    for (const auto& parameter : element.parameters) {
      FAIRLEAD_ASSERT(text::is_token(parameter.name));
      FAIRLEAD_ASSERT(!parameter.has_value || text::is_token(parameter.value));
      rewritten.append(";").append(parameter.name).append(parameter.has_value ? "=" + parameter.value : "");
    }
  }
  const auto again = text::parse_extensions(rewritten);
  FAIRLEAD_ASSERT(again && again->size() == elements->size());
  for (const auto& offer : ws::find_deflate_offers(*elements)) {
    const auto bits = offer.server_max_window_bits.value_or(8);
    FAIRLEAD_ASSERT(bits >= 8 && bits <= 15);
  }
}

void texts(std::string_view value) {
  if (const auto list = text::parse_token_list(value)) {
    for (const auto token : *list) FAIRLEAD_ASSERT(text::is_token(token) && text::list_contains(value, token));
  }
  if (const auto bytes = text::decode_base64(value)) FAIRLEAD_ASSERT(text::encode_base64(*bytes) == value);
  FAIRLEAD_ASSERT(as_text(*text::decode_base64(text::encode_base64(as_bytes(value)))) == value);
  if (const auto number = text::parse_decimal(value)) {
    FAIRLEAD_ASSERT(std::to_string(*number).size() <= value.size());
  }
  if (const auto authority = text::parse_authority(value)) FAIRLEAD_ASSERT(!authority->host.empty());
  if (const auto date = http1::parse_http_date(value)) {
    FAIRLEAD_ASSERT(http1::parse_http_date(http1::format_http_date(*date)) == date);
  }
  (void)text::find_query_parameter(value, "a");
}

void paths(std::string_view value) {
  const auto path = text::decode_path(value);
  if (!path) return;
  FAIRLEAD_ASSERT(path->starts_with('/') && path->size() <= value.size());
  FAIRLEAD_ASSERT((*path + "/").find("/../") == std::string::npos && (*path + "/").find("/./") == std::string::npos);
  FAIRLEAD_ASSERT(path->find('\0') == std::string::npos && path->find('\\') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  extensions(value);
  texts(value);
  paths(value);
  return 0;
}
