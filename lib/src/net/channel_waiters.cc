// SPDX-License-Identifier: Apache-2.0
// What coroutines wait for at a WebSocket: a message, room to send the next one, the end.
#include "net/channel.h"

#include "base/assert.h"

#include <algorithm>
#include <utility>

namespace fairlead::net {
namespace {

// What waits for a coroutine that is busy with something else; past either number the peer is slowed down.
constexpr std::size_t inbox_messages = 16;
constexpr std::size_t inbox_bytes_limit = std::size_t{64} * 1024;

}  // namespace

Channel::Waiters& Channel::waiters() {
  if (waiters_ == nullptr) waiters_ = std::make_unique<Waiters>();
  return *waiters_;
}

bool Channel::inbox_full() const noexcept {
  return waiters_ != nullptr &&
         (waiters_->inbox.size() >= inbox_messages || waiters_->inbox_bytes >= inbox_bytes_limit);
}

void Channel::arrived(Received received) {
  if (inbox_full()) return;  // `unheard`, or `sends_in_vain`
  Waiters& state = waiters();
  state.inbox_bytes += received.payload.size();
  state.inbox.push_back(std::move(received));
  if (state.receiver) std::exchange(state.receiver, {}).resume();
}

bool Channel::ready_to_receive() {
  Waiters& state = waiters();
  if (state.interrupted || !state.inbox.empty() || closed_) return true;
  // Bytes of further messages may lie in the state machine: the coroutine pulls them itself, so a burst of messages
  // costs one resumption. Not while `pump` stands below us on the stack with an event in its hands: it goes on.
  if (!pumping_) read_on();
  return state.interrupted || !state.inbox.empty() || closed_;
}

Result<Channel::Received> Channel::take() {
  Waiters& state = waiters();
  if (state.interrupted) return fairlead::fail(*std::exchange(state.interrupted, std::nullopt));
  if (state.inbox.empty()) return fairlead::fail(Errc::closed);
  Received first = std::move(state.inbox.front());
  state.inbox.erase(state.inbox.begin());
  state.inbox_bytes -= first.payload.size();
  // What the state machine holds comes before more is read: else each message that is taken would let a whole read in.
  if (!closed_ && stream_->paused() && !pumping_) read_on();
  return first;
}

void Channel::wait_to_receive(std::coroutine_handle<> waiting) {
  FAIRLEAD_ASSERT(!waiters().receiver);  // one receive at a time
  waiters().receiver = waiting;
}

void Channel::interrupt_receive(Errc why) {
  if (!waiters().receiver) return;
  const auto alive = shared_from_this();
  waiters().interrupted = why;
  std::exchange(waiters().receiver, {}).resume();
}

void Channel::wait_for_room(std::coroutine_handle<> waiting, RoomFor what) {
  waiters().for_room.push_back({waiting, what});
  want_flush();
}

void Channel::wait_until_closed(std::coroutine_handle<> waiting) {
  waiters().for_close.push_back(waiting);
  if (unheard()) read_on_later();
}

bool Channel::forget_wait(std::coroutine_handle<> waiting) {
  Waiters& state = waiters();
  const auto is_it = [&](const Waiters::ForRoom& one) { return one.handle == waiting; };
  return std::erase_if(state.for_room, is_it) + std::erase(state.for_close, waiting) != 0;
}

// Each is asked again when its turn comes: those before it may have taken the room.
void Channel::resume_those_with_room() {
  if (waiters_ == nullptr || waiters_->for_room.empty()) return;
  auto& list = waiters_->for_room;
  for (std::size_t left = list.size(); left != 0; --left) {
    const auto next = std::ranges::find_if(list, [&](const Waiters::ForRoom& one) { return has_room(one.what); });
    if (next == list.end()) return;
    const auto handle = next->handle;
    list.erase(next);
    handle.resume();
  }
}

void Channel::resume_all() {
  if (waiters_ == nullptr) return;
  if (waiters_->receiver) std::exchange(waiters_->receiver, {}).resume();
  for (const auto& one : std::exchange(waiters_->for_room, {})) one.handle.resume();
  for (const auto handle : std::exchange(waiters_->for_close, {})) handle.resume();
}

}  // namespace fairlead::net
