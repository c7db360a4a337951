// SPDX-License-Identifier: Apache-2.0
// The demonstration's shared room: who is in it, what was said. No sockets: a member is a function that takes messages.
#pragma once

#include <fairlead/shared_message.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "room_text.h"

namespace fairlead::cli {

enum class RoomFormat : std::uint8_t { terminal, json };

// Usable from any thread. All members hear everything in one order, also when they live on different loops; what is
// said by one is heard by everybody, the one who said it included. Names need not be unique: the id is.
class Room {
 public:
  // Takes a message for one member; must not block. It may call the room again: that is heard afterwards.
  using Sink = std::function<void(const SharedMessage&)>;
  using WallClock = std::function<std::int64_t()>;  // milliseconds since 1970

  explicit Room(WallClock clock) : clock_(std::move(clock)) {}

  // The new member hears the welcome first, then everybody (the new member in a terminal too) that they joined.
  MemberId join(RoomFormat format, Sink sink);
  // One message of a member, in the member's format. What it may not say is answered to that member alone.
  void hear(MemberId id, std::string_view message);
  void leave(MemberId id);

  [[nodiscard]] std::size_t size() const;

  static constexpr std::size_t history_limit = 100;  // utterances that a new member is shown

 private:
  struct Member {
    MemberName who;
    RoomFormat format = RoomFormat::terminal;
    Sink sink;
  };
  using MemberPtr = std::shared_ptr<Member>;
  // One message in both formats, framed once each; empty: not for members of that format.
  struct Delivery {
    std::vector<MemberPtr> to;
    SharedMessage terminal;
    SharedMessage json;
  };

  // All of these with the lock held; `deliver` gives it up.
  void apply(const MemberPtr& member, RoomCommand command);
  void say(const MemberPtr& member, std::string text);
  void rename(const MemberPtr& member, std::string name);
  void tell_all(std::string_view line, std::string_view json, std::optional<MemberId> except = std::nullopt);
  void tell_one(const MemberPtr& member, std::string_view text);
  void deliver(std::unique_lock<std::mutex> lock);
  [[nodiscard]] std::string welcome(const Member& member) const;

  WallClock clock_;
  mutable std::mutex mutex_;
  std::map<MemberId, MemberPtr> members_;
  std::deque<Utterance> history_;
  std::deque<Delivery> outbox_;  // in the order that all members hear
  bool delivering_ = false;      // one thread at a time empties the outbox, without the lock
  MemberId next_id_ = 1;
};

}  // namespace fairlead::cli
