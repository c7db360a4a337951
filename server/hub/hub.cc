// SPDX-License-Identifier: Apache-2.0
#include "hub/hub.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace fairlead::server {

namespace {

// Subscribers of a big node are far from the processor, each behind a chain of pointers. Chains that do not depend on
// each other are waited for together; more of them at once than this would not stay in the nearest cache.
constexpr std::size_t warmed_together = 16;

void warm(const std::vector<Subscriber*>& list, std::size_t from, std::size_t to) noexcept {
  for (std::size_t i = from; i < to; ++i) __builtin_prefetch(list[i]);
  for (std::size_t i = from; i < to; ++i) {
    if (list[i] != nullptr) list[i]->warm();
  }
}

}  // namespace

// While it is walked through a leaver only leaves a hole, and nobody moves. Each member knows its place, so that
// leaving a channel of ten thousand costs as much as leaving one of two.
struct Hub::Members {
  std::vector<Subscriber*> list;
  std::size_t alive = 0;
  unsigned walkers = 0;
  bool holes = false;
};

Hub::Hub() = default;
Hub::~Hub() = default;

bool Hub::add(const std::string& channel, Subscriber& subscriber) {
  auto& members = channels_[channel];
  if (!members) members = std::make_shared<Members>();
  subscriber.place_ = members->list.size();
  members->list.push_back(&subscriber);
  ++subscriptions_;
  return ++members->alive == 1;
}

bool Hub::remove(const std::string& channel, Subscriber& subscriber) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return false;
  Members& members = *found->second;
  const std::size_t place = subscriber.place_;
  if (place >= members.list.size() || members.list[place] != &subscriber) return false;
  if (members.walkers > 0) {
    members.list[place] = nullptr;
    members.holes = true;
  } else {
    members.list[place] = members.list.back();
    members.list[place]->place_ = place;
    members.list.pop_back();
  }
  --subscriptions_;
  if (--members.alive > 0) return false;
  channels_.erase(found);  // a walk that is under way holds the members themselves
  return true;
}

// `tell` gets a place in the list, which is empty once its subscriber has left.
template <class Tell>
void Hub::walk(std::string_view channel, Tell tell) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  const std::shared_ptr<Members> members = found->second;
  ++members->walkers;
  const std::size_t count = members->list.size();  // who comes meanwhile hears from the next one on
  for (std::size_t i = 0; i < count; ++i) {
    if (i % warmed_together == 0) warm(members->list, i, std::min(count, i + warmed_together));
    tell(members->list, i);
  }
  if (--members->walkers > 0 || !members->holes) return;
  members->holes = false;
  std::erase(members->list, nullptr);
  for (std::size_t i = 0; i < members->list.size(); ++i) members->list[i]->place_ = i;
}

template <class Tell>
void Hub::tell(std::string_view channel, Tell tell) {
  walk(channel, [&tell](const std::vector<Subscriber*>& list, std::size_t place) {
    if (Subscriber* subscriber = list[place]) tell(*subscriber);
  });
}

void Hub::deliver(const DeliveryBatch& batch) {
  if (batch.size() == 1) return deliver(batch.deliveries().front());
  walk(batch.deliveries().front()->channel(), [&batch](const std::vector<Subscriber*>& list, std::size_t place) {
    if (list[place] == nullptr || list[place]->on_deliveries(batch)) return;
    for (const DeliveryPtr& delivery : batch.deliveries()) {
      if (Subscriber* subscriber = list[place]) subscriber->on_delivery(delivery);
    }
  });
}

void Hub::deliver(const DeliveryPtr& delivery) {
  tell(delivery->channel(), [&delivery](Subscriber& subscriber) { subscriber.on_delivery(delivery); });
}

void Hub::join(const std::string& channel, const ClientInfo& info) {
  tell(channel, [&info](Subscriber& subscriber) { subscriber.on_join(info); });
}

void Hub::leave(const std::string& channel, const ClientInfo& info) {
  tell(channel, [&info](Subscriber& subscriber) { subscriber.on_leave(info); });
}

std::size_t Hub::subscribers(std::string_view channel) const {
  const auto found = channels_.find(channel);
  return found == channels_.end() ? 0 : found->second->alive;
}

std::size_t Hub::channels() const noexcept { return channels_.size(); }

std::size_t Hub::subscriptions() const noexcept { return subscriptions_; }

}  // namespace fairlead::server
