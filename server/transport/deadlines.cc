// SPDX-License-Identifier: Apache-2.0
#include "transport/deadlines.h"

namespace fairlead::server {

Deadlined::~Deadlined() {
  if (owner_ != nullptr) owner_->remove(*this);
}

Deadlines::~Deadlines() {
  for (const auto& [at, item] : items_) item->owner_ = nullptr;
}

void Deadlines::set(Deadlined& item, TimePoint at) {
  // What is set for the past while others have their turn comes behind them, in the next call.
  if (firing_ && at <= *firing_) at = *firing_ + Duration(1);
  if (item.owner_ == this && item.at_ <= at) return;
  remove(item);
  item.owner_ = this;
  item.at_ = at;
  items_.emplace(at, &item);
}

void Deadlines::remove(Deadlined& item) noexcept {
  if (item.owner_ != this) return;
  items_.erase({item.at_, &item});
  item.owner_ = nullptr;
}

std::optional<TimePoint> Deadlines::next() const {
  if (items_.empty()) return std::nullopt;
  return items_.begin()->first;
}

void Deadlines::fire(TimePoint now) {
  firing_ = now;
  // Calls may set and remove any item, so each is looked up anew.
  while (!items_.empty() && items_.begin()->first <= now) {
    Deadlined& item = *items_.begin()->second;
    remove(item);
    item.on_due(now);
  }
  firing_.reset();
}

}  // namespace fairlead::server
