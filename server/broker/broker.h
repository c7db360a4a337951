// SPDX-License-Identifier: Apache-2.0
// What an engine does: it puts publications into an order, keeps their history and who is present, and tells every node
// that wants to know. All engines pass one conformance suite (broker/conformance.h), so they are the same by proof.
//
// Threads: every call may come from any thread and never blocks on a disk or a network. `done` is called exactly once,
// on any thread, perhaps before the call returns. Events of one channel come in the order of their offsets, never two
// at once for one channel; different channels may run side by side. After `stop` has returned nothing is called any
// more: what was still open has been done, where there was time, or answered with `unavailable`. `stop` is not called
// from inside `done` or an event. Events may come while the engine holds a channel's lock: receivers only post them on.
// The event log and the store of the same engine open and end with its broker.
#pragma once

#include "model/done.h"
#include "model/publication.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

// How one publication is stored. History needs a size and a time; without both offset 0 is given and nothing is kept.
struct PublishOptions {
  std::size_t history_size = 0;
  std::chrono::milliseconds history_ttl{0};
  std::chrono::milliseconds history_meta_ttl{std::chrono::hours(720)};  // of position, versions
  bool keep_latest = false;       // remember the newest one also without a history (offset 0)
  bool want_previous = false;     // tell the one before it with the event: the base of a delta
  std::string idempotency_key{};  // a second publication with it answers like the first and does nothing
  std::chrono::milliseconds idempotency_ttl{std::chrono::minutes(5)};
  std::uint64_t version = 0;  // > 0: dropped unless newer than the newest seen of this `version_epoch`
  std::string version_epoch{};
};

struct PublishOutcome {
  StreamPosition position{};  // offset 0 and no epoch: not kept
  bool repeated = false;      // the idempotency key was known: `position` is the first one's
  bool stale = false;         // the version was not newer: nothing was published
};

struct HistoryQuery {
  std::optional<StreamPosition>
      since{};            // exclusive; its epoch is not checked here: the caller compares with the top's
  std::size_t limit = 0;  // 0: only the position
  bool reverse = false;   // from the newest (or from `since`) downwards
  std::chrono::milliseconds history_ttl{0};  // what the channel's options say, for channels that are not there yet
  std::chrono::milliseconds history_meta_ttl{std::chrono::hours(720)};
};
struct History {
  std::vector<PublicationPtr> publications{};
  StreamPosition top{};  // a channel that never was gets a new epoch and offset 0
};

// What happened in channels this node has subscribed to.
class BrokerEvents {
 public:
  virtual ~BrokerEvents() = default;
  // `previous`: the publication before it in the stream, when it was asked for and is known.
  virtual void on_publication(const std::string& channel, PublicationPtr publication, const StreamPosition& position,
                              PublicationPtr previous) = 0;
  virtual void on_join(const std::string& channel, const ClientInfo& info) = 0;
  virtual void on_leave(const std::string& channel, const ClientInfo& info) = 0;
};

class Broker {
 public:
  virtual ~Broker() = default;

  // Opens what it needs (may block: it is called at start, before any client). `events` outlives the broker's run.
  [[nodiscard]] virtual Outcome<void> start(BrokerEvents& events) = 0;
  virtual void stop() = 0;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;  // "memory", "sqlite"

  // From when `done` is called until `unsubscribe`, events of this channel reach this node.
  virtual void subscribe(const std::string& channel, Done<void> done) = 0;
  virtual void unsubscribe(const std::string& channel, Done<void> done) = 0;

  // An answered publication is never lost by a durable engine. The event may come before or after `done`.
  // Of one thread's publications, in whatever channels, those that keep something (broker/options.h) are told in the
  // order of the calls, and so are those that only pass through; these may overtake those.
  virtual void publish(const std::string& channel, Publication publication, PublishOptions options,
                       Done<PublishOutcome> done) = 0;
  virtual void publish_join(const std::string& channel, ClientInfo info, Done<void> done) = 0;
  virtual void publish_leave(const std::string& channel, ClientInfo info, Done<void> done) = 0;

  virtual void history(const std::string& channel, HistoryQuery query, Done<History> done) = 0;
  // Drops the publications, the kept latest too; the position stays.
  virtual void remove_history(const std::string& channel, Done<void> done) = 0;
  // The newest publication that is known, from the history or kept as the latest; null: none.
  virtual void latest(const std::string& channel, Done<PublicationPtr> done) = 0;

  // A member that is not renewed within `ttl` disappears.
  virtual void add_presence(const std::string& channel, ClientInfo info, std::chrono::milliseconds ttl,
                            Done<void> done) = 0;
  virtual void remove_presence(const std::string& channel, const std::string& client, Done<void> done) = 0;
  virtual void presence(const std::string& channel, Done<Presence> done) = 0;
  virtual void presence_stats(const std::string& channel, Done<PresenceStats> done) = 0;
};

}  // namespace fairlead::server
