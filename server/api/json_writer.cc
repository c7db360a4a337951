// SPDX-License-Identifier: Apache-2.0
#include "api/json_writer.h"

#include "api/base64.h"
#include "model/utf8.h"

#include <array>
#include <charconv>
#include <cmath>

namespace fairlead::server {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

void escape_control(unsigned char c, std::string& out) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += hex[c >> 4U];
      out += hex[c & 15U];
  }
}

}  // namespace

void JsonWriter::separate() {
  if (!out_.empty() && !std::string_view("{[:,").contains(out_.back())) out_ += ',';
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  text(name);
  out_ += ':';
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  out_ += '"';
  while (!value.empty()) {
    const auto first = static_cast<unsigned char>(value.front());
    const std::size_t length = character_length(value);
    if (length == 0) {
      out_ += replacement;
    } else if (first < 0x20) {
      escape_control(first, out_);
    } else {
      if (first == '"' || first == '\\') out_ += '\\';
      out_ += value.substr(0, length);
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  if (!std::isfinite(value)) return raw("null");
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return raw({digits.data(), written.ptr});
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json.empty() ? std::string_view("null") : json;
  return *this;
}

JsonWriter& JsonWriter::payload_field(std::string_view name, std::string_view payload, bool json) {
  if (payload.empty()) return *this;
  if (json) return raw_field(name, payload);
  return field("b64" + std::string(name), to_base64(payload));
}

}  // namespace fairlead::server
