// SPDX-License-Identifier: Apache-2.0
// Servers and tasks on the caller's own io_context.
#include <fairlead/asio.h>

#include "net/channel.h"
#include "net/client_contexts.h"
#include "net/loop_context.h"
#include "net/server_core.h"

#include <boost/asio/post.hpp>

#include <memory>
#include <utility>

namespace fairlead {

Result<void> start_on(boost::asio::io_context& context, Server& server) {
  return net::ServerCore::of(server).start_on(context);
}

namespace {
// A loop of ours on a context of theirs; it goes when its last task and channel have ended.
struct Guest {
  explicit Guest(boost::asio::io_context& theirs) : loop(theirs), context(loop) {
    context.spawned.on_end = [this] { leave_when_idle(); };
    context.on_idle = [this] { leave_when_idle(); };
  }

  void leave_when_idle() {
    if (context.spawned.running() != 0 || !context.channels.empty() || self == nullptr) return;
    // Not from inside its own call.
    boost::asio::post(loop.context(), [last = std::exchange(self, nullptr)] {});
  }

  io::Loop loop;
  net::LoopContext context;
  std::shared_ptr<Guest> self;
};

}  // namespace

void spawn_on(boost::asio::io_context& context, std::function<Task<>()> task) {
  auto guest = std::make_shared<Guest>(context);
  guest->self = guest;
  guest->loop.post([raw = guest.get(), task = std::move(task)] { raw->context.spawned.start(task); });
}

}  // namespace fairlead
