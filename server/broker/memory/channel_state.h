// SPDX-License-Identifier: Apache-2.0
// Everything that the memory engine keeps of one channel, and the rules for it. One thread at a time; no events, no
// callbacks.
#pragma once

#include "broker/broker.h"
#include "broker/memory/budget.h"
#include "broker/memory/expiring_map.h"

#include <deque>
#include <optional>
#include <string>

namespace fairlead::server {

class ChannelState {
 public:
  struct Published {
    PublishOutcome outcome;
    PublicationPtr publication;  // null: nothing is to be told
    PublicationPtr previous;
  };

  explicit ChannelState(Budget::Charge charge) : charge_(std::move(charge)) {}

  // What becomes of a publication where nothing is kept: no state is needed, and none is made.
  [[nodiscard]] static Published passing(Publication publication, WallTime now);

  // Each of these changes nothing when it answers with a fault.
  [[nodiscard]] Outcome<Published> publish(Publication publication, const PublishOptions& options, WallTime now,
                                           Budget& budget);
  [[nodiscard]] Outcome<void> add_presence(ClientInfo info, WallTime expires, Budget& budget);

  void remove_presence(const std::string& client) { presence_.erase(client); }
  void remove_history();
  // Begins a stream when there is none.
  [[nodiscard]] History history(const HistoryQuery& query, WallTime now);
  [[nodiscard]] PublicationPtr latest(WallTime now) const;
  [[nodiscard]] Presence presence(WallTime now) const;
  [[nodiscard]] PresenceStats presence_stats(WallTime now) const;

  // Forgets what has ended, at most a slice of it.
  void drop_expired(WallTime now);
  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] std::optional<WallTime> next_expiry() const;

  std::optional<WallTime> wake;  // when the sweep looks here next; the table's

 private:
  struct Kept {
    PublicationPtr publication;
    WallTime expires;
    Budget::Charge charge;
  };
  struct Answer {
    PublishOutcome outcome;
    Budget::Charge charge;
  };
  struct Version {
    std::uint64_t number = 0;
    Budget::Charge charge;
  };
  struct Member {
    ClientInfo info;
    Budget::Charge charge;
  };
  struct Charges {
    Budget::Charge publication, answer, version;
  };

  [[nodiscard]] static Outcome<Charges> take_charges(const Publication& publication, const PublishOptions& options,
                                                     Budget& budget);
  [[nodiscard]] bool stale(const PublishOptions& options, WallTime now) const;
  void remember_answer(const PublishOptions& options, const PublishOutcome& outcome, Budget::Charge charge,
                       WallTime now);
  void remember_version(const PublishOptions& options, Budget::Charge charge, WallTime now);
  StreamPosition advance(const PublishOptions& options, WallTime now);
  void keep(const PublicationPtr& publication, const PublishOptions& options, Budget::Charge charge, WallTime now);
  void begin_stream_if_ended(WallTime now);
  void drop_expired_history(WallTime now);

  Budget::Charge charge_;
  std::string epoch_;  // empty: no stream
  std::uint64_t top_ = 0;
  WallTime position_expires_{};
  std::deque<Kept> history_;  // offsets without holes up to the newest kept, expiring in their order
  std::optional<Kept> latest_;
  ExpiringMap<Answer> answers_;    // by idempotency key
  ExpiringMap<Version> versions_;  // by version epoch
  ExpiringMap<Member> presence_;   // by client
};

}  // namespace fairlead::server
