// SPDX-License-Identifier: Apache-2.0
#include "net/group_part.h"

#include "base/assert.h"
#include "base/prefetch.h"
#include "io/batch.h"
#include "io/outbox.h"
#include "net/channel.h"
#include "net/loop_context.h"
#include "net/mailbox.h"
#include "ws/joined.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

namespace fairlead::net {
namespace {

// What a waiting message takes besides its payload, roughly: small ones are bounded, too.
constexpr std::size_t overhead_bytes = 128;
// Members that are written to before the loop looks at its other sockets.
constexpr std::size_t visits_at_once = io::Batch::most;
// Members that are passed because they have it all, for one that is written to: they cost next to nothing.
constexpr std::size_t passed_for_one = 16;
// More at a time is not worth a copy, however many share it.
constexpr std::size_t joined_bytes = std::size_t{64} * 1024;
// An idle log keeps room for so many messages, so that a steady stream of them allocates nothing.
constexpr std::size_t idle_entries = 16;
constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

const GroupPart* part_of(const Membership& membership) { return membership.part.get(); }

}  // namespace

GroupPart::GroupPart(LoopContext& context, std::size_t waiting_limit_bytes)
    : context_(&context), mailbox_(context.mailbox), waiting_limit_bytes_(waiting_limit_bytes) {
  context.groups.insert(this);
}

GroupPart::~GroupPart() {
  if (context_ != nullptr) context_->groups.erase(this);
}

// ── Who is in it ────────────────────────────────────────────────────────────────────────────────────────────────────

void GroupPart::add(Channel& channel) {
  auto& memberships = channel.memberships();
  if (std::ranges::find(memberships, this, part_of) != memberships.end()) return;
  memberships.push_back({shared_from_this(), place_for({&channel, end()})});
  size_.fetch_add(1, std::memory_order_relaxed);
}

// The place of somebody who has left, if there is one: else those who come and go would keep the walk from coming
// round.
std::size_t GroupPart::place_for(Member member) {
  if (gaps_.empty()) {
    members_.push_back(member);
    --visits_;  // a place more to pass on the way to those that wait
    return members_.size() - 1;
  }
  const std::size_t place = gaps_.back();
  gaps_.pop_back();
  members_[place] = member;
  return place;
}

bool GroupPart::remove(Channel& channel) {
  const auto alive = shared_from_this();
  auto& memberships = channel.memberships();
  const auto here = std::ranges::find(memberships, this, part_of);
  if (here == memberships.end()) return false;
  const std::size_t place = here->place;
  if (!channel.closed()) catch_up(place);
  memberships.erase(here);
  members_[place].channel = nullptr;
  gaps_.push_back(place);
  size_.fetch_sub(1, std::memory_order_relaxed);
  // A walk goes by places, so gaps wait for its next round.
  if (idle() && 2 * gaps_.size() > members_.size()) close_gaps();
  return true;
}

void GroupPart::close_gaps() {
  gaps_.clear();
  std::erase_if(members_, [](const Member& member) { return member.channel == nullptr; });
  for (std::size_t place = 0; place < members_.size(); ++place) {
    std::ranges::find(members_[place].channel->memberships(), this, part_of)->place = place;
  }
}

void GroupPart::dissolve(std::shared_ptr<GroupPart> part) {
  const std::shared_ptr<Mailbox> mailbox = part->mailbox_;
  mailbox->post([part = std::move(part)] {
    part->dissolving_ = true;
    if (part->idle()) part->begin_again();
  });
}

void GroupPart::dismiss_all() {
  for (const Member& member : members_) {
    if (member.channel == nullptr) continue;
    std::erase_if(member.channel->memberships(), [this](const Membership& one) { return part_of(one) == this; });
  }
  members_.clear();
  gaps_.clear();
  size_.store(0, std::memory_order_relaxed);
}

void GroupPart::let_go_of_loop() {
  take_back();
  context_ = nullptr;
}

// ── What is on its way ──────────────────────────────────────────────────────────────────────────────────────────────

GroupPart::Taken GroupPart::send(const SharedMessage& message) {
  if (size() == 0) return Taken::gone;
  const std::size_t bytes = message.payload().size() + overhead_bytes;
  if (mailbox_->on_loop()) {
    if (!reserve(bytes)) {
      if (walking_) return Taken::too_much;
      walk(all, Leaving::with_the_turn);
      // What still waits is others' and on its way here: it takes nothing from who is here.
      waiting_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    }
    append(message, bytes);
    return Taken::yes;
  }
  if (!reserve(bytes)) return Taken::too_much;
  const bool posted = mailbox_->post(
      [part = shared_from_this(), copy = message, bytes]() mutable { part->append(std::move(copy), bytes); });
  if (!posted) release(bytes);
  return posted ? Taken::yes : Taken::gone;
}

bool GroupPart::reserve(std::size_t bytes) noexcept {
  std::size_t before = waiting_bytes_.load(std::memory_order_relaxed);
  do {
    if (before != 0 && (bytes > waiting_limit_bytes_ || before > waiting_limit_bytes_ - bytes)) return false;
  } while (!waiting_bytes_.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
  return true;
}

void GroupPart::append(SharedMessage message, std::size_t bytes) {
  if (!has_members()) return release(bytes);
  log_.push_back({std::move(message), bytes, visits_ + static_cast<std::int64_t>(members_.size())});
  context_->loop.defer(*this);
}

// ── Handing it out ──────────────────────────────────────────────────────────────────────────────────────────────────

void GroupPart::on_turn_end() {
  const auto alive = shared_from_this();
  context_->loop.count_ends(walk(visits_at_once, Leaving::at_once));
  if (!idle()) context_->loop.defer(*this);
}

// A visit may end in the application, which may do anything with this group and its members.
std::size_t GroupPart::walk(std::size_t visits, Leaving leaving) {
  walking_ = true;
  std::size_t written = 0;
  std::size_t passed = 0;
  while (written + passed / passed_for_one < visits && done_ != log_.size()) {
    if (next_ == members_.size()) begin_again();
    if (members_.empty()) break;
    ++(visit(members_[next_++], leaving) ? written : passed);
  }
  walking_ = false;
  if (members_.empty()) forget_all();
  if (idle()) begin_again();
  return written + passed / passed_for_one;
}

bool GroupPart::visit(Member& member, Leaving leaving) {
  warm_ahead();
  ++visits_;
  Channel* const channel = member.channel;
  const bool is_due = channel != nullptr && member.next != end();
  const auto alive = is_due ? channel->shared_from_this() : nullptr;
  if (is_due) give(member);
  forget_done();
  if (is_due && leaving == Leaving::at_once) {
    channel->flush_now();
    context_->loop.outbox().flush_if_due();
  }
  return is_due;
}

// What comes next is far from the processor: it is fetched while this one is written to.
void GroupPart::warm_ahead() const noexcept {
  const auto ahead = [this](std::size_t place) { return place < members_.size() ? members_[place].channel : nullptr; };
  if (const Channel* const next = ahead(next_)) next->warm_to_send(Ahead::next);
  if (const Channel* const second = ahead(next_ + 1)) second->warm_to_send(Ahead::second);
  if (const Channel* const third = ahead(next_ + 2)) prefetch(third, 3 * cache_line_bytes);
}

void GroupPart::catch_up(std::size_t place) {
  if (members_[place].next == end()) return;
  const bool was_walking = std::exchange(walking_, true);  // nothing may leave the log meanwhile
  give(members_[place]);
  walking_ = was_walking;
}

void GroupPart::give(Member& member) {
  Channel& channel = *member.channel;
  const std::uint64_t from = std::exchange(member.next, end());
  const std::uint64_t till = member.next;
  FAIRLEAD_ASSERT(from >= first_);
  const SharedMessage* const messages = joined(from);
  if (messages != nullptr && channel.send_joined(*messages, till - from)) return;
  for (std::uint64_t number = from; number != till; ++number) {
    static_cast<void>(channel.send_in_order(log_[at(number)].message));
  }
}

// Those from a number on, as one; null where they have to be sent one by one.
const SharedMessage* GroupPart::joined(std::uint64_t from) {
  if (end() - from == 1) return nullptr;
  if (!joined_ || joined_->from != from || joined_->end != end()) joined_ = Joined{from, end(), join_from(from)};
  return joined_->messages ? &joined_->messages : nullptr;
}

SharedMessage GroupPart::join_from(std::uint64_t from) const {
  std::vector<SharedMessage> messages;
  std::size_t bytes = 0;
  for (std::size_t i = at(from); i != log_.size(); ++i) {
    const SharedMessage& message = log_[i].message;
    bytes += message.frame().size();
    // Not everybody agreed on compression, or on the same.
    if (bytes > joined_bytes || !message.compressed_frame().empty()) return {};
    messages.push_back(message);
  }
  return ws::join(messages);
}

void GroupPart::forget_done() {
  for (; done_ != log_.size() && log_[done_].done_at <= visits_; ++done_, ++first_) forget(log_[done_]);
}

void GroupPart::forget_all() {
  for (; done_ != log_.size(); ++done_, ++first_) forget(log_[done_]);
}

void GroupPart::forget(Entry& entry) {
  release(entry.bytes);
  entry.message = {};
}

// A round of the walk is over, or, when there is nothing in the log, all of it.
void GroupPart::begin_again() {
  next_ = 0;
  if (!gaps_.empty()) close_gaps();
  if (!idle()) {
    if (2 * done_ > log_.size()) {
      log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(done_));
      done_ = 0;
    }
    return;
  }
  done_ = 0;
  log_.clear();
  if (log_.capacity() > idle_entries) log_.shrink_to_fit();
  if (members_.capacity() > 4 * members_.size() + idle_entries) members_.shrink_to_fit();
  joined_.reset();
  if (dissolving_) dismiss_all();
}

}  // namespace fairlead::net
