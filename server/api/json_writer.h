// SPDX-License-Identifier: Apache-2.0
// Writes compact JSON into one string, without line breaks. The commas are its business, the nesting is the caller's.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::server {

class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  // Bytes that are no UTF-8 become U+FFFD.
  JsonWriter& text(std::string_view value);
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& number(std::integral auto value) { return raw(std::to_string(value)); }
  JsonWriter& number(double value);  // what JSON cannot say (infinity) becomes null
  // A valid value as it stands; an empty one becomes null.
  JsonWriter& raw(std::string_view json);

  // A field with its value. The second line: left out when it is empty, zero or false.
  JsonWriter& field(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonWriter& field(std::string_view name, const char* value) { return key(name).text(value); }
  JsonWriter& field(std::string_view name, bool value) { return key(name).boolean(value); }
  JsonWriter& field(std::string_view name, std::integral auto value) { return key(name).number(value); }
  JsonWriter& field(std::string_view name, double value) { return key(name).number(value); }
  JsonWriter& optional_field(std::string_view name, std::string_view value) {
    return value.empty() ? *this : field(name, value);
  }
  JsonWriter& optional_field(std::string_view name, std::integral auto value) {
    return value == decltype(value){} ? *this : field(name, value);
  }
  JsonWriter& raw_field(std::string_view name, std::string_view json) { return key(name).raw(json); }
  // An application's bytes: as `name` when they are JSON, else as base64 in "b64" + name; nothing when they are none.
  JsonWriter& payload_field(std::string_view name, std::string_view payload, bool json);

  [[nodiscard]] const std::string& str() const noexcept { return out_; }
  [[nodiscard]] std::string take() { return std::exchange(out_, {}); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  std::string out_;
};

}  // namespace fairlead::server
