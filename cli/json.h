// SPDX-License-Identifier: Apache-2.0
// Writing JSON (RFC 8259): a small writer that keeps track of commas and escapes every string.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::cli {

// `text` (UTF-8) as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so the result always parses.
[[nodiscard]] std::string json_string(std::string_view text);

// JsonWriter json; json.open('{').key("name").value("x").key("list").open('[').value(1).close(']').close('}');
class JsonWriter {
 public:
  JsonWriter& open(char bracket);   // '{' or '['
  JsonWriter& close(char bracket);  // '}' or ']'
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool yes) { return raw(yes ? "true" : "false"); }
  JsonWriter& value(double number);  // null when it is not finite
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    return raw(std::to_string(number));
  }

  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  JsonWriter& raw(std::string_view token);
  void separate();

  std::string text_;
  bool first_ = true;  // nothing stands in the open bracket yet, or a key was just written
};

}  // namespace fairlead::cli
