// SPDX-License-Identifier: Apache-2.0
// A request's fields, named once: the same list reads them from JSON and tells which there are, so that the published
// description of the API cannot say anything else than the code.
#pragma once

#include "api/json.h"
#include "model/channel.h"
#include "model/publication.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

enum class Need : std::uint8_t { optional, required };

class Fields {
 public:
  virtual ~Fields() = default;
  // `required`: missing or empty is an error. An absent field, or null, leaves the value alone.
  virtual void text(std::string_view name, std::string& out, Need need = Need::optional) = 0;
  virtual void texts(std::string_view name, std::vector<std::string>& out, std::size_t most,
                     Need need = Need::optional) = 0;
  virtual void text_map(std::string_view name, std::map<std::string, std::string>& out, std::size_t most) = 0;
  virtual void boolean(std::string_view name, bool& out) = 0;
  virtual void integer(std::string_view name, std::int64_t& out, std::int64_t least, std::int64_t most) = 0;
  virtual void unsigned_integer(std::string_view name, std::uint64_t& out) = 0;
  virtual void number(std::string_view name, double& out, double least, double most) = 0;
  // One of these words.
  virtual void choice(std::string_view name, std::string& out, std::span<const std::string_view> choices) = 0;
  // Any JSON value; or bytes, in the field "b64" + name, which goes before. `json` tells which of both it is: bytes
  // that are JSON without line breaks count as JSON. Where it is required, null is a value like any other.
  virtual void payload(std::string_view name, Payload& out, bool& json, Need need = Need::optional) = 0;
  // An object with fields of its own; `inner` is called when it is there.
  virtual void object(std::string_view name, const std::function<void(Fields&)>& inner) = 0;
  // An object of objects by name.
  virtual void objects(std::string_view name, std::size_t most,
                       const std::function<void(const std::string&, Fields&)>& inner) = 0;
  // {"value": true}, as options of channels are overridden.
  void overridden(std::string_view name, std::optional<bool>& out);
  void overridden(std::string_view name, std::optional<SlowPolicy>& out);
  void overridden(std::string_view name, std::optional<std::size_t>& out, std::size_t most);  // at least 1
  void overridden(std::string_view name, std::optional<double>& out, double least, double most);
  void integer(std::string_view name, std::int32_t& out);
  void integer(std::string_view name, std::int64_t& out) { integer(name, out, INT64_MIN, INT64_MAX); }
  void unsigned_integer(std::string_view name, std::uint32_t& out, std::uint32_t least, std::uint32_t most);
  void size(std::string_view name, std::size_t& out, std::size_t most);
  void payload(std::string_view name, Payload& out);
};

// Reads an object's members. The first broken rule is kept as a sentence that names its field.
class FieldReader final : public Fields {
 public:
  using Fields::integer;
  using Fields::payload;
  using Fields::unsigned_integer;

  // `path` is put before the names in sentences.
  explicit FieldReader(const JsonValue& object, std::string path = {});
  [[nodiscard]] const std::optional<std::string>& problem() const noexcept { return problem_; }

  void text(std::string_view name, std::string& out, Need need) override;
  void texts(std::string_view name, std::vector<std::string>& out, std::size_t most, Need need) override;
  void text_map(std::string_view name, std::map<std::string, std::string>& out, std::size_t most) override;
  void boolean(std::string_view name, bool& out) override;
  void integer(std::string_view name, std::int64_t& out, std::int64_t least, std::int64_t most) override;
  void unsigned_integer(std::string_view name, std::uint64_t& out) override;
  void number(std::string_view name, double& out, double least, double most) override;
  void choice(std::string_view name, std::string& out, std::span<const std::string_view> choices) override;
  void payload(std::string_view name, Payload& out, bool& json, Need need) override;
  void object(std::string_view name, const std::function<void(Fields&)>& inner) override;
  void objects(std::string_view name, std::size_t most,
               const std::function<void(const std::string&, Fields&)>& inner) override;

 private:
  [[nodiscard]] const JsonValue* find(std::string_view name) const;
  void refuse(std::string_view name, std::string_view rule);
  template <class T>
  void keep(std::string_view name, std::optional<T> value, T& out, std::string_view rule);

  std::string path_;
  std::vector<JsonMember> members_;
  std::optional<std::string> problem_;
};

// One field as the API's description says it.
struct FieldDescription {
  std::string name;
  std::string type;  // "string" "boolean" "integer" "number" "array" "object" "any"
  bool required = false;
  std::vector<FieldDescription> inner;
};

// Tells which fields there are.
class FieldLister final : public Fields {
 public:
  using Fields::integer;
  using Fields::payload;
  using Fields::unsigned_integer;

  [[nodiscard]] std::vector<FieldDescription> take() { return std::move(fields_); }

  void text(std::string_view name, std::string& out, Need need) override;
  void texts(std::string_view name, std::vector<std::string>& out, std::size_t most, Need need) override;
  void text_map(std::string_view name, std::map<std::string, std::string>& out, std::size_t most) override;
  void boolean(std::string_view name, bool& out) override;
  void integer(std::string_view name, std::int64_t& out, std::int64_t least, std::int64_t most) override;
  void unsigned_integer(std::string_view name, std::uint64_t& out) override;
  void number(std::string_view name, double& out, double least, double most) override;
  void choice(std::string_view name, std::string& out, std::span<const std::string_view> choices) override;
  void payload(std::string_view name, Payload& out, bool& json, Need need) override;
  void object(std::string_view name, const std::function<void(Fields&)>& inner) override;
  void objects(std::string_view name, std::size_t most,
               const std::function<void(const std::string&, Fields&)>& inner) override;

 private:
  void add(std::string_view name, std::string_view type, Need need);
  std::vector<FieldDescription> fields_;
};

}  // namespace fairlead::server
