// SPDX-License-Identifier: Apache-2.0
#include "room_text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>

#include "json.h"

namespace fairlead::cli {
namespace {

// The characters of valid UTF-8.
std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// The code point at the start of valid UTF-8, and its length.
struct Character {
  char32_t code = 0;
  std::size_t length = 1;
};
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t lead = byte(0);
  if (lead < 0x80 || text.size() < 2) return {lead, 1};
  if (lead < 0xe0) return {(lead & 0x1f) << 6 | (byte(1) & 0x3f), 2};
  if (lead < 0xf0 && text.size() >= 3) return {(lead & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f), 3};
  if (text.size() < 4) return {lead, text.size()};
  return {(lead & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f), 4};
}

// Unicode's control, format and separator characters (Cc, Cf, Zl, Zp): invisible, or they turn the text around them, so
// that one name looks like another.
bool is_invisible(char32_t code) {
  struct Range {
    char32_t first, last;
  };
  static constexpr auto ranges = std::to_array<Range>({
      {0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},
      {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x180e, 0x180e},
      {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
      {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
      {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
  });
  return std::ranges::any_of(ranges, [&](const Range& range) { return code >= range.first && code <= range.last; });
}

bool has_invisible(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (is_invisible(character.code)) return true;
    text.remove_prefix(character.length);
  }
  return false;
}

Result<RoomCommand> say(std::string_view text) {
  std::string clean(trimmed(text));
  if (clean.empty()) return fail(Errc::invalid_argument, "nothing was said");
  if (count_characters(clean) > room_text_limit_characters) {
    return fail(Errc::over_limit, fmt::format("a message has at most {} characters", room_text_limit_characters));
  }
  // One message is one line: nobody may write a line that looks like somebody else's.
  std::ranges::replace_if(clean, is_control, ' ');
  return RoomCommand(Say{std::move(clean)});
}

Result<RoomCommand> rename(std::string_view text) {
  const std::string_view name = trimmed(text);
  if (name.empty()) return fail(Errc::invalid_argument, "a name needs at least one character");
  if (count_characters(name) > room_name_limit_characters) {
    return fail(Errc::over_limit, fmt::format("a name has at most {} characters", room_name_limit_characters));
  }
  if (has_invisible(name)) return fail(Errc::invalid_argument, "a name has printable characters only");
  return RoomCommand(Rename{std::string(name)});
}

std::optional<std::string_view> member_of(simdjson::dom::object object, std::string_view name) {
  std::string_view text;
  if (object[name].get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

void write_member(JsonWriter& json, const MemberName& member) {
  json.member("id", member.id).member("name", member.name);
}

void write_utterance(JsonWriter& json, const Utterance& utterance) {
  json.member("id", utterance.id).member("from", utterance.from);
  json.member("text", utterance.text).member("at", utterance.at_ms);
}

}  // namespace

Result<RoomCommand> parse_room_line(std::string_view line) {
  constexpr std::string_view name_command = "/name";
  const std::string_view text = trimmed(line);
  if (!text.starts_with('/')) return say(text);
  if (text == name_command || text.starts_with("/name ")) return rename(text.substr(name_command.size()));
  return fail(Errc::invalid_argument, "there is one command: /name NAME");
}

Result<RoomCommand> parse_room_json(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text.data(), text.size()).get_object().get(object) != simdjson::SUCCESS) {
    return fail(Errc::invalid_argument, "not a JSON object");
  }
  const std::string_view type = member_of(object, "type").value_or("");
  if (type == "typing") return RoomCommand(Typing{});
  const std::optional<std::string_view> content = member_of(object, type == "say" ? "text" : "name");
  if ((type != "say" && type != "name") || !content) {
    return fail(Errc::invalid_argument,
                "a message is {\"type\":\"say\",\"text\"}, {\"type\":\"name\",\"name\"} or "
                "{\"type\":\"typing\"}");
  }
  return type == "say" ? say(*content) : rename(*content);
}

std::string welcome_json(const MemberName& self, const std::vector<MemberName>& members,
                         const std::vector<Utterance>& history) {
  JsonWriter json;
  json.open('{').member("type", "welcome");
  write_member(json, self);
  json.key("members").open('[');
  for (const MemberName& member : members) {
    json.open('{');
    write_member(json, member);
    json.close('}');
  }
  json.close(']').key("history").open('[');
  for (const Utterance& utterance : history) {
    json.open('{');
    write_utterance(json, utterance);
    json.close('}');
  }
  return json.close(']').close('}').text();
}

std::string message_json(const Utterance& utterance) {
  JsonWriter json;
  json.open('{').member("type", "message");
  write_utterance(json, utterance);
  return json.close('}').text();
}

std::string member_json(std::string_view type, const MemberName& member) {
  JsonWriter json;
  json.open('{').member("type", type);
  write_member(json, member);
  return json.close('}').text();
}

std::string renamed_json(MemberId id, std::string_view from, std::string_view to) {
  JsonWriter json;
  json.open('{').member("type", "renamed").member("id", id).member("from", from).member("to", to);
  return json.close('}').text();
}

std::string error_json(std::string_view reason) {
  JsonWriter json;
  return json.open('{').member("type", "error").member("reason", reason).close('}').text();
}

}  // namespace fairlead::cli
