// SPDX-License-Identifier: Apache-2.0
// The way of a channel's publications to one client: position, filter, delta base and slow policy. The plain case is a
// few comparisons and one call of the outbox.
#pragma once

#include "hub/hub.h"
#include "model/filter.h"
#include "session/backlog.h"
#include "session/environment.h"
#include "session/outbox.h"

#include <fairlead/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::server {

class Subscription;

// Its session. The first two end the subscription.
class SubscriptionHost {
 public:
  virtual ~SubscriptionHost() = default;
  virtual void on_gap(Subscription& subscription, std::uint64_t offset) = 0;
  virtual void on_too_slow() = 0;
  virtual void on_left_out(const Subscription& subscription, TraceKind why, std::uint64_t offset) = 0;
  virtual void wake_at(TimePoint at) = 0;  // to flush
  [[nodiscard]] virtual TimePoint time() const = 0;
};

class Subscription final : public Subscriber {
 public:
  struct Terms {
    std::string channel;
    bool server_side = false;
    bool positioned = false, recoverable = false;
    bool delta = false, compact = false;
    bool hears_join_leave = false;
    std::unique_ptr<const FilterNode> filter;  // null: everything
    Backlog::Terms slow;
    double sample_per_second = 1;
    std::size_t queue_max_bytes = 1024 * 1024;
  };
  Subscription(SubscriptionHost& host, Outbox& outbox, SessionMetrics& metrics, Terms terms);

  // ── Joining: what comes before it is live is kept back ────────────────────────────────────────────────────────────
  // Whether what was kept back goes on where `top` ends. When not, something was lost on the way here.
  [[nodiscard]] bool continues(const StreamPosition& top) const;
  // Publications that were kept back are known from elsewhere, up to this one (without an offset).
  void forget_until(const Publication& known);
  // From here on. `sent`: the last publication that the client has got with its subscription, if any.
  void go_live(StreamPosition position, PublicationPtr sent);
  void retire() noexcept;  // nothing reaches the client any more

  // ── Live ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  void on_delivery(const DeliveryPtr& delivery) override;
  bool on_deliveries(const DeliveryBatch& batch) override;
  void warm() const noexcept override { static_cast<void>(outbox_->queued_bytes()); }
  void on_join(const ClientInfo& info) override;
  void on_leave(const ClientInfo& info) override;
  // Sends what waits as far as the client takes it.
  void flush();
  // One of the stream that comes by another way than the hub: in front of the first live one.
  void send_recovered(const Delivery& delivery);

  [[nodiscard]] const std::string& channel() const noexcept { return terms_.channel; }
  [[nodiscard]] const StreamPosition& position() const noexcept { return position_; }
  [[nodiscard]] bool live() const noexcept { return phase_ == Phase::live; }
  [[nodiscard]] const Terms& terms() const noexcept { return terms_; }

 private:
  enum class Phase : std::uint8_t { joining, live, retired };
  enum class Step : std::uint8_t { next, duplicate, gap };

  void on_special_delivery(const DeliveryPtr& delivery);
  void keep_back(const DeliveryPtr& delivery);
  [[nodiscard]] Step advance(const Delivery& delivery);
  void hold(const DeliveryPtr& delivery);
  void send(const DeliveryPtr& delivery);
  [[nodiscard]] bool builds_on_last(const Delivery& delivery) const;
  [[nodiscard]] bool slow() const noexcept { return outbox_->queued_bytes() > slow_above_bytes_; }
  [[nodiscard]] bool has_policy() const noexcept { return terms_.slow.policy != SlowPolicy::disconnect; }
  [[nodiscard]] bool holds() const noexcept { return backlog_ && !backlog_->empty(); }
  void choose_path() noexcept;
  [[nodiscard]] bool may_push_now();

  // What the plain case looks at comes first.
  bool plain_ = false;  // live, no filter, no delta, nothing held
  Phase phase_ = Phase::joining;
  bool positioned_ = false;
  WireForm form_;
  std::size_t slow_above_bytes_;
  Outbox* outbox_;
  SessionMetrics* metrics_;
  StreamPosition position_;

  SubscriptionHost& host_;
  Terms terms_;
  PublicationPtr last_sent_;  // with deltas alone: what the next one may build on
  std::unique_ptr<Backlog> backlog_;
  TimePoint next_sample_{};
  bool lost_while_joining_ = false;
  std::vector<DeliveryPtr> kept_back_;
};

}  // namespace fairlead::server
