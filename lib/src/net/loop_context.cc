// SPDX-License-Identifier: Apache-2.0
#include "net/loop_context.h"

#include "io/outbox.h"
#include "net/channel.h"
#include "net/client_contexts.h"
#include "net/group_part.h"

#include <utility>

namespace fairlead::net {
namespace {
// Memory is published in steps of this, so that the hot path does not.
constexpr std::size_t publish_step_bytes = std::size_t{64} * 1024;
}  // namespace

LoopContext::LoopContext(io::Loop& owner)
    : loop(owner),
      doorway(owner),
      receive_storage(std::make_unique_for_overwrite<std::byte[]>(receive_buffer_bytes)),
      resources{entropy, buffers, deflate},
      mailbox(std::make_shared<Mailbox>(owner)),
      clients(std::make_unique<ClientContexts>()) {
  loop.user = this;
}

LoopContext::~LoopContext() {
  const io::Loop::Entered entered(loop);
  on_idle = nullptr;
  for (GroupPart* const part : groups) part->let_go_of_loop();
  mailbox->detach();
  lingering.clear();
  // Channels first learn that they have ended, so that coroutines that wait for them go on and end; what waits for
  // something else is destroyed where it waits.
  while (!channels.empty()) {
    const std::shared_ptr<Channel> channel = channels.begin()->second;
    channel->abandon();
    channels.erase(channel.get());
  }
  spawned.destroy_all();
  loop.outbox().flush();
  loop.user = nullptr;
}

LoopContext* LoopContext::current() noexcept {
  io::Loop* const here = io::Loop::current();
  return here != nullptr ? static_cast<LoopContext*>(here->user) : nullptr;
}

std::shared_ptr<const TlsInfo> LoopContext::intern(TlsInfo info) {
  if (info.peer_certificate != nullptr) return std::make_shared<const TlsInfo>(std::move(info));
  if (last_tls_info == nullptr || *last_tls_info != info)
    last_tls_info = std::make_shared<const TlsInfo>(std::move(info));
  return last_tls_info;
}

std::size_t LoopContext::budgeted_bytes() const noexcept {
  return buffers.lent_bytes() + deflate.held_bytes() + tls_bytes;
}

void LoopContext::publish_memory() noexcept {
  const std::size_t now = budgeted_bytes();
  const std::size_t published = counters.buffer_bytes.get();
  const std::size_t difference = now > published ? now - published : published - now;
  if (difference < publish_step_bytes) return;
  counters.buffer_bytes.set(now);
  if (now > published && on_memory_grown) on_memory_grown(difference);
}

}  // namespace fairlead::net
