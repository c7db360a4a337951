// SPDX-License-Identifier: Apache-2.0
// What is configured about one client: the section `client`, without trust (auth/settings.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace fairlead::server {

struct SessionSettings {
  using Milliseconds = std::chrono::milliseconds;
  Milliseconds ping_interval{25'000};        // not positive: no pings, and so no answers to wait for
  Milliseconds pong_timeout{8'000};          // not positive: clients need not answer
  Milliseconds stale_close_delay{10'000};    // connect must come within
  Milliseconds expired_close_delay{25'000};  // grace after a connection's expiry
  Milliseconds expired_sub_close_delay{25'000};
  Milliseconds channel_position_check_delay{40'000};
  Milliseconds presence_update_interval{27'000};
  Milliseconds presence_ttl{60'000};
  std::size_t channel_limit = 128;            // subscriptions of one client, server-side ones not counted
  std::size_t queue_max_bytes = 1024 * 1024;  // waiting to be written; 3008 past it
  std::size_t connection_limit = 0;           // of the node; 0: none. Past either: 3001
  double connections_per_second = 0;          // of the node; 0: any
  std::size_t user_connection_limit = 0;      // 0: none; 3504 past it
  std::size_t history_max_publication_limit = 300;
  std::size_t recovery_max_publication_limit = 300;
  std::size_t commands_in_flight = 128;  // waiting for an answer of a backend; the next ones wait unread
  // Per second, with a burst of twice this; 0: no limit. Past it: error 111, and 3013 past ten times it.
  double commands_per_second = 200;
  double publishes_per_second = 0, subscribes_per_second = 0, rpcs_per_second = 0;
  // All connections of a user on this node together; past it: error 111.
  double user_commands_per_second = 0, user_publishes_per_second = 0, user_subscribes_per_second = 0;
  double user_rpcs_per_second = 0;
  std::size_t max_errors = 0;  // 3509 past it; 0: no limit
  bool include_server_time = false;
  std::string node_version;  // shown to clients
};

}  // namespace fairlead::server
