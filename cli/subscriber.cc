// SPDX-License-Identifier: Apache-2.0
#include "subscriber.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "json.h"

namespace fairlead::cli {
namespace {

using server::JsonMember;
using server::JsonValue;

constexpr std::uint64_t connect_id = 1;
constexpr std::chrono::seconds patience_before_connected{30};
constexpr std::chrono::seconds patience_beyond_ping{10};  // the protocol's clients wait so long for a late ping
constexpr std::size_t held_limit = 100'000;               // publications, while the history is on its way

std::optional<std::uint64_t> number(const std::vector<JsonMember>& object, std::string_view name) {
  const JsonValue* const value = server::find(object, name);
  return value != nullptr ? server::unsigned_integer_of(*value) : std::nullopt;
}

bool yes(const std::vector<JsonMember>& object, std::string_view name) {
  const JsonValue* const value = server::find(object, name);
  return value != nullptr && server::boolean_of(*value).value_or(false);
}

std::string text(const std::vector<JsonMember>& object, std::string_view name) {
  const JsonValue* const value = server::find(object, name);
  return value != nullptr ? server::string_of(*value).value_or("") : "";
}

// The object of that name; nothing when there is none.
std::optional<std::vector<JsonMember>> object(const std::vector<JsonMember>& outer, std::string_view name) {
  const JsonValue* const value = server::find(outer, name);
  return value != nullptr ? server::members_of(*value) : std::nullopt;
}

std::uint64_t offset_of(std::string_view publication) {
  const auto value = server::parse_json(publication);
  const auto members = value ? server::members_of(*value) : std::nullopt;
  return members ? number(*members, "offset").value_or(0) : 0;
}

}  // namespace

Subscriber::Subscriber(SubscriberOptions options, SubscriberEvents events)
    : options_(std::move(options)), events_(std::move(events)), patience_(patience_before_connected) {
  for (const std::string& name : options_.channels) {
    channels_.push_back({.name = name, .position = options_.recover});
  }
}

std::string Subscriber::subscribe_command(const Channel& channel, std::size_t index) const {
  std::string command = fmt::format(R"({{"id":{},"subscribe":{{"channel":{},"recoverable":true)",
                                    connect_id + 1 + index, json_string(channel.name));
  if (channel.position) {
    command += fmt::format(R"(,"recover":true,"offset":{},"epoch":{})", channel.position->offset,
                           json_string(channel.position->epoch));
  }
  return command + "}}";
}

std::string Subscriber::opening(const std::string& token) {
  patience_ = patience_before_connected;
  std::string frame = fmt::format(R"({{"id":{},"connect":{{{}"name":"fairlead"}}}})", connect_id,
                                  token.empty() ? "" : fmt::format(R"("token":{},)", json_string(token)));
  for (std::size_t index = 0; index < channels_.size(); ++index) {
    channels_[index].subscribed = false;
    channels_[index].waits_for_history = false;
    channels_[index].held.clear();
    frame += "\n" + subscribe_command(channels_[index], index);
  }
  return frame;
}

Subscriber::Next Subscriber::end(ExitStatus status, std::string complaint) {
  status_ = status;
  complaint_ = std::move(complaint);
  return Next::end;
}

// A temporary error is worth another attempt, every other one is the server's last word.
Subscriber::Next Subscriber::refused(std::string_view what, const JsonValue& error) {
  const auto members = server::members_of(error).value_or(Object{});
  const std::string sentence =
      fmt::format("{}: {} {}", what, number(members, "code").value_or(0), text(members, "message"));
  if (!yes(members, "temporary")) return end(ExitStatus::failed, sentence);
  events_.remark(sentence + "; trying again");
  return Next::again;
}

Subscriber::Next Subscriber::receive(std::string_view frame, std::string& answer) {
  while (!frame.empty()) {
    const std::size_t line_end = frame.find('\n');
    const std::string_view line = frame.substr(0, line_end);
    frame.remove_prefix(line_end == std::string_view::npos ? frame.size() : line_end + 1);
    if (line.empty()) continue;
    const auto value = server::parse_json(line);
    const Next next = value ? message(*value, answer) : end(ExitStatus::protocol, "the server sent what is no JSON");
    if (next != Next::go_on) return next;
  }
  return Next::go_on;
}

Subscriber::Next Subscriber::message(const JsonValue& message, std::string& answer) {
  const auto members = server::members_of(message);
  if (!members) return end(ExitStatus::protocol, "the server sent what is no message of the protocol");
  if (const auto push = object(*members, "push")) return pushed(*push);
  if (const auto id = number(*members, "id")) return reply(*members, *id, answer);
  if (pong_) answer += answer.empty() ? "{}" : "\n{}";  // an empty message is a ping
  return Next::go_on;
}

Subscriber::Next Subscriber::reply(const Object& message, std::uint64_t id, std::string& answer) {
  if (id == connect_id) return connected(message);
  const std::size_t index = id - connect_id - 1;
  if (id > connect_id && index < channels_.size()) return subscribed(channels_[index], message, answer);
  if (id > connect_id && index < 2 * channels_.size()) {
    return history_came(channels_[index - channels_.size()], message);
  }
  return Next::go_on;
}

Subscriber::Next Subscriber::connected(const Object& message) {
  if (const JsonValue* const error = server::find(message, "error")) return refused("the server refuses us", *error);
  const auto result = object(message, "connect").value_or(Object{});
  pong_ = yes(result, "pong");
  if (const auto ping = number(result, "ping"); ping && *ping > 0) {
    constexpr std::uint64_t longest_seconds = 86'400;
    patience_ = std::chrono::seconds(std::min(*ping, longest_seconds)) + patience_beyond_ping;
  } else {
    patience_ = Duration::max();
  }
  return Next::go_on;
}

Subscriber::Next Subscriber::subscribed(Channel& channel, const Object& message, std::string& answer) {
  if (const JsonValue* const error = server::find(message, "error")) {
    return refused(fmt::format("cannot subscribe to {}", channel.name), *error);
  }
  const auto result = object(message, "subscribe").value_or(Object{});
  const bool recovering = channel.position.has_value();
  if (recovering && !yes(result, "recovered")) {
    events_.remark(fmt::format("{}: what was missed could not be recovered", channel.name));
    channel.position.reset();  // its offsets may be those of another epoch
  }
  channel.subscribed = true;
  events_.remark(fmt::format("subscribed to {}", channel.name));
  if (const Next next = take_list(channel, server::find(result, "publications"), false); next != Next::go_on) {
    return next;
  }
  if (yes(result, "recoverable")) {
    channel.position = Position{number(result, "offset").value_or(0), text(result, "epoch")};
  }
  const bool wants_history = first_ && options_.history > 0;
  if (std::ranges::all_of(channels_, [](const Channel& one) { return one.subscribed; })) first_ = false;
  if (!wants_history) return Next::go_on;
  channel.waits_for_history = true;
  const auto index = static_cast<std::size_t>(&channel - channels_.data());
  answer +=
      fmt::format(R"({}{{"id":{},"history":{{"channel":{},"limit":{},"reverse":true}}}})", answer.empty() ? "" : "\n",
                  connect_id + 1 + channels_.size() + index, json_string(channel.name), options_.history);
  return Next::go_on;
}

Subscriber::Next Subscriber::history_came(Channel& channel, const Object& message) {
  if (const JsonValue* const error = server::find(message, "error")) {
    return refused(fmt::format("no history of {}", channel.name), *error);
  }
  const auto result = object(message, "history").value_or(Object{});
  channel.waits_for_history = false;
  const std::vector<std::string> held = std::exchange(channel.held, {});
  const std::uint64_t top = number(result, "offset").value_or(0);
  // What came since the subscription may be in the history already.
  channel.position.reset();
  if (const Next next = take_list(channel, server::find(result, "publications"), true); next != Next::go_on) {
    return next;
  }
  channel.position = Position{top, text(result, "epoch")};
  for (const std::string& publication : held) {
    if (const Next next = take(channel, publication); next != Next::go_on) return next;
  }
  return Next::go_on;
}

Subscriber::Next Subscriber::take_list(Channel& channel, const JsonValue* list, bool reverse) {
  auto publications =
      list != nullptr ? server::elements_of(*list).value_or(std::vector<JsonValue>{}) : std::vector<JsonValue>{};
  if (reverse) std::ranges::reverse(publications);
  for (const JsonValue& publication : publications) {
    if (const Next next = take(channel, publication.text); next != Next::go_on) return next;
  }
  return Next::go_on;
}

// Each one once, in the order of the stream.
Subscriber::Next Subscriber::take(Channel& channel, std::string_view publication) {
  if (channel.waits_for_history) {
    if (channel.held.size() >= held_limit) return end(ExitStatus::over_limit, "too much came before the history did");
    channel.held.emplace_back(publication);
    return Next::go_on;
  }
  const std::uint64_t offset = channel.position ? offset_of(publication) : 0;
  if (offset != 0 && offset <= channel.position->offset) return Next::go_on;
  if (offset != 0) channel.position->offset = offset;
  return events_.publication(channel.name, publication) ? Next::go_on : end(ExitStatus::ok, {});
}

Subscriber::Next Subscriber::pushed(const Object& push) {
  Channel* const channel = channel_named(text(push, "channel"));
  if (channel == nullptr) return Next::go_on;
  if (const JsonValue* const publication = server::find(push, "pub")) return take(*channel, publication->text);
  if (const auto unsubscribe = object(push, "unsubscribe")) return unsubscribed(*channel, *unsubscribe);
  return Next::go_on;
}

// From 2500 on the client is to subscribe again.
Subscriber::Next Subscriber::unsubscribed(Channel& channel, const Object& unsubscribe) {
  constexpr std::uint64_t first_that_comes_back = 2500;
  const std::uint64_t code = number(unsubscribe, "code").value_or(0);
  const std::string sentence =
      fmt::format("unsubscribed from {}: {} {}", channel.name, code, text(unsubscribe, "reason"));
  if (code < first_that_comes_back) return end(ExitStatus::closed, sentence);
  events_.remark(sentence);
  return Next::again;
}

Subscriber::Channel* Subscriber::channel_named(std::string_view name) {
  const auto found = std::ranges::find(channels_, name, &Channel::name);
  return found == channels_.end() ? nullptr : &*found;
}

bool comes_back_after(CloseCode code) noexcept {
  const bool stays_away = (code >= 3500 && code < 4000) || (code >= 4500 && code < 5000);
  return !stays_away && code != close_code::message_too_big;
}

}  // namespace fairlead::cli
