// SPDX-License-Identifier: Apache-2.0
// The WebSockets behind the channel page: what a connection negotiated, a room for browsers and terminals, an echo.
// `fairlead demo` serves them, and `fairlead serve` while it has no configuration.
#pragma once

#include <fairlead/server.h>

namespace fairlead::cli {

// Puts /api/session, /room and /echo on the server. `development_certificate`: it serves with the certificate of
// `fairlead cert dev`, which the page then names in its command.
void add_channel_demo(Server& server, bool development_certificate);

}  // namespace fairlead::cli
