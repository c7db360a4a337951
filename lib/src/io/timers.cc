// SPDX-License-Identifier: Apache-2.0
#include "io/timers.h"

#include "base/assert.h"

namespace fairlead::io {

Timer::~Timer() {
  if (owner_ != nullptr) owner_->cancel(*this);
}

Timers::~Timers() {
  for (Timer* timer : heap_) timer->owner_ = nullptr;
}

void Timers::set(Timer& timer, TimePoint at) {
  FAIRLEAD_ASSERT(timer.owner_ == nullptr || timer.owner_ == this);
  timer.at_ = at;
  if (timer.owner_ == nullptr) {
    timer.owner_ = this;
    heap_.push_back(&timer);
    timer.index_ = heap_.size() - 1;
  }
  sift_up(timer.index_);
  sift_down(timer.index_);
}

void Timers::cancel(Timer& timer) noexcept {
  if (timer.owner_ == nullptr) return;
  remove(timer);
  if (heap_.empty() && on_none_left) on_none_left();
}

void Timers::remove(Timer& timer) noexcept {
  FAIRLEAD_ASSERT(timer.owner_ == this && heap_[timer.index_] == &timer);
  const std::size_t hole = timer.index_;
  timer.owner_ = nullptr;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(hole, *last);
  sift_up(hole);
  sift_down(last->index_);
}

std::optional<TimePoint> Timers::next() const noexcept {
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->at_;
}

void Timers::fire(TimePoint now, const std::function<void()>& after_each) {
  // Bounded by what is armed now, so a timer that arms itself for the past cannot hold the loop.
  for (std::size_t left = heap_.size(); left != 0 && !heap_.empty() && heap_.front()->at_ <= now; --left) {
    Timer& due = *heap_.front();
    remove(due);
    due.on_timer(now);
    if (after_each) after_each();
  }
}

void Timers::place(std::size_t index, Timer& timer) noexcept {
  heap_[index] = &timer;
  timer.index_ = index;
}

void Timers::sift_up(std::size_t index) noexcept {
  Timer& moving = *heap_[index];
  while (index != 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->at_ <= moving.at_) break;
    place(index, *heap_[parent]);
    index = parent;
  }
  place(index, moving);
}

void Timers::sift_down(std::size_t index) noexcept {
  Timer& moving = *heap_[index];
  while (true) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->at_ < heap_[child]->at_) ++child;
    if (moving.at_ <= heap_[child]->at_) break;
    place(index, *heap_[child]);
    index = child;
  }
  place(index, moving);
}

}  // namespace fairlead::io
