// SPDX-License-Identifier: Apache-2.0
// What the sessions of one loop share. Everything answers on that loop.
#pragma once

#include "auth/gatekeeper.h"
#include "broker/broker.h"
#include "broker/event_log.h"
#include "hub/hub.h"
#include "metrics/trace.h"
#include "session/limits.h"
#include "session/missed_cache.h"
#include "session/settings.h"
#include "session/turnstile.h"

#include <fairlead/time.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace fairlead::server {

class Session;

// The node's knowledge of which channels somebody listens to, over all loops.
class ChannelInterest {
 public:
  virtual ~ChannelInterest() = default;
  // A subscriber of this loop has come, the first or another one; `done` (on this loop) once the broker's events reach
  // this loop: within the call when they already do.
  virtual void want(const std::string& channel, Done<void> done) = 0;
  // This loop's last one has gone.
  virtual void unwant(const std::string& channel) = 0;
  // The number that stands for the channel in compact pushes; the same on all loops, > 0.
  virtual std::int64_t number_of(const std::string& channel) = 0;
};

// Who is connected on this loop.
class SessionDirectory {
 public:
  virtual ~SessionDirectory() = default;
  // False: the user has as many connections on this node as allowed.
  virtual bool entered(Session& session) = 0;  // once it is connected
  virtual void left(Session& session) = 0;
  // Takes from the bucket of that operation that all of a user's connections share.
  virtual bool take_of_user(const std::string& user, UserOperation operation, double per_second) = 0;
};

struct SessionMetrics {
  std::uint64_t connected = 0, disconnected = 0, commands = 0, errors = 0, subscribed = 0, unsubscribed = 0;
  std::uint64_t publications = 0, recovered = 0, unrecovered = 0, gaps = 0;
  std::uint64_t filtered = 0, dropped = 0, sampled = 0, conflated = 0, slow = 0, deltas = 0;
};

struct SessionEnvironment {
  Hub& hub;
  Broker& broker;
  Gatekeeper& gate;
  ChannelInterest& interest;
  SessionDirectory& directory;
  EventLog& events;
  TraceRing& trace;
  SessionMetrics& metrics;
  std::shared_ptr<const SessionSettings> settings;  // replaced by a reload; a session keeps what it began with
  std::string node_id;
  std::function<std::string()> new_id;  // a random UUID
  std::function<double()> random;       // [0, 1)
  std::function<WallTime()> wall_clock;
  std::function<TimePoint()> clock;             // asked when an answer or a delivery comes, without a time of its own
  const PublicationEncoder* encoder = nullptr;  // for what a subscription that the server makes later recovers
  Turnstile* turnstile = nullptr;               // for commands that cost much; none: they are done at once
  MissedCache* missed = nullptr;                // of what clients recover; none: each recovery is written by itself
};

}  // namespace fairlead::server
