// SPDX-License-Identifier: Apache-2.0
#include "broker/memory/channel_state.h"

#include "broker/clock.h"
#include "broker/epoch.h"
#include "broker/limits.h"
#include "broker/options.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace fairlead::server {

namespace {

// Around each kept thing: nodes of containers, reference counts, allocator. Measured once, rounded up.
constexpr std::size_t overhead_bytes = 256;
constexpr std::size_t expired_per_call = 64;

std::size_t cost(const ClientInfo& info) {
  return overhead_bytes + info.user.size() + info.client.size() + info.conn_info.size() + info.chan_info.size();
}

std::size_t cost(const Publication& publication) {
  std::size_t bytes = overhead_bytes + publication.data.size() + publication.key.size();
  for (const auto& [name, value] : publication.tags) bytes += overhead_bytes + name.size() + value.size();
  return bytes + (publication.info ? cost(*publication.info) : 0);
}

Outcome<Budget::Charge> take(Budget& budget, std::size_t bytes) {
  auto charge = budget.take(bytes);
  if (!charge) return std::unexpected(Fault{FaultKind::full, "the memory engine holds as much as its limit allows"});
  return std::move(*charge);
}

}  // namespace

ChannelState::Published ChannelState::passing(Publication publication, WallTime now) {
  publication.offset = 0;
  if (publication.time_ms == 0) publication.time_ms = unix_ms(now);
  Published result;
  result.publication = std::make_shared<const Publication>(std::move(publication));
  return result;
}

Outcome<ChannelState::Published> ChannelState::publish(Publication publication, const PublishOptions& options,
                                                       WallTime now, Budget& budget) {
  const Answer* known = options.idempotency_key.empty() ? nullptr : answers_.find(options.idempotency_key, now);
  if (known != nullptr) {
    Published repeated{known->outcome, nullptr, nullptr};
    repeated.outcome.repeated = true;
    return repeated;
  }
  auto charges = take_charges(publication, options, budget);
  if (!charges) return std::unexpected(std::move(charges.error()));
  drop_expired_history(now);

  Published result;
  if (stale(options, now)) {
    result.outcome.stale = true;
    if (!epoch_.empty() && position_expires_ > now) result.outcome.position = {top_, epoch_};
    remember_answer(options, result.outcome, std::move(charges->answer), now);
    return result;
  }
  if (options.want_previous) result.previous = latest(now);
  if (has_history(options)) result.outcome.position = advance(options, now);
  publication.offset = result.outcome.position.offset;
  if (publication.time_ms == 0) publication.time_ms = unix_ms(now);
  if (options.version > 0) publication.version = options.version;
  result.publication = std::make_shared<const Publication>(std::move(publication));
  keep(result.publication, options, std::move(charges->publication), now);
  remember_answer(options, result.outcome, std::move(charges->answer), now);
  remember_version(options, std::move(charges->version), now);
  return result;
}

Outcome<ChannelState::Charges> ChannelState::take_charges(const Publication& publication, const PublishOptions& options,
                                                          Budget& budget) {
  const std::array wanted = {has_history(options) || options.keep_latest ? cost(publication) : 0,
                             options.idempotency_key.empty() ? 0 : overhead_bytes + options.idempotency_key.size(),
                             options.version == 0 ? 0 : overhead_bytes + options.version_epoch.size()};
  Charges charges;
  const std::array places = {&charges.publication, &charges.answer, &charges.version};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0) continue;
    auto charge = take(budget, wanted[i]);
    if (!charge) return std::unexpected(std::move(charge.error()));
    *places[i] = std::move(*charge);
  }
  return charges;
}

bool ChannelState::stale(const PublishOptions& options, WallTime now) const {
  if (options.version == 0) return false;
  const Version* newest = versions_.find(options.version_epoch, now);
  return newest != nullptr && options.version <= newest->number;
}

void ChannelState::remember_answer(const PublishOptions& options, const PublishOutcome& outcome, Budget::Charge charge,
                                   WallTime now) {
  if (options.idempotency_key.empty()) return;
  answers_.put(options.idempotency_key, {outcome, std::move(charge)}, expiry(now, options.idempotency_ttl));
}

void ChannelState::remember_version(const PublishOptions& options, Budget::Charge charge, WallTime now) {
  if (options.version == 0) return;
  versions_.put(options.version_epoch, {options.version, std::move(charge)}, expiry(now, options.history_meta_ttl));
  if (versions_.size() > version_epochs_per_channel) versions_.drop_next();
}

void ChannelState::begin_stream_if_ended(WallTime now) {
  if (!epoch_.empty() && position_expires_ > now) return;
  epoch_ = new_epoch();
  top_ = 0;
  history_.clear();
}

StreamPosition ChannelState::advance(const PublishOptions& options, WallTime now) {
  begin_stream_if_ended(now);
  position_expires_ = expiry(now, position_ttl(options.history_ttl, options.history_meta_ttl));
  return {++top_, epoch_};
}

void ChannelState::keep(const PublicationPtr& publication, const PublishOptions& options, Budget::Charge charge,
                        WallTime now) {
  const WallTime latest_expires = expiry(now, position_ttl(options.history_ttl, options.history_meta_ttl));
  if (!has_history(options)) {
    if (options.keep_latest) latest_ = Kept{publication, latest_expires, std::move(charge)};
    return;
  }
  const WallTime expires = expiry(now, options.history_ttl);
  for (auto older = history_.rbegin(); older != history_.rend() && older->expires > expires; ++older) {
    older->expires = expires;
  }
  // The history's newest is newer than what was kept; it is kept beside it only to outlive the history.
  latest_.reset();
  if (options.keep_latest) latest_ = Kept{publication, latest_expires, {}};
  history_.push_back({publication, expires, std::move(charge)});
  while (history_.size() > options.history_size) history_.pop_front();
}

void ChannelState::remove_history() {
  history_.clear();
  latest_.reset();
}

History ChannelState::history(const HistoryQuery& query, WallTime now) {
  if (epoch_.empty() || position_expires_ <= now) {
    begin_stream_if_ended(now);
    position_expires_ = expiry(now, position_ttl(query.history_ttl, query.history_meta_ttl));
  }
  drop_expired_history(now);
  History found{.publications = {}, .top = {top_, epoch_}};
  const auto offset_of = [](const Kept& kept) { return kept.publication->offset; };
  auto first = history_.begin();
  auto last = history_.end();
  if (query.since && query.reverse) last = std::ranges::lower_bound(history_, query.since->offset, {}, offset_of);
  if (query.since && !query.reverse) first = std::ranges::upper_bound(history_, query.since->offset, {}, offset_of);
  const auto count = std::min(query.limit, static_cast<std::size_t>(last - first));
  found.publications.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    found.publications.push_back((query.reverse ? *--last : *first++).publication);
  return found;
}

PublicationPtr ChannelState::latest(WallTime now) const {
  if (!history_.empty() && history_.back().expires > now && position_expires_ > now &&
      (!latest_ || latest_->publication->offset > 0)) {
    return history_.back().publication;
  }
  return latest_ && latest_->expires > now ? latest_->publication : nullptr;
}

Outcome<void> ChannelState::add_presence(ClientInfo info, WallTime expires, Budget& budget) {
  auto charge = take(budget, cost(info));
  if (!charge) return std::unexpected(std::move(charge.error()));
  const std::string client = info.client;
  presence_.put(client, {std::move(info), std::move(*charge)}, expires);
  return {};
}

Presence ChannelState::presence(WallTime now) const {
  Presence members;
  presence_.for_each(now, [&](const std::string& client, const Member& member) {
    members.emplace_hint(members.end(), client, member.info);
  });
  return members;
}

PresenceStats ChannelState::presence_stats(WallTime now) const {
  PresenceStats stats;
  std::unordered_set<std::string_view> users;
  presence_.for_each(now, [&](const std::string&, const Member& member) {
    ++stats.clients;
    users.insert(member.info.user);
  });
  stats.users = static_cast<std::uint32_t>(users.size());
  return stats;
}

void ChannelState::drop_expired_history(WallTime now) {
  while (!history_.empty() && history_.front().expires <= now) history_.pop_front();
}

void ChannelState::drop_expired(WallTime now) {
  drop_expired_history(now);
  if (latest_ && latest_->expires <= now) latest_.reset();
  answers_.drop_expired(now, expired_per_call);
  versions_.drop_expired(now, expired_per_call);
  presence_.drop_expired(now, expired_per_call);
  if (position_expires_ > now) return;
  history_.clear();
  epoch_.clear();
}

bool ChannelState::empty() const noexcept {
  return epoch_.empty() && history_.empty() && !latest_ && answers_.empty() && versions_.empty() && presence_.empty();
}

std::optional<WallTime> ChannelState::next_expiry() const {
  std::optional<WallTime> next;
  const auto consider = [&](std::optional<WallTime> time) {
    if (time && (!next || *time < *next)) next = time;
  };
  if (!epoch_.empty()) consider(position_expires_);
  if (!history_.empty()) consider(history_.front().expires);
  if (latest_) consider(latest_->expires);
  consider(answers_.next_expiry());
  consider(versions_.next_expiry());
  consider(presence_.next_expiry());
  return next;
}

}  // namespace fairlead::server
