// SPDX-License-Identifier: Apache-2.0
#include "session/subscription.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace fairlead::server {

namespace {

// Of one subscription while it joins. What comes on top was lost, which is found out when it goes live.
constexpr std::size_t kept_back_limit = 4'096;

WireForm form_of(const Outbox& outbox, const Subscription::Terms& terms) {
  return {outbox.format(), terms.delta ? PayloadForm::delta_base : PayloadForm::plain, outbox.envelope(),
          terms.compact};
}

Duration sampling_period(double per_second) {
  const double seconds = 1 / std::max(per_second, 0.001);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

Subscription::Subscription(SubscriptionHost& host, Outbox& outbox, SessionMetrics& metrics, Terms terms)
    : positioned_(terms.positioned),
      form_(form_of(outbox, terms)),
      slow_above_bytes_(terms.queue_max_bytes / 2),
      outbox_(&outbox),
      metrics_(&metrics),
      host_(host),
      terms_(std::move(terms)) {}

// ── Joining ─────────────────────────────────────────────────────────────────────────────────────────────────────────
void Subscription::keep_back(const DeliveryPtr& delivery) {
  if (kept_back_.size() < kept_back_limit) {
    kept_back_.push_back(delivery);
    return;
  }
  lost_while_joining_ = true;
}

bool Subscription::continues(const StreamPosition& top) const {
  if (!positioned_) return true;
  if (lost_while_joining_) return false;
  std::uint64_t reached = top.offset;
  for (const DeliveryPtr& delivery : kept_back_) {
    const StreamPosition& position = delivery->position();
    if (position.offset == 0) continue;
    if (position.epoch != top.epoch || position.offset > reached + 1) return false;
    reached = std::max(reached, position.offset);
  }
  return true;
}

void Subscription::forget_until(const Publication& known) {
  const auto same = [&known](const DeliveryPtr& delivery) {
    const Publication& publication = delivery->publication();
    return &publication == &known || (publication.offset == known.offset && publication.time_ms == known.time_ms &&
                                      publication.data == known.data);
  };
  const auto last = std::find_if(kept_back_.rbegin(), kept_back_.rend(), same);
  kept_back_.erase(kept_back_.begin(), last.base());
}

void Subscription::go_live(StreamPosition position, PublicationPtr sent) {
  position_ = std::move(position);
  if (terms_.delta) last_sent_ = std::move(sent);
  phase_ = Phase::live;
  choose_path();
  for (const DeliveryPtr& delivery : std::exchange(kept_back_, {})) {
    if (phase_ != Phase::live) return;
    on_delivery(delivery);
  }
}

void Subscription::retire() noexcept {
  phase_ = Phase::retired;
  plain_ = false;
  kept_back_.clear();
  backlog_.reset();
  last_sent_.reset();
}

void Subscription::choose_path() noexcept {
  plain_ = phase_ == Phase::live && !terms_.filter && !terms_.delta && !holds();
}

// ── Live ────────────────────────────────────────────────────────────────────────────────────────────────────────────
void Subscription::on_delivery(const DeliveryPtr& delivery) {
  const StreamPosition& position = delivery->position();
  const bool in_order = !positioned_ || (position.offset == position_.offset + 1 && position.epoch == position_.epoch);
  if (!plain_ || !in_order || slow()) [[unlikely]]
    return on_special_delivery(delivery);
  if (positioned_) ++position_.offset;
  ++metrics_->publications;
  outbox_->publication(*delivery, form_);
}

// The plain case of several: in order, and no reason to look at each.
bool Subscription::on_deliveries(const DeliveryBatch& batch) {
  const bool has_room = outbox_->queued_bytes() + batch.bytes() <= slow_above_bytes_;
  if (!plain_ || !has_room || (positioned_ && !batch.continues(position_))) return false;
  if (positioned_) position_.offset += batch.size();
  metrics_->publications += batch.size();
  outbox_->publications(batch, form_);
  return true;
}

void Subscription::on_special_delivery(const DeliveryPtr& delivery) {
  if (phase_ == Phase::joining) return keep_back(delivery);
  if (phase_ == Phase::retired) return;
  const Step step = advance(*delivery);
  if (step == Step::duplicate) return;
  if (step == Step::gap) return host_.on_gap(*this, delivery->position().offset);
  if (terms_.filter && !matches(*terms_.filter, delivery->publication().tags)) {
    ++metrics_->filtered;
    return host_.on_left_out(*this, TraceKind::filtered, delivery->position().offset);
  }
  if (holds()) flush();
  if (phase_ != Phase::live) return;
  if (holds() || (has_policy() && slow())) return hold(delivery);
  send(delivery);
}

// A publication without an offset is outside of the stream: it moves nothing.
Subscription::Step Subscription::advance(const Delivery& delivery) {
  const StreamPosition& position = delivery.position();
  if (!positioned_ || position.offset == 0) return Step::next;
  if (position_.epoch.empty()) position_.epoch = position.epoch;
  if (position.epoch != position_.epoch) return Step::gap;
  if (position.offset <= position_.offset) return Step::duplicate;
  if (position.offset > position_.offset + 1) return Step::gap;
  position_.offset = position.offset;
  return Step::next;
}

void Subscription::hold(const DeliveryPtr& delivery) {
  if (!backlog_) backlog_ = std::make_unique<Backlog>(terms_.slow);
  const auto left = backlog_->add(delivery);
  choose_path();
  if (!left) return;
  if (left->why == TraceKind::sampled) ++metrics_->sampled;
  if (left->why == TraceKind::conflated) ++metrics_->conflated;
  if (left->why == TraceKind::dropped) ++metrics_->dropped;
  host_.on_left_out(*this, left->why, left->delivery->position().offset);
}

void Subscription::flush() {
  const bool sampling = terms_.slow.policy == SlowPolicy::sample;
  while (holds() && !slow()) {
    if (sampling) {
      const TimePoint now = host_.time();
      if (now < next_sample_) return host_.wake_at(next_sample_);
      next_sample_ = now + sampling_period(terms_.sample_per_second);
    }
    const DeliveryPtr delivery = backlog_->take();
    choose_path();
    send(delivery);  // may end the session, which keeps this alive while it flushes
  }
}

void Subscription::send(const DeliveryPtr& delivery) {
  WireForm form = form_;
  if (terms_.delta) {
    if (builds_on_last(*delivery)) {
      form.payload = PayloadForm::delta;
      ++metrics_->deltas;
    }
    last_sent_ = delivery->publication_ptr();
  }
  ++metrics_->publications;
  outbox_->publication(*delivery, form);
  if (phase_ == Phase::live && outbox_->queued_bytes() > terms_.queue_max_bytes) host_.on_too_slow();
}

// A delta is of use only to a client whose last message was the one before it. What a filter or a slow policy has left
// out, or what came outside of the stream, breaks the chain; the next one is sent in full.
bool Subscription::builds_on_last(const Delivery& delivery) const {
  const PublicationPtr& base = delivery.previous();
  if (!base || !last_sent_) return false;
  if (base == last_sent_) return true;
  return base->offset == last_sent_->offset && base->json == last_sent_->json && base->data == last_sent_->data;
}

void Subscription::send_recovered(const Delivery& delivery) {
  ++metrics_->publications;
  outbox_->publication(delivery, form_);
}

// ── Who comes and goes ──────────────────────────────────────────────────────────────────────────────────────────────
// A slow client with a policy of its own is spared them; without one it is disconnected like for a publication.
bool Subscription::may_push_now() {
  if (phase_ != Phase::live || !terms_.hears_join_leave) return false;
  if (outbox_->queued_bytes() > terms_.queue_max_bytes) {
    host_.on_too_slow();
    return false;
  }
  return !(has_policy() && slow());
}

void Subscription::on_join(const ClientInfo& info) {
  if (may_push_now()) outbox_->push(Push{terms_.channel, 0, JoinPush{info}});
}

void Subscription::on_leave(const ClientInfo& info) {
  if (may_push_now()) outbox_->push(Push{terms_.channel, 0, LeavePush{info}});
}

}  // namespace fairlead::server
