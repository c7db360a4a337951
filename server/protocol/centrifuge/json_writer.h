// SPDX-License-Identifier: Apache-2.0
// Writes the protocol's JSON: compact objects whose zero values are left out, always valid UTF-8 and without a raw line
// break.
#pragma once

#include "model/publication.h"

#include <concepts>
#include <map>
#include <string>
#include <string_view>

namespace fairlead::server::centrifuge {

// A JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string_view text, std::string& out);

// {"b64data":"…"}: how JSON clients see a payload that is not JSON.
void append_binary(std::string_view payload, std::string& out);

// Members of objects, one after the other. Names are literals that need no escapes; `text`, `number`, `flag`, `payload`
// and `texts` write nothing for a zero value.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void open() { out_.push_back('{'); }
  void close() { out_.push_back('}'); }
  void name(std::string_view key);  // the value is written by the caller, to `out()`
  template <class Members>
  void object(std::string_view key, Members&& members);  // also when it is empty

  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, std::integral auto value) {
    if (value != 0) name(key), out_ += std::to_string(value);
  }
  void flag(std::string_view key, bool value) {
    if (value) name(key), out_ += "true";
  }
  void payload(std::string_view key, const Payload& value);  // judges whether it is JSON
  void texts(std::string_view key, const std::map<std::string, std::string>& values);
  // A key that comes from outside.
  void entry(std::string_view key);

  [[nodiscard]] std::string& out() noexcept { return out_; }

 private:
  void separate() {
    if (out_.back() != '{') out_.push_back(',');
  }

  std::string& out_;
};

template <class Members>
void JsonWriter::object(std::string_view key, Members&& members) {
  name(key);
  open();
  members();
  close();
}

}  // namespace fairlead::server::centrifuge
