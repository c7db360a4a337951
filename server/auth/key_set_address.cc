// SPDX-License-Identifier: Apache-2.0
#include "auth/key_set_address.h"

#include "auth/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

namespace fairlead::server {
namespace {

constexpr std::string_view opening = "{{";
constexpr std::string_view closing = "}}";
constexpr std::string_view address_key = "jwks_public_endpoint: ";

std::unexpected<std::string> refuse(std::string_view key, const std::string& rule) {
  return std::unexpected(std::string(key) + rule);
}

bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 3986 2.3: these mean themselves wherever they stand in a URL.
bool is_unreserved(char c) noexcept { return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

bool is_group_name(std::string_view name) noexcept {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '_'; });
}

// Each name once; an error for an opening without its end.
std::expected<std::vector<std::string>, std::string> placeholders_of(std::string_view address) {
  std::vector<std::string> names;
  for (std::size_t at = address.find(opening); at != std::string_view::npos; at = address.find(opening, at)) {
    const std::size_t end = address.find(closing, at);
    const auto name = address.substr(at + opening.size(), std::min(end, address.size()) - at - opening.size());
    if (end == std::string_view::npos || !is_group_name(name))
      return refuse(address_key, "{{ must be followed by the name of a group and }}");
    if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
    at = end + closing.size();
  }
  return names;
}

// Where the text behind "(?P<name>" begins: a group, not what an escape or a character class only resembles.
std::optional<std::size_t> group_at(std::string_view pattern, const std::string& name) {
  const std::string head = "(?P<" + name + ">";
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (in_class) {
      in_class = pattern[i] != ']';
    } else if (pattern[i] == '[') {
      in_class = true;
    } else if (pattern.substr(i).starts_with(head)) {
      return i + head.size();
    }
  }
  return std::nullopt;
}

// "one|two" up to the group's end. Nothing when there is anything but literals that mean themselves in a URL.
std::optional<std::vector<std::string>> literals_at(std::string_view rest) {
  std::vector<std::string> values(1);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    char c = rest[i];
    const bool escaped = c == '\\' && i + 1 < rest.size() && !is_letter_or_digit(rest[i + 1]);
    if (escaped) c = rest[++i];
    if (!escaped && (c == ')' || c == '|')) {
      // A segment of dots would lead out of its folder.
      if (values.back().find_first_not_of('.') == std::string::npos) return std::nullopt;
      if (c == ')') return values;
      values.emplace_back();
    } else if (is_unreserved(c) && (escaped || c != '.')) {
      values.back() += c;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::shared_ptr<const re2::RE2> capturing(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<const RE2>(pattern, options);
  return compiled->ok() ? compiled : nullptr;
}

}  // namespace

std::expected<KeySetAddress, std::string> KeySetAddress::make(const TokenSettings& settings) {
  KeySetAddress made;
  made.address_ = settings.jwks_public_endpoint;
  auto names = placeholders_of(made.address_);
  if (!names) return std::unexpected(names.error());
  made.placeholders_ = std::move(*names);
  if (auto read = made.read_groups(settings); !read) return std::unexpected(read.error());
  Values values;
  made.fill_all(values, 0);
  if (made.all_.size() > addresses_most) return refuse(address_key, "more than 100 addresses come of its groups");
  if (!std::ranges::all_of(made.all_, [](const std::string& one) { return is_key_set_url(one); }))
    return refuse(address_key, "must be https://… or file:… (http:// only of this machine)");
  return made;
}

std::expected<void, std::string> KeySetAddress::read_groups(const TokenSettings& settings) {
  using Named = std::pair<std::string_view, const std::string*>;
  for (const auto& [key, pattern] :
       {Named{"issuer_regex: ", &settings.issuer_regex}, Named{"audience_regex: ", &settings.audience_regex}}) {
    const std::size_t before = alternatives_.size();
    for (const std::string& name : placeholders_)
      if (auto read = read_group(*pattern, name, key); !read) return read;
    if (alternatives_.size() == before) continue;
    auto compiled = capturing(*pattern);
    if (!compiled) return refuse(key, "is no regular expression of the RE2 syntax");
    sources_.push_back({key.starts_with("issuer") ? Claim::issuer : Claim::audience, std::move(compiled)});
  }
  for (const std::string& name : placeholders_)
    if (!alternatives_.contains(name))
      return refuse(address_key,
                    "{{" + name + "}} needs a group (?P<" + name + ">…) in issuer_regex or audience_regex");
  return {};
}

std::expected<void, std::string> KeySetAddress::read_group(std::string_view pattern, const std::string& name,
                                                           std::string_view key) {
  const auto at = group_at(pattern, name);
  if (!at) return {};
  auto values = literals_at(pattern.substr(*at));
  if (!values)
    return refuse(key, "the group '" + name + "' makes an address, so it must list literal values alone, such as (?P<" +
                           name + ">one|two)");
  if (!alternatives_.emplace(name, std::move(*values)).second)
    return refuse(key, "the group '" + name + "' is one of issuer_regex as well");
  return {};
}

// Every combination, but not many more than there may be.
void KeySetAddress::fill_all(Values& values, std::size_t next) {
  if (all_.size() > addresses_most) return;
  if (next == placeholders_.size()) return all_.push_back(filled(values));
  for (const std::string& value : alternatives_.at(placeholders_[next])) {
    values.insert_or_assign(placeholders_[next], value);
    fill_all(values, next + 1);
  }
}

std::string KeySetAddress::filled(const Values& values) const {
  std::string text;
  std::string_view rest = address_;
  for (std::size_t at = rest.find(opening); at != std::string_view::npos; at = rest.find(opening)) {
    const std::size_t end = rest.find(closing, at);
    text.append(rest.substr(0, at));
    text.append(values.find(rest.substr(at + opening.size(), end - at - opening.size()))->second);
    rest.remove_prefix(end + closing.size());
  }
  return text.append(rest);
}

bool KeySetAddress::take(const Source& source, const std::string& text, Values& values) {
  const int count = source.pattern->NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> groups(static_cast<std::size_t>(count));
  if (!source.pattern->Match(text, 0, text.size(), RE2::ANCHOR_BOTH, groups.data(), count)) return false;
  for (const auto& [name, index] : source.pattern->NamedCapturingGroups()) {
    const re2::StringPiece& found = groups[static_cast<std::size_t>(index)];
    values.insert_or_assign(name, std::string(found.data() == nullptr ? "" : found.data(), found.size()));
  }
  return true;
}

// A group may find what is none of its values: by a flag that ignores case, or by taking no part in the match.
std::optional<std::string> KeySetAddress::of(const ClaimedOrigin& origin) const {
  Values values;
  for (const Source& source : sources_) {
    const auto fits = [&](const std::string& text) { return take(source, text, values); };
    const bool found =
        source.claim == Claim::issuer ? fits(origin.issuer) : std::ranges::any_of(origin.audiences, fits);
    if (!found) return std::nullopt;
  }
  for (const auto& [name, known] : alternatives_) {
    const auto value = values.find(name);
    if (value == values.end() || std::ranges::find(known, value->second) == known.end()) return std::nullopt;
  }
  return filled(values);
}

}  // namespace fairlead::server
