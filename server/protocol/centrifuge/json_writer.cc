// SPDX-License-Identifier: Apache-2.0
#include "protocol/centrifuge/json_writer.h"

#include "model/json.h"
#include "model/utf8.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace fairlead::server::centrifuge {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

// RFC 8259 7: quotation mark, reverse solidus and the control characters must be escaped.
bool needs_escape(char c) noexcept { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

void append_escape(char c, std::string& out) {
  static constexpr std::string_view special = "\"\\\b\f\n\r\t";
  static constexpr std::string_view letters = "\"\\bfnrt";
  out.push_back('\\');
  if (const std::size_t index = special.find(c); index != std::string_view::npos) return out.push_back(letters[index]);
  out += "u00";
  out.push_back(hex_digits[static_cast<unsigned char>(c) >> 4U]);
  out.push_back(hex_digits[static_cast<unsigned char>(c) & 15U]);
}

void append_escaped(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const auto end = static_cast<std::size_t>(std::ranges::find_if(text, needs_escape) - text.begin());
    out.append(text.substr(0, end));
    if (end == text.size()) return;
    append_escape(text[end], out);
    text.remove_prefix(end + 1);
  }
}

// RFC 4648 4.
void append_base64(std::string_view bytes, std::string& out) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t word = 0;
    for (std::size_t index = 0; index < 3; ++index)
      word = (word << 8U) | (index < count ? static_cast<unsigned char>(bytes[at + index]) : 0U);
    for (std::size_t index = 0; index < 4; ++index)
      out.push_back(index <= count ? alphabet[(word >> (18U - 6U * index)) & 63U] : '=');
  }
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out.push_back('"');
  if (is_utf8(text))
    append_escaped(text, out);
  else
    append_escaped(repaired_utf8(text), out);
  out.push_back('"');
}

void append_binary(std::string_view payload, std::string& out) {
  out += R"({"b64data":")";
  append_base64(payload, out);
  out += R"("})";
}

void JsonWriter::name(std::string_view key) {
  separate();
  out_.push_back('"');
  out_ += key;
  out_ += "\":";
}

void JsonWriter::entry(std::string_view key) {
  separate();
  append_json_string(key, out_);
  out_.push_back(':');
}

void JsonWriter::text(std::string_view key, std::string_view value) {
  if (value.empty()) return;
  name(key);
  append_json_string(value, out_);
}

void JsonWriter::payload(std::string_view key, const Payload& value) {
  if (value.empty()) return;
  name(key);
  if (!is_json(value)) return append_binary(value, out_);
  std::ranges::remove_copy_if(value, std::back_inserter(out_), [](char c) { return c == '\n' || c == '\r'; });
}

void JsonWriter::texts(std::string_view key, const std::map<std::string, std::string>& values) {
  if (values.empty()) return;
  object(key, [&] {
    for (const auto& [field, value] : values) {
      entry(field);
      append_json_string(value, out_);
    }
  });
}

}  // namespace fairlead::server::centrifuge
