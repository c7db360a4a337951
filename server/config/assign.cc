// SPDX-License-Identifier: Apache-2.0
#include "config/assign.h"

#include "config/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace fairlead::server::config {
namespace {

using Done = std::expected<void, std::string>;
using std::chrono::milliseconds;
using Pairs = std::map<std::string, std::string>;
using Transforms = std::vector<StatusTransform>;

constexpr std::string_view mask = "***";
constexpr std::size_t elements_limit = 10'000;
constexpr milliseconds never{-1};

std::unexpected<std::string> refuse(std::string rule) { return std::unexpected(std::move(rule)); }
std::unexpected<std::string> wrong_type(const Slot& slot, const Traits& traits) {
  return refuse("must be " + type_text(slot, traits));
}

// "[::1]:8443" is a word: a list of texts would go on with a quotation mark or end.
bool begins_with_address(std::string_view text) {
  return text.size() > 1 && (text[1] == ':' || std::isxdigit(static_cast<unsigned char>(text[1])) != 0);
}

// Text of the environment or of an option that stands for a list or a table: JSON, or words for a list.
std::optional<Value> spelled_out(const Value& value) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr || !value.words) return value;
  if ((text->starts_with('[') && !begins_with_address(*text)) || text->starts_with('{')) {
    auto read = read_json(*text, value.origin);
    return read ? std::optional(std::move(*read)) : std::nullopt;
  }
  List words;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(" ,"), rest.size());
    if (end > 0) words.push_back(Value{std::string(rest.substr(0, end)), value.origin});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return Value{std::move(words), value.origin};
}

std::optional<double> number_of(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value.data)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value.data)) return *real;
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr || !value.words) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  return error == std::errc{} && end == text->data() + text->size() ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> whole_of(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value.data)) return *whole;
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr || !value.words) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  return error == std::errc{} && end == text->data() + text->size() ? std::optional(number) : std::nullopt;
}

// "-1", and "-1s": the established server reads a duration either way.
bool is_negative(std::string_view text) {
  if (!text.starts_with('-')) return false;
  text.remove_prefix(1);
  return text == "1" || parse_duration(text).has_value();
}

std::string bound_text(double bound, const Slot& slot, const Traits& traits) {
  if (std::holds_alternative<milliseconds*>(slot)) return duration_text(milliseconds(std::llround(bound)));
  return traits.bytes ? bytes_text(static_cast<std::size_t>(bound)) : fmt::format("{:.10g}", bound);
}

Done within(double number, const Slot& slot, const Traits& traits) {
  if (number < traits.minimum) return refuse("must be at least " + bound_text(traits.minimum, slot, traits));
  if (traits.maximum > 0 && number > traits.maximum)
    return refuse("must be at most " + bound_text(traits.maximum, slot, traits));
  return {};
}

// {"status_code": 404, "to_error": {"code": …, "message": …, "temporary": …}} or "to_disconnect": {"code": …, "reason":
// …}
std::optional<StatusTransform> transform_of(const Value& value) {
  const auto* table = std::get_if<Table>(&value.data);
  if (table == nullptr) return std::nullopt;
  StatusTransform result;
  const auto number = [](const Table& from, std::string_view name, std::int64_t most) -> std::optional<std::int64_t> {
    const auto found = from.find(name);
    const auto whole = found == from.end() ? std::nullopt : whole_of(found->second);
    return whole && *whole > 0 && *whole <= most ? whole : std::nullopt;
  };
  const auto status = number(*table, "status_code", 599);
  if (!status || table->size() != 2) return std::nullopt;
  result.status_code = static_cast<int>(*status);
  const bool error = table->contains("to_error");
  const auto target = table->find(error ? "to_error" : "to_disconnect");
  const auto* fields = target == table->end() ? nullptr : std::get_if<Table>(&target->second.data);
  const auto code = fields == nullptr ? std::nullopt : number(*fields, "code", 9999);
  if (!code) return std::nullopt;
  (error ? result.error_code : result.disconnect_code) = static_cast<std::uint32_t>(*code);
  for (const auto& [name, field] : *fields) {
    const auto* text = std::get_if<std::string>(&field.data);
    const auto* yes = std::get_if<bool>(&field.data);
    if (name == "code") continue;
    if (text != nullptr && name == (error ? "message" : "reason")) {
      result.message = *text;
    } else if (yes != nullptr && error && name == "temporary") {
      result.temporary = *yes;
    } else {
      return std::nullopt;
    }
  }
  return result;
}

Value written_transform(const StatusTransform& one) {
  Table target;
  const bool error = one.error_code != 0;
  target.emplace("code", Value{static_cast<std::int64_t>(error ? one.error_code : one.disconnect_code)});
  target.emplace(error ? "message" : "reason", Value{one.message});
  if (error) target.emplace("temporary", Value{one.temporary});
  Table table;
  table.emplace("status_code", Value{std::int64_t{one.status_code}});
  table.emplace(error ? "to_error" : "to_disconnect", Value{std::move(target)});
  return Value{std::move(table)};
}

struct Assigner {
  const Slot& slot;
  const Traits& traits;
  const Value& value;

  [[nodiscard]] std::unexpected<std::string> wrong() const { return wrong_type(slot, traits); }

  Done operator()(bool* target) const {
    const auto* yes = std::get_if<bool>(&value.data);
    const auto* text = std::get_if<std::string>(&value.data);
    const bool word = text != nullptr && value.words;
    if (yes == nullptr && !(word && (*text == "true" || *text == "false" || *text == "1" || *text == "0")))
      return wrong();
    *target = (yes != nullptr ? *yes : *text == "true" || *text == "1") != traits.inverted;
    return {};
  }
  Done operator()(std::string* target) const {
    const auto* text = std::get_if<std::string>(&value.data);
    if (text == nullptr) return wrong();
    const auto& choices = traits.choices;
    if (!choices.empty() && std::ranges::find(choices, *text) == choices.end()) return wrong();
    *target = *text;
    return {};
  }
  template <class Number>
  Done whole(Number* target, double most) const {
    std::optional<std::int64_t> number = whole_of(value);
    const auto* text = std::get_if<std::string>(&value.data);
    if (traits.bytes && text != nullptr) {
      const auto bytes = parse_bytes(*text);
      if (bytes && static_cast<double>(*bytes) <= most) number = static_cast<std::int64_t>(*bytes);
    }
    if (!number) return wrong();
    if (*number < 0) return refuse("must not be negative");
    if (static_cast<double>(*number) > most) return refuse("is too large");
    if (auto fits = within(static_cast<double>(*number), slot, traits); !fits) return fits;
    *target = static_cast<Number>(*number);
    return {};
  }
  Done operator()(std::size_t* target) const { return whole(target, 9e15); }
  Done operator()(unsigned* target) const { return whole(target, 4e9); }
  Done operator()(std::int64_t* target) const { return whole(target, 9e15); }
  Done operator()(double* target) const {
    const auto number = number_of(value);
    if (!number || !std::isfinite(*number)) return wrong();
    if (auto fits = within(*number, slot, traits); !fits) return fits;
    *target = *number;
    return {};
  }
  Done operator()(milliseconds* target) const {
    const auto* text = std::get_if<std::string>(&value.data);
    const auto* whole = std::get_if<std::int64_t>(&value.data);
    auto duration = text == nullptr ? std::nullopt : parse_duration(*text);
    if (whole != nullptr && *whole == 0) duration = milliseconds(0);
    const bool negative = (whole != nullptr && *whole < 0) || (text != nullptr && is_negative(*text));
    if (negative && traits.never) {
      *target = never;
      return {};
    }
    if (negative) return refuse("must not be negative");
    if (!duration) return wrong();
    if (auto fits = within(static_cast<double>(duration->count()), slot, traits); !fits) return fits;
    *target = *duration;
    return {};
  }
  Done operator()(std::vector<std::string>* target) const {
    const auto spelled = spelled_out(value);
    const auto* list = spelled ? std::get_if<List>(&spelled->data) : nullptr;
    if (list == nullptr) return wrong();
    if (list->size() > elements_limit) return refuse("has too many elements");
    std::vector<std::string> texts;
    for (const Value& element : *list) {
      const auto* text = std::get_if<std::string>(&element.data);
      if (text == nullptr) return wrong();
      texts.push_back(*text);
    }
    *target = std::move(texts);
    return {};
  }
  Done operator()(Pairs* target) const {
    const auto spelled = spelled_out(value);
    const auto* table = spelled ? std::get_if<Table>(&spelled->data) : nullptr;
    if (table == nullptr) return wrong();
    Pairs pairs;
    for (const auto& [name, element] : *table) {
      const auto* text = std::get_if<std::string>(&element.data);
      if (text == nullptr) return wrong();
      pairs.emplace(name, *text);
    }
    *target = std::move(pairs);
    return {};
  }
  Done operator()(SlowPolicy* target) const {
    const auto* text = std::get_if<std::string>(&value.data);
    const auto policy = text == nullptr ? std::nullopt : slow_policy_of(*text);
    if (!policy) return wrong();
    *target = *policy;
    return {};
  }
  Done operator()(Transforms* target) const {
    const auto spelled = spelled_out(value);
    const auto* list = spelled ? std::get_if<List>(&spelled->data) : nullptr;
    if (list == nullptr) return wrong();
    Transforms transforms;
    for (const Value& element : *list) {
      const auto one = transform_of(element);
      if (!one) return refuse("must hold tables of status_code and of to_error or to_disconnect with a code");
      transforms.push_back(*one);
    }
    *target = std::move(transforms);
    return {};
  }
};

struct Writer {
  const Traits& traits;
  bool open;  // secrets are shown

  Value operator()(const bool* yes) const { return Value{*yes != traits.inverted}; }
  Value operator()(const std::string* text) const {
    return Value{traits.secret && !open && !text->empty() ? std::string(mask) : *text};
  }
  Value operator()(const std::size_t* number) const {
    return traits.bytes ? Value{bytes_text(*number)} : Value{static_cast<std::int64_t>(*number)};
  }
  Value operator()(const unsigned* number) const { return Value{static_cast<std::int64_t>(*number)}; }
  Value operator()(const std::int64_t* number) const { return Value{*number}; }
  Value operator()(const double* number) const { return Value{*number}; }
  Value operator()(const milliseconds* duration) const {
    return *duration == never ? Value{std::int64_t{-1}} : Value{duration_text(*duration)};
  }
  Value operator()(const std::vector<std::string>* texts) const {
    List list;
    for (const std::string& text : *texts) list.push_back(Value{text});
    return Value{std::move(list)};
  }
  Value operator()(const Pairs* pairs) const {
    Table table;
    for (const auto& [name, text] : *pairs) table.emplace(name, (*this)(&text));
    return Value{std::move(table)};
  }
  Value operator()(const SlowPolicy* policy) const {
    return Value{std::string(slow_policy_names.at(static_cast<std::size_t>(*policy)))};
  }
  Value operator()(const Transforms* transforms) const {
    List list;
    for (const StatusTransform& one : *transforms) list.push_back(written_transform(one));
    return Value{std::move(list)};
  }
};

}  // namespace

std::expected<void, std::string> assign(const Slot& slot, const Traits& traits, const Value& value) {
  return std::visit(Assigner{slot, traits, value}, slot);
}

Value written(const Slot& slot, const Traits& traits, bool with_secrets) {
  return std::visit(Writer{traits, with_secrets}, slot);
}

}  // namespace fairlead::server::config
