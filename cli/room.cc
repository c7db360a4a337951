// SPDX-License-Identifier: Apache-2.0
#include "room.h"

#include <fmt/format.h>

#include <type_traits>
#include <utility>
#include <variant>

namespace fairlead::cli {

MemberId Room::join(RoomFormat format, Sink sink) {
  std::unique_lock lock(mutex_);
  const MemberId id = next_id_++;
  auto member = std::make_shared<Member>(
      Member{.who = {.id = id, .name = fmt::format("guest-{}", id)}, .format = format, .sink = std::move(sink)});
  members_.emplace(id, member);
  if (const std::string text = welcome(*member); !text.empty()) tell_one(member, text);
  const std::optional<MemberId> except = format == RoomFormat::json ? std::optional(id) : std::nullopt;
  tell_all(fmt::format("* {} joined", member->who.name), member_json("joined", member->who), except);
  deliver(std::move(lock));
  return id;
}

void Room::hear(MemberId id, std::string_view message) {
  std::unique_lock lock(mutex_);
  const auto found = members_.find(id);
  if (found == members_.end()) return;
  const MemberPtr member = found->second;
  const bool terminal = member->format == RoomFormat::terminal;
  Result<RoomCommand> command = terminal ? parse_room_line(message) : parse_room_json(message);
  if (command) {
    apply(member, *std::move(command));
  } else {
    const std::string& reason = command.error().detail;
    tell_one(member, terminal ? "! " + reason : error_json(reason));
  }
  deliver(std::move(lock));
}

void Room::leave(MemberId id) {
  std::unique_lock lock(mutex_);
  const auto found = members_.find(id);
  if (found == members_.end()) return;
  const MemberName who = found->second->who;
  members_.erase(found);
  tell_all(fmt::format("* {} left", who.name), member_json("left", who));
  deliver(std::move(lock));
}

std::size_t Room::size() const {
  const std::lock_guard lock(mutex_);
  return members_.size();
}

void Room::apply(const MemberPtr& member, RoomCommand command) {
  if (auto* said = std::get_if<Say>(&command)) return say(member, std::move(said->text));
  if (auto* renamed = std::get_if<Rename>(&command)) return rename(member, std::move(renamed->name));
  tell_all({}, member_json("typing", member->who), member->who.id);
}

void Room::say(const MemberPtr& member, std::string text) {
  Utterance utterance{.id = member->who.id, .from = member->who.name, .text = std::move(text), .at_ms = clock_()};
  tell_all(fmt::format("{}: {}", utterance.from, utterance.text), message_json(utterance));
  history_.push_back(std::move(utterance));
  if (history_.size() > history_limit) history_.pop_front();
}

void Room::rename(const MemberPtr& member, std::string name) {
  const std::string before = std::exchange(member->who.name, std::move(name));
  if (before == member->who.name) return;
  tell_all(fmt::format("* {} is now {}", before, member->who.name),
           renamed_json(member->who.id, before, member->who.name));
}

void Room::tell_all(std::string_view line, std::string_view json, std::optional<MemberId> except) {
  Delivery delivery;
  for (const auto& [id, member] : members_) {
    if (id == except) continue;
    delivery.to.push_back(member);
    SharedMessage& message = member->format == RoomFormat::json ? delivery.json : delivery.terminal;
    const std::string_view text = member->format == RoomFormat::json ? json : line;
    if (!message && !text.empty()) message = SharedMessage::text(text);
  }
  if (!delivery.to.empty()) outbox_.push_back(std::move(delivery));
}

void Room::tell_one(const MemberPtr& member, std::string_view text) {
  const SharedMessage message = SharedMessage::text(text);
  outbox_.push_back({.to = {member}, .terminal = message, .json = message});
}

// A sink may end in this room again (a connection that closes while it is written to leaves), so no lock is held
// meanwhile; whoever delivers goes on until the outbox is empty, others only add to it, and so there is one order.
void Room::deliver(std::unique_lock<std::mutex> lock) {
  if (std::exchange(delivering_, true)) return;
  while (!outbox_.empty()) {
    const Delivery delivery = std::move(outbox_.front());
    outbox_.pop_front();
    lock.unlock();
    for (const MemberPtr& member : delivery.to) {
      const SharedMessage& message = member->format == RoomFormat::json ? delivery.json : delivery.terminal;
      if (message) member->sink(message);
    }
    lock.lock();
  }
  delivering_ = false;
}

std::string Room::welcome(const Member& member) const {
  if (member.format == RoomFormat::json) {
    std::vector<MemberName> names;
    names.reserve(members_.size());
    for (const auto& [id, other] : members_) names.push_back(other->who);
    return welcome_json(member.who, names, {history_.begin(), history_.end()});
  }
  std::string lines;  // one message of several lines
  for (const Utterance& utterance : history_) {
    lines += fmt::format("{}{}: {}", lines.empty() ? "" : "\n", utterance.from, utterance.text);
  }
  return lines;
}

}  // namespace fairlead::cli
