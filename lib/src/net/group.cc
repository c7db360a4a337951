// SPDX-License-Identifier: Apache-2.0
// The body of the public Group: its parts, one for each loop that has members.
#include <fairlead/connection.h>
#include <fairlead/group.h>

#include "net/channel.h"
#include "net/group_part.h"
#include "net/loop_context.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

namespace fairlead {
namespace net {

namespace {

const std::shared_ptr<Mailbox>& mailbox_of(const std::shared_ptr<GroupPart>& part) { return part->mailbox(); }

}  // namespace

// Any thread.
class GroupState {
 public:
  explicit GroupState(std::size_t waiting_bytes) noexcept : waiting_bytes_(waiting_bytes) {}
  GroupState(const GroupState&) = delete;
  GroupState& operator=(const GroupState&) = delete;
  ~GroupState() {
    for (auto& part : *parts_) GroupPart::dissolve(std::move(part));
  }

  using Parts = std::vector<std::shared_ptr<GroupPart>>;
  // As they are now; a list never changes.
  [[nodiscard]] std::shared_ptr<const Parts> parts() const {
    const std::scoped_lock lock(mutex_);
    return parts_;
  }

  // The part of a loop, on that loop.
  [[nodiscard]] std::shared_ptr<GroupPart> part_of(LoopContext& context) {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(*parts_, context.mailbox, mailbox_of);
    if (found != parts_->end()) return *found;
    auto more = std::make_shared<Parts>(*parts_);
    std::erase_if(*more, [](const auto& part) { return part->mailbox()->loop.load() == nullptr; });
    more->push_back(std::make_shared<GroupPart>(context, waiting_bytes_));
    parts_ = std::move(more);
    return parts_->back();
  }

 private:
  const std::size_t waiting_bytes_;
  mutable std::mutex mutex_;  // guards `parts_`
  std::shared_ptr<Parts> parts_ = std::make_shared<Parts>();
};

namespace {

// An open connection, on its loop; null otherwise. What is not of this loop is not looked into.
Channel* open_here(const Connection& ws) {
  Channel* const channel = Channel::of(ws);
  const bool here = channel != nullptr && &channel->context() == LoopContext::current();
  return here && !channel->closed() ? channel : nullptr;
}

}  // namespace
}  // namespace net

Group::Group() : Group(default_waiting_bytes) {}
Group::Group(std::size_t waiting_bytes) : state_(std::make_shared<net::GroupState>(waiting_bytes)) {}

bool Group::add(Connection& ws) {
  net::Channel* const channel = net::open_here(ws);
  if (channel == nullptr) return false;
  state_->part_of(channel->context())->add(*channel);
  return true;
}

bool Group::remove(Connection& ws) {
  net::Channel* const channel = net::open_here(ws);
  if (channel == nullptr) return false;
  const auto parts = state_->parts();
  const auto here = std::ranges::find(*parts, channel->context().mailbox, net::mailbox_of);
  return here != parts->end() && (*here)->remove(*channel);
}

SendResult Group::send(const SharedMessage& message) {
  using Taken = net::GroupPart::Taken;
  if (!message) return SendResult::invalid;
  SendResult result = SendResult::closed;
  const auto parts = state_->parts();  // kept: another loop may replace the list meanwhile
  for (const auto& part : *parts) {
    const Taken taken = part->send(message);
    if (taken == Taken::too_much) result = SendResult::over_limit;
    if (taken == Taken::yes && result == SendResult::closed) result = SendResult::queued;
  }
  return result;
}

std::size_t Group::size() const noexcept {
  std::size_t all = 0;
  const auto parts = state_->parts();
  for (const auto& part : *parts) all += part->size();
  return all;
}

}  // namespace fairlead
