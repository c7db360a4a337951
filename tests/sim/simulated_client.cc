// SPDX-License-Identifier: Apache-2.0
#include "sim/simulated_client.h"

#include "protocol/centrifuge/fossil.h"

#include <algorithm>
#include <utility>

namespace fairlead::server::testing {

// ── What was published ──────────────────────────────────────────────────────────────────────────────────────────────
void Truth::add(const std::string& channel, const StreamPosition& at, Entry entry) {
  streams_[channel][at.epoch].push_back(std::move(entry));
}

const std::vector<Truth::Entry>& Truth::all(const std::string& channel, const std::string& epoch) const {
  static const std::vector<Entry> none;
  const auto stream = streams_.find(channel);
  if (stream == streams_.end()) return none;
  const auto life = stream->second.find(epoch);
  return life == stream->second.end() ? none : life->second;
}

const Truth::Entry* Truth::find(const std::string& channel, const StreamPosition& at) const {
  const auto& entries = all(channel, at.epoch);
  return at.offset == 0 || at.offset > entries.size() ? nullptr : &entries[at.offset - 1];
}

// ── Coming and going ────────────────────────────────────────────────────────────────────────────────────────────────
SimulatedClient::SimulatedClient(World& world, const Truth& truth, const std::map<std::string, ChannelKind>& kinds,
                                 WireFormat format, std::function<void(const std::string&)> wrong)
    : world_(world), truth_(truth), kinds_(kinds), format_(format), wrong_(std::move(wrong)) {
  for (const auto& [channel, kind] : kinds_) subscriptions_.try_emplace(channel);
}

SimulatedClient::~SimulatedClient() {
  if (session_) session_->closed(world_.timeline.now());
}

SubscribeRequest SimulatedClient::request_for(const std::string& channel) {
  Subscribed& mine = subscriptions_.at(channel);
  const ChannelKind& kind = kinds_.at(channel);
  SubscribeRequest request = to(channel);
  request.recover = mine.recoverable;
  if (mine.recoverable) request.since = mine.position;
  if (kind.filtered) request.filter = FilterNode{"", "room", "eq", "1", {}, {}};
  if (kind.delta) request.delta = "fossil";
  return request;
}

void SimulatedClient::come() {
  ended_ = connected_ = false;
  Caller caller;
  session_ = Session::make(world_.environment(), *this, caller, {}, world_.timeline.now());
  ConnectRequest connect;
  std::vector<Command> frame;
  frame.push_back({next_id_++, {}});
  for (auto& [channel, mine] : subscriptions_) {
    mine.state = State::idle;
    if (kinds_.at(channel).server_side) {
      connect.subs[channel] = request_for(channel);
    } else if (mine.wanted) {
      mine.state = State::subscribing;
      asked_[next_id_] = channel;
      frame.push_back({next_id_++, request_for(channel)});
    }
  }
  frame.front().body = std::move(connect);
  send(std::move(frame));
}

void SimulatedClient::send(std::vector<Command> commands) {
  if (session_ && !ended_) session_->receive(std::move(commands), world_.timeline.now());
}

// What was on its way is read or lost.
void SimulatedClient::drop(bool read_all) {
  if (!session_) return;
  if (read_all && !ended_) this->read_all();
  const auto session = std::exchange(session_, nullptr);
  ended_ = true;
  session->closed(world_.timeline.now());
  queue_.clear();
  full_ = false;
  asked_.clear();
  for (auto& [channel, mine] : subscriptions_) mine.state = State::idle;
}

void SimulatedClient::reap() {
  if (session_ && ended_) drop(false);
}

void SimulatedClient::toggle(const std::string& channel) {
  Subscribed& mine = subscriptions_.at(channel);
  if (!connected_ || ended_ || kinds_.at(channel).server_side || mine.state == State::subscribing) return;
  mine.wanted = mine.state == State::idle;
  if (mine.wanted) return resubscribe(channel);
  mine.state = State::idle;
  send({Command{next_id_++, UnsubscribeRequest{channel}}});
}

void SimulatedClient::resubscribe(const std::string& channel) {
  subscriptions_.at(channel).state = State::subscribing;
  asked_[next_id_] = channel;
  const std::uint32_t id = next_id_++;
  send({Command{id, request_for(channel)}});
}

// ── Time and reading ────────────────────────────────────────────────────────────────────────────────────────────────
std::optional<TimePoint> SimulatedClient::deadline() const {
  return session_ && !ended_ ? session_->deadline() : std::nullopt;
}

void SimulatedClient::on_time(TimePoint now) {
  if (session_ && !ended_) session_->on_deadline(now);
}

void SimulatedClient::read(std::size_t messages) {
  const std::size_t half = world_.settings.queue_max_bytes / 2;
  full_ = full_ || queued_bytes() > half;
  for (; messages > 0 && !queue_.empty() && !ended_; --messages) {
    Message message = std::move(queue_.front());
    queue_.pop_front();
    handle(std::move(message));
  }
  if (!full_ || queued_bytes() >= half || !session_ || ended_) return;
  full_ = false;
  session_->on_drained(world_.timeline.now());
}

void SimulatedClient::reply(const Reply& reply) { queue_.emplace_back(reply); }
void SimulatedClient::push(const Push& push) { queue_.emplace_back(push); }
void SimulatedClient::publication(const Delivery& delivery, const WireForm& form) {
  queue_.emplace_back(Arrived{delivery.channel(), delivery.publication_ptr(), read_push(delivery, form)});
}
void SimulatedClient::ping() { queue_.emplace_back(Ping{}); }
void SimulatedClient::disconnect(const DisconnectReason& reason) {
  if (reason.final()) complain("", "a final disconnect " + std::to_string(reason.code));
  ended_ = true;
}

// ── What it makes of it ─────────────────────────────────────────────────────────────────────────────────────────────
void SimulatedClient::complain(const std::string& channel, const std::string& what) {
  wrong_("[" + (session_ ? session_->client() : std::string("away")) + " " + channel + "] " + what);
}

void SimulatedClient::handle(Message message) {
  if (const auto* reply = std::get_if<Reply>(&message)) return handle_reply(*reply);
  if (const auto* push = std::get_if<Push>(&message)) return handle_push(*push);
  if (const auto* arrived = std::get_if<Arrived>(&message)) return handle_publication(*arrived);
  send({Command{}});
}

void SimulatedClient::handle_reply(const Reply& reply) {
  const auto on_wire = read_recovered(reply, format_);
  if (const auto* result = std::get_if<ConnectResult>(&reply.body)) {
    connected_ = true;
    for (const auto& [channel, sub] : result->subs) subscribed(channel, sub, on_wire.at(channel));
    return;
  }
  const auto asked = asked_.find(reply.id);
  if (asked == asked_.end()) return;
  const std::string channel = asked->second;
  asked_.erase(asked);
  if (const auto* error = std::get_if<ClientError>(&reply.body)) {
    if (!error->temporary) complain(channel, "error " + std::to_string(error->code));
    subscriptions_.at(channel).state = State::idle;
  } else if (const auto* result = std::get_if<SubscribeResult>(&reply.body)) {
    subscribed(channel, *result, on_wire.at(""));
  }
}

void SimulatedClient::subscribed(const std::string& channel, const SubscribeResult& result,
                                 const std::vector<Received>& on_wire) {
  Subscribed& mine = subscriptions_.at(channel);
  if (result.was_recovering) {
    ++(result.recovered ? recovered : unrecovered);
    if (result.recovered && result.position.offset != mine.position.offset)
      complain(channel, "recovered from another offset than its own");
    if (result.recovered && result.position.epoch != mine.position.epoch)
      complain(channel, "recovered from another epoch");
    if (!result.recovered && !result.publications.empty()) complain(channel, "publications without a recovery");
  }
  mine.state = State::subscribed;
  mine.recoverable = result.recoverable;
  mine.position = result.position;
  mine.last.reset();
  if (!result.recovered) {
    mine.start = result.position.offset;
    mine.newest.clear();
  }
  if (on_wire.size() != result.publications.size())
    return complain(channel, "another number of publications on the wire");
  for (std::size_t i = 0; i < on_wire.size(); ++i) {
    if (on_wire[i].delta) ++recovered_deltas;
    apply(channel, mine, *result.publications[i], on_wire[i]);
    take(channel, mine, *result.publications[i]);
  }
}

void SimulatedClient::handle_push(const Push& push) {
  const auto* reason = std::get_if<UnsubscribeReason>(&push.body);
  if (reason == nullptr) return;
  Subscribed& mine = subscriptions_.at(push.channel);
  if (mine.state != State::subscribed) return;
  mine.state = State::idle;
  if (reason->code < 2500) return complain(push.channel, "unsubscribed with " + std::to_string(reason->code));
  if (mine.wanted) resubscribe(push.channel);
}

void SimulatedClient::handle_publication(const Arrived& arrived) {
  Subscribed& mine = subscriptions_.at(arrived.channel);
  if (mine.state != State::subscribed) return;
  if (arrived.received.delta) ++deltas;
  apply(arrived.channel, mine, *arrived.publication, arrived.received);
  take(arrived.channel, mine, *arrived.publication);
}

// As SDKs do it: a delta is applied to what came before it, and the result must be the payload, byte for byte.
void SimulatedClient::apply(const std::string& channel, Subscribed& mine, const Publication& publication,
                            const Received& on_wire) {
  constexpr std::size_t longest = 1 << 20;
  if (on_wire.offset != publication.offset) complain(channel, "another offset on the wire");
  if (on_wire.delta) {
    if (!kinds_.at(channel).delta) complain(channel, "a delta that was not agreed on");
    mine.last = mine.last ? fossil::apply(*mine.last, on_wire.data, longest) : std::nullopt;
    if (!mine.last) return complain(channel, "a delta that builds on something else");
  } else {
    mine.last = on_wire.data;
  }
  if (*mine.last != payload_text(publication.data, publication.json, format_))
    complain(channel, "another payload than was published");
}

void SimulatedClient::take(const std::string& channel, Subscribed& mine, const Publication& publication) {
  const ChannelKind& kind = kinds_.at(channel);
  ++received;
  const StreamPosition at{publication.offset, mine.position.epoch};
  const Truth::Entry* entry = truth_.find(channel, at);
  if (entry == nullptr || entry->data != publication.data || entry->json != publication.json)
    return complain(channel, "something that never was");
  if (publication.offset <= mine.position.offset) return complain(channel, "the same again, or an older one");
  for (std::uint64_t offset = mine.position.offset + 1; offset < publication.offset; ++offset) {
    ++skipped;
    const bool excused = !kind.strict || (kind.filtered && truth_.find(channel, {offset, at.epoch})->room != "1");
    if (!excused) complain(channel, "lost " + std::to_string(offset));
  }
  if (kind.filtered && entry->room != "1") complain(channel, "one that the filter excludes");
  mine.position.offset = publication.offset;
  mine.newest[entry->key] = publication.offset;
}

// ── At the end ──────────────────────────────────────────────────────────────────────────────────────────────────────
std::size_t SimulatedClient::live() const { return live_channels().size(); }

std::vector<std::string> SimulatedClient::live_channels() const {
  return session_ && !ended_ ? session_->channels() : std::vector<std::string>();
}

void SimulatedClient::check_settled(const std::function<StreamPosition(const std::string&)>& top) {
  for (const auto& [channel, mine] : subscriptions_) {
    if (!mine.wanted) continue;
    const ChannelKind& kind = kinds_.at(channel);
    const StreamPosition end = top(channel);
    if (mine.state != State::subscribed) {
      complain(channel, "is not subscribed in the end");
      continue;
    }
    if (mine.position.epoch != end.epoch) complain(channel, "is in another epoch in the end");
    if (!kind.filtered && mine.position.offset != end.offset)
      complain(channel, "has " + std::to_string(mine.position.offset) + " of " + std::to_string(end.offset));
    const auto& entries = truth_.all(channel, end.epoch);
    std::map<std::string, std::uint64_t> newest;
    for (std::uint64_t offset = mine.start + 1; offset <= entries.size(); ++offset)
      if (!kind.filtered || entries[offset - 1].room == "1") newest[entries[offset - 1].key] = offset;
    const bool by_key = kind.options.slow_policy == SlowPolicy::conflate || kind.strict;
    for (const auto& [key, offset] : newest) {
      const auto has = mine.newest.find(key);
      if (by_key && (has == mine.newest.end() || has->second != offset))
        complain(channel, "has not the newest of " + key);
    }
  }
}

}  // namespace fairlead::server::testing
