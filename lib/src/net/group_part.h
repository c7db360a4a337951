// SPDX-License-Identifier: Apache-2.0
// The members of a group that live on one loop, and what they have not all been given yet.
#pragma once

#include "io/loop.h"

#include <fairlead/shared_message.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace fairlead::net {

class Channel;
class GroupPart;
struct LoopContext;
struct Mailbox;

// What a channel keeps of each group that it is in.
struct Membership {
  std::shared_ptr<GroupPart> part;
  std::size_t place;  // in the part's list of members
};

// Messages lie in a log, by number; a walk over the members, begun anew as long as there is something in the log, gives
// each of them what has been written since it was there last. Loop's thread, but for what says otherwise.
class GroupPart final : public std::enable_shared_from_this<GroupPart>, private io::Deferred {
 public:
  GroupPart(LoopContext& context, std::size_t waiting_limit_bytes);
  ~GroupPart() override;

  // Any thread. `gone`: it has no members, or its loop has gone.
  enum class Taken : std::uint8_t { yes, too_much, gone };
  Taken send(const SharedMessage& message);
  [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::shared_ptr<Mailbox>& mailbox() const noexcept { return mailbox_; }
  // Any thread: once all is handed out, nobody is a member any more. `part` is the group's own reference: the last one
  // has to go on the loop.
  static void dissolve(std::shared_ptr<GroupPart> part);

  void add(Channel& channel);  // one that is open
  // What the log has for it is sent first, unless it has ended.
  bool remove(Channel& channel);
  // The member at `place` is about to be sent something else, or closed: what the log has for it goes before.
  void catch_up(std::size_t place);
  // The loop goes, and its members will have left.
  void let_go_of_loop();

 private:
  struct Member {
    Channel* channel;    // null: it has left
    std::uint64_t next;  // the number of the first message that it has not been given
  };
  struct Entry {
    SharedMessage message;
    std::size_t bytes;     // as they were reserved
    std::int64_t done_at;  // so many visits, and everybody has it
  };

  void on_turn_end() override;
  void append(SharedMessage message, std::size_t bytes);
  enum class Leaving : std::uint8_t { at_once, with_the_turn };
  std::size_t walk(std::size_t visits, Leaving leaving);  // how many it made
  bool visit(Member& member, Leaving leaving);            // whether something was due
  void give(Member& member);
  [[nodiscard]] const SharedMessage* joined(std::uint64_t from);
  [[nodiscard]] SharedMessage join_from(std::uint64_t from) const;
  void forget(Entry& entry);
  void forget_done();
  void forget_all();
  void begin_again();
  void close_gaps();
  [[nodiscard]] std::size_t place_for(Member member);
  void dismiss_all();
  void warm_ahead() const noexcept;
  [[nodiscard]] bool has_members() const noexcept { return members_.size() != gaps_.size(); }
  [[nodiscard]] bool idle() const noexcept { return done_ == log_.size() && !walking_; }
  [[nodiscard]] std::uint64_t end() const noexcept { return first_ + (log_.size() - done_); }
  [[nodiscard]] std::size_t at(std::uint64_t number) const noexcept {
    return done_ + static_cast<std::size_t>(number - first_);
  }
  [[nodiscard]] bool reserve(std::size_t bytes) noexcept;
  void release(std::size_t bytes) noexcept { waiting_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  LoopContext* context_;  // null when it has gone
  const std::shared_ptr<Mailbox> mailbox_;
  const std::size_t waiting_limit_bytes_;
  std::atomic<std::size_t> waiting_bytes_ = 0;
  std::atomic<std::size_t> size_ = 0;
  std::vector<Member> members_;
  std::vector<std::size_t> gaps_;  // places of members that have left
  std::size_t next_ = 0;           // to be visited
  std::int64_t visits_ = 0;
  std::vector<Entry> log_;
  std::size_t done_ = 0;     // at its front, emptied
  std::uint64_t first_ = 0;  // the number of the first one that is not
  // What was made of the messages from one number on for one member serves those that come after it, too.
  struct Joined {
    std::uint64_t from;
    std::uint64_t end;
    SharedMessage messages;  // empty: they are sent one by one
  };
  std::optional<Joined> joined_;
  bool walking_ = false;
  bool dissolving_ = false;
};

}  // namespace fairlead::net
