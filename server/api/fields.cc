// SPDX-License-Identifier: Apache-2.0
#include "api/fields.h"

#include "api/base64.h"
#include "model/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace fairlead::server {
namespace {

std::string shortest(double number) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

}  // namespace

void Fields::overridden(std::string_view name, std::optional<bool>& out) {
  object(name, [&out](Fields& inner) {
    bool value = false;
    inner.boolean("value", value);
    out = value;
  });
}

void Fields::overridden(std::string_view name, std::optional<SlowPolicy>& out) {
  object(name, [&out](Fields& inner) {
    std::string policy;
    inner.choice("value", policy, slow_policy_names);
    out = slow_policy_of(policy);
  });
}

void Fields::overridden(std::string_view name, std::optional<std::size_t>& out, std::size_t most) {
  object(name, [&out, most](Fields& inner) {
    std::int64_t value = 0;
    inner.integer("value", value, 1, static_cast<std::int64_t>(most));
    if (value > 0) out = static_cast<std::size_t>(value);
  });
}

void Fields::overridden(std::string_view name, std::optional<double>& out, double least, double most) {
  object(name, [&out, least, most](Fields& inner) {
    double value = 0;
    inner.number("value", value, least, most);
    if (value > 0) out = value;
  });
}

void Fields::integer(std::string_view name, std::int32_t& out) {
  std::int64_t wide = out;
  integer(name, wide, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
  out = static_cast<std::int32_t>(wide);
}

void Fields::unsigned_integer(std::string_view name, std::uint32_t& out, std::uint32_t least, std::uint32_t most) {
  std::int64_t wide = out;
  integer(name, wide, least, most);
  out = static_cast<std::uint32_t>(wide);
}

void Fields::size(std::string_view name, std::size_t& out, std::size_t most) {
  auto wide = static_cast<std::int64_t>(out);
  integer(name, wide, 0, static_cast<std::int64_t>(most));
  out = static_cast<std::size_t>(wide);
}

void Fields::payload(std::string_view name, Payload& out) {
  bool json = true;
  payload(name, out, json, Need::optional);
}

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

FieldReader::FieldReader(const JsonValue& object, std::string path) : path_(std::move(path)) {
  if (auto members = members_of(object)) {
    members_ = std::move(*members);
  } else if (object.type != JsonType::object) {
    problem_ = path_.empty() ? "the request must be an object" : "field \"" + path_ + "\" must be an object";
  } else {
    problem_ = "a name in the request is malformed";
  }
}

const JsonValue* FieldReader::find(std::string_view name) const {
  const auto* const found = server::find(members_, name);
  return found == nullptr || found->type == JsonType::null ? nullptr : found;
}

void FieldReader::refuse(std::string_view name, std::string_view rule) {
  if (problem_) return;
  problem_ = "field \"" + path_ + (path_.empty() ? "" : ".") + std::string(name) + "\" " + std::string(rule);
}

template <class T>
void FieldReader::keep(std::string_view name, std::optional<T> value, T& out, std::string_view rule) {
  if (value) {
    out = std::move(*value);
  } else {
    refuse(name, rule);
  }
}

void FieldReader::text(std::string_view name, std::string& out, Need need) {
  if (const auto* value = find(name)) keep(name, string_of(*value), out, "must be a string");
  if (need == Need::required && out.empty()) refuse(name, "is required");
}

void FieldReader::texts(std::string_view name, std::vector<std::string>& out, std::size_t most, Need need) {
  if (const auto* value = find(name)) {
    const auto items = elements_of(*value);
    if (!items) return refuse(name, "must be an array of strings");
    if (items->size() > most) return refuse(name, "has more than " + std::to_string(most) + " items");
    for (const auto& item : *items) {
      auto text = string_of(item);
      if (!text) return refuse(name, "must be an array of strings");
      out.push_back(std::move(*text));
    }
  }
  if (need == Need::required && out.empty()) refuse(name, "is required");
}

void FieldReader::text_map(std::string_view name, std::map<std::string, std::string>& out, std::size_t most) {
  const auto* value = find(name);
  if (value == nullptr) return;
  const auto members = members_of(*value);
  if (!members) return refuse(name, "must be an object of strings");
  if (members->size() > most) return refuse(name, "has more than " + std::to_string(most) + " members");
  for (const auto& member : *members) {
    auto text = string_of(member.value);
    if (!text) return refuse(name, "must be an object of strings");
    out[member.name] = std::move(*text);
  }
}

void FieldReader::boolean(std::string_view name, bool& out) {
  if (const auto* value = find(name)) keep(name, boolean_of(*value), out, "must be true or false");
}

void FieldReader::integer(std::string_view name, std::int64_t& out, std::int64_t least, std::int64_t most) {
  const auto* value = find(name);
  if (value == nullptr) return;
  const auto number = integer_of(*value);
  if (!number) return refuse(name, "must be a whole number");
  if (*number < least || *number > most) {
    return refuse(name, "must be between " + std::to_string(least) + " and " + std::to_string(most));
  }
  out = *number;
}

void FieldReader::unsigned_integer(std::string_view name, std::uint64_t& out) {
  if (const auto* value = find(name)) {
    keep(name, unsigned_integer_of(*value), out, "must be a whole number that is not negative");
  }
}

void FieldReader::number(std::string_view name, double& out, double least, double most) {
  const auto* value = find(name);
  if (value == nullptr) return;
  const auto number = number_of(*value);
  if (!number) return refuse(name, "must be a number");
  if (*number < least || *number > most) {
    return refuse(name, "must be between " + shortest(least) + " and " + shortest(most));
  }
  out = *number;
}

void FieldReader::choice(std::string_view name, std::string& out, std::span<const std::string_view> choices) {
  text(name, out, Need::optional);
  if (find(name) == nullptr || std::ranges::find(choices, out) != choices.end()) return;
  std::string rule = "must be one of";
  for (const std::string_view choice : choices)
    rule += (rule.ends_with('"') ? ", \"" : " \"") + std::string(choice) + '"';
  refuse(name, rule);
}

void FieldReader::payload(std::string_view name, Payload& out, bool& json, Need need) {
  const std::string encoded_name = "b64" + std::string(name);
  std::string encoded;
  text(encoded_name, encoded, Need::optional);
  if (!encoded.empty()) {
    keep(encoded_name, from_base64(encoded), out, "must be base64");
    json = out.find_first_of("\r\n") == Payload::npos && is_json(out);
  } else if (const auto* value = need == Need::required ? server::find(members_, name) : find(name)) {
    out = without_line_breaks(value->text);
    json = true;
  }
  if (need == Need::required && out.empty()) refuse(name, "is required");
}

void FieldReader::object(std::string_view name, const std::function<void(Fields&)>& inner) {
  const auto* value = find(name);
  if (value == nullptr) return;
  FieldReader reader(*value, path_ + (path_.empty() ? "" : ".") + std::string(name));
  inner(reader);
  if (!problem_) problem_ = reader.problem();
}

void FieldReader::objects(std::string_view name, std::size_t most,
                          const std::function<void(const std::string&, Fields&)>& inner) {
  const auto* value = find(name);
  if (value == nullptr) return;
  const auto members = members_of(*value);
  if (!members) return refuse(name, "must be an object of objects");
  if (members->size() > most) return refuse(name, "has more than " + std::to_string(most) + " members");
  for (const auto& member : *members) {
    FieldReader reader(member.value, path_ + (path_.empty() ? "" : ".") + std::string(name) + ".*");
    inner(member.name, reader);
    if (!problem_) problem_ = reader.problem();
  }
}

// ── Listing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void FieldLister::add(std::string_view name, std::string_view type, Need need) {
  fields_.push_back({std::string(name), std::string(type), need == Need::required, {}});
}

void FieldLister::text(std::string_view name, std::string& /*out*/, Need need) { add(name, "string", need); }

void FieldLister::texts(std::string_view name, std::vector<std::string>& /*out*/, std::size_t /*most*/, Need need) {
  add(name, "array", need);
}

void FieldLister::text_map(std::string_view name, std::map<std::string, std::string>& /*out*/, std::size_t /*most*/) {
  add(name, "object", Need::optional);
}

void FieldLister::boolean(std::string_view name, bool& /*out*/) { add(name, "boolean", Need::optional); }

void FieldLister::integer(std::string_view name, std::int64_t& /*out*/, std::int64_t /*least*/, std::int64_t /*most*/) {
  add(name, "integer", Need::optional);
}

void FieldLister::unsigned_integer(std::string_view name, std::uint64_t& /*out*/) {
  add(name, "integer", Need::optional);
}

void FieldLister::number(std::string_view name, double& /*out*/, double /*least*/, double /*most*/) {
  add(name, "number", Need::optional);
}

void FieldLister::choice(std::string_view name, std::string& /*out*/, std::span<const std::string_view> /*choices*/) {
  add(name, "string", Need::optional);
}

// Required means one of the two: the description cannot demand either.
void FieldLister::payload(std::string_view name, Payload& /*out*/, bool& /*json*/, Need /*need*/) {
  add(name, "any", Need::optional);
  add("b64" + std::string(name), "string", Need::optional);
}

void FieldLister::object(std::string_view name, const std::function<void(Fields&)>& inner) {
  add(name, "object", Need::optional);
  FieldLister lister;
  inner(lister);
  fields_.back().inner = lister.take();
}

void FieldLister::objects(std::string_view name, std::size_t /*most*/,
                          const std::function<void(const std::string&, Fields&)>& /*inner*/) {
  add(name, "object", Need::optional);
}

}  // namespace fairlead::server
