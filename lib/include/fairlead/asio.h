// SPDX-License-Identifier: Apache-2.0
// Optional: a server or a client on the caller's own boost::asio::io_context. The only public header that knows Boost.
#pragma once

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <boost/asio/io_context.hpp>

namespace fairlead {

// Runs `server` on `context` instead of on loops of its own: call it after `listen` and instead of `start`. The context
// must be run by one thread; the server's handlers run there. Neither may outlive the other: stop the server, run the
// context until it has no work, then destroy both.
Result<void> start_on(boost::asio::io_context& context, Server& server);

// Starts `task` (which may `connect`) on `context`. The context must be run by one thread and outlive the task.
void spawn_on(boost::asio::io_context& context, std::function<Task<>()> task);

}  // namespace fairlead
