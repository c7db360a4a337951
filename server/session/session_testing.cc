// SPDX-License-Identifier: Apache-2.0
#include "session/session_testing.h"

#include "model/json.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace fairlead::server::testing {

// ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────
void Timeline::after(Duration delay, std::function<void()> task) {
  if (delay == Duration::zero()) return task();
  at(now_ + delay, std::move(task));
}

void Timeline::at(TimePoint moment, std::function<void()> task) {
  tasks_.emplace(std::max(moment, now_), std::move(task));
}

void Timeline::advance_to(TimePoint moment) {
  while (!tasks_.empty() && tasks_.begin()->first <= moment) {
    auto next = tasks_.extract(tasks_.begin());
    now_ = std::max(now_, next.key());
    next.mapped()();
  }
  now_ = std::max(now_, moment);
}

// ── The engine ──────────────────────────────────────────────────────────────────────────────────────────────────────
TestBroker::Stream& TestBroker::stream(const std::string& channel) {
  const auto [found, is_new] = streams_.try_emplace(channel);
  if (is_new) found->second.top.epoch = "epoch" + std::to_string(++epochs_);
  return found->second;
}

void TestBroker::forget(const std::string& channel) {
  Stream& old = stream(channel);
  old.kept.clear();
  old.latest = nullptr;
  old.top = {0, "epoch" + std::to_string(++epochs_)};
}

template <class T>
void TestBroker::answer(Done<T> done, Outcome<T> outcome, const PublishOptions* published) {
  if (broken) outcome = std::unexpected(Fault{FaultKind::unavailable, "the engine is broken"});
  timeline_.after(delay_of(published), [done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
}

void TestBroker::tell(const std::string& channel, std::function<void(BrokerEvents&)> event,
                      const PublishOptions* published) {
  if (!subscribed_.contains(channel) || (loses_event && loses_event())) return;
  Stream& of = stream(channel);
  const TimePoint moment = std::max(of.last_event, timeline_.now() + delay_of(published));
  if (moment <= timeline_.now()) return event(*events);
  of.last_event = moment;
  timeline_.at(moment, [this, event = std::move(event)] { event(*events); });
}

Outcome<void> TestBroker::start(BrokerEvents& to) {
  events = &to;
  return {};
}

void TestBroker::subscribe(const std::string& channel, Done<void> done) {
  if (!broken) subscribed_.insert(channel);
  answer<void>(std::move(done), {});
}

void TestBroker::unsubscribe(const std::string& channel, Done<void> done) {
  subscribed_.erase(channel);
  answer<void>(std::move(done), {});
}

void TestBroker::publish(const std::string& channel, Publication publication, PublishOptions options,
                         Done<PublishOutcome> done) {
  if (broken) return answer<PublishOutcome>(std::move(done), PublishOutcome{});
  Stream& into = stream(channel);
  const bool kept = options.history_size > 0;
  StreamPosition position;
  if (kept) {
    publication.offset = ++into.top.offset;
    position = into.top;
  }
  auto shared = std::make_shared<const Publication>(std::move(publication));
  PublicationPtr previous;
  if (options.want_previous) previous = kept && !into.kept.empty() ? into.kept.back() : into.latest;
  if (kept) into.kept.push_back(shared);
  while (into.kept.size() > options.history_size && kept) into.kept.pop_front();
  if (options.keep_latest) into.latest = shared;
  const auto event = [channel, shared, position, previous](BrokerEvents& to) {
    to.on_publication(channel, shared, position, previous);
  };
  tell(channel, event, &options);
  answer<PublishOutcome>(std::move(done), PublishOutcome{position, false, false}, &options);
}

void TestBroker::publish_join(const std::string& channel, ClientInfo info, Done<void> done) {
  tell(channel, [channel, info](BrokerEvents& to) { to.on_join(channel, info); });
  answer<void>(std::move(done), {});
}

void TestBroker::publish_leave(const std::string& channel, ClientInfo info, Done<void> done) {
  tell(channel, [channel, info](BrokerEvents& to) { to.on_leave(channel, info); });
  answer<void>(std::move(done), {});
}

void TestBroker::history(const std::string& channel, HistoryQuery query, Done<History> done) {
  const Stream& of = stream(channel);
  History history{{}, of.top};
  std::vector<PublicationPtr> all(of.kept.begin(), of.kept.end());
  if (query.reverse) std::reverse(all.begin(), all.end());
  for (const PublicationPtr& publication : all) {
    if (history.publications.size() >= query.limit) break;
    const bool wanted = !query.since || (query.reverse ? publication->offset < query.since->offset
                                                       : publication->offset > query.since->offset);
    if (wanted) history.publications.push_back(publication);
  }
  answer<History>(std::move(done), std::move(history));
}

void TestBroker::remove_history(const std::string& channel, Done<void> done) {
  stream(channel).kept.clear();
  answer<void>(std::move(done), {});
}

void TestBroker::latest(const std::string& channel, Done<PublicationPtr> done) {
  answer<PublicationPtr>(std::move(done), stream(channel).latest);
}

void TestBroker::add_presence(const std::string& channel, ClientInfo info, std::chrono::milliseconds, Done<void> done) {
  presence_calls.push_back("+" + channel + " " + info.client);
  std::string client = info.client;
  stream(channel).presence.insert_or_assign(std::move(client), std::move(info));
  answer<void>(std::move(done), {});
}

void TestBroker::remove_presence(const std::string& channel, const std::string& client, Done<void> done) {
  presence_calls.push_back("-" + channel + " " + client);
  stream(channel).presence.erase(client);
  answer<void>(std::move(done), {});
}

void TestBroker::presence(const std::string& channel, Done<Presence> done) {
  answer<Presence>(std::move(done), stream(channel).presence);
}

void TestBroker::presence_stats(const std::string& channel, Done<PresenceStats> done) {
  std::set<std::string> users;
  for (const auto& [client, info] : stream(channel).presence) users.insert(info.user);
  const auto clients = static_cast<std::uint32_t>(stream(channel).presence.size());
  answer<PresenceStats>(std::move(done), PresenceStats{clients, static_cast<std::uint32_t>(users.size())});
}

// ── The gatekeeper ──────────────────────────────────────────────────────────────────────────────────────────────────
template <class T>
void TestGate::answer(Judged<T> judged, Verdict<T> verdict) {
  auto say = [judged = std::move(judged), verdict = std::move(verdict)] { judged(verdict); };
  if (waits) {
    waiting.emplace_back(std::move(say));
  } else {
    say();
  }
}

void TestGate::let_one_go() {
  const auto say = std::move(waiting.front());
  waiting.pop_front();
  say();
}

const ChannelOptions& TestGate::of(const std::string& channel) const {
  const auto own = options_of.find(channel);
  return own == options_of.end() ? options : own->second;
}

void TestGate::connect(const Caller&, const ConnectRequest&, Judged<Admitted> judged) {
  asked.emplace_back("connect");
  answer<Admitted>(std::move(judged), admitted);
}

void TestGate::refresh(const Caller&, const Admitted&, const RefreshRequest& request, Judged<Admitted> judged) {
  asked.push_back("refresh " + request.token);
  answer<Admitted>(std::move(judged), refreshed);
}

void TestGate::refresh_by_backend(const Caller&, const Admitted&, Judged<Admitted> judged) {
  asked.emplace_back("refresh_by_backend");
  answer<Admitted>(std::move(judged), refreshed);
}

void TestGate::subscribe(const Caller&, const Admitted&, const SubscribeRequest& request, Judged<Granted> judged) {
  asked.push_back("subscribe " + request.channel);
  const auto own = grants.find(request.channel);
  if (own != grants.end()) return answer<Granted>(std::move(judged), own->second);
  if (unknown.contains(request.channel)) return answer<Granted>(std::move(judged), client_error::unknown_channel);
  answer<Granted>(std::move(judged), Granted{of(request.channel), "", "", 0, false});
}

void TestGate::sub_refresh(const Caller&, const Admitted&, const Granted&, const SubRefreshRequest& request,
                           Judged<Granted> judged) {
  asked.push_back("sub_refresh " + request.channel + " " + request.token);
  answer<Granted>(std::move(judged), sub_refreshed);
}

void TestGate::publish(const Caller&, const Admitted&, const PublishRequest& request, bool subscribed,
                       Judged<PublishAnswer> judged) {
  asked.push_back("publish " + request.channel + (subscribed ? " subscribed" : ""));
  const auto own = publications.find(request.channel);
  if (own != publications.end()) return answer<PublishAnswer>(std::move(judged), own->second);
  answer<PublishAnswer>(std::move(judged), PublishAnswer{});
}

void TestGate::rpc(const Caller&, const Admitted&, const RpcRequest& request, Judged<RpcAnswer> judged) {
  asked.push_back("rpc " + request.method);
  answer<RpcAnswer>(std::move(judged), rpc_answer);
}

std::variant<ChannelOptions, ClientError> TestGate::presence(const Admitted&, const std::string& channel, bool) {
  if (!of(channel).presence && !of(channel).join_leave) return client_error::not_available;
  if (!may_read_presence) return client_error::permission_denied;
  return of(channel);
}

std::variant<ChannelOptions, ClientError> TestGate::history(const Admitted&, const std::string& channel, bool) {
  if (!of(channel).has_history()) return client_error::not_available;
  if (!may_read_history) return client_error::permission_denied;
  return of(channel);
}

std::variant<Granted, ClientError> TestGate::server_subscription(const std::string& channel,
                                                                 const ServerSubscription& subscription) {
  if (unknown.contains(channel)) return client_error::unknown_channel;
  return Granted{of(channel), subscription.info, subscription.data, subscription.expire_at, false};
}

// ── The event log ───────────────────────────────────────────────────────────────────────────────────────────────────
void TestEventLog::append_all(std::vector<LifecycleEvent> events, Done<std::uint64_t> done) {
  for (const LifecycleEvent& event : events) {
    std::string line = event.kind;
    if (!event.channel.empty()) line += " " + event.channel;
    if (event.code > 0) line += " " + std::to_string(event.code);
    lines.push_back(std::move(line));
  }
  done(lines.size());
}

void TestEventLog::read(std::uint64_t, std::size_t, Done<LifecycleEvents> done) { done(LifecycleEvents{}); }

void TestEventLog::acknowledge(std::uint64_t, Done<void> done) { done({}); }

// ── The world ───────────────────────────────────────────────────────────────────────────────────────────────────────
World::World() {
  settings.node_version = "1.0";
  (void)broker.start(*this);
}

SessionEnvironment& World::environment() {
  if (!environment_) {
    environment_ = std::make_unique<SessionEnvironment>(SessionEnvironment{
        hub, broker, gate, *this, *this, events, trace, metrics, nullptr, "node",
        [this] { return "c" + std::to_string(++ids_); }, [this] { return random; },
        [this] {
          return WallTime(std::chrono::duration_cast<WallTime::duration>(timeline.now().time_since_epoch()) +
                          std::chrono::hours(24 * 365));
        },
        [this] { return timeline.now(); }, this});
  }
  environment_->settings = std::make_shared<const SessionSettings>(settings);
  return *environment_;
}

std::int64_t World::wall_seconds() const {
  const auto time = timeline.now().time_since_epoch() + std::chrono::hours(24 * 365);
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

ChannelOptions World::options_for(const std::string& channel) const {
  const auto own = gate.options_of.find(channel);
  return own == gate.options_of.end() ? gate.options : own->second;
}

void World::publish(const std::string& channel, const std::string& data, std::map<std::string, std::string> tags,
                    const std::string& key) {
  const ChannelOptions options = options_for(channel);
  Publication publication;
  publication.data = data;
  publication.json = is_json(data);
  publication.tags = std::move(tags);
  publication.key = key;
  PublishOptions how;
  how.history_size = options.has_history() ? options.history_size : 0;
  how.history_ttl = options.history_ttl;
  how.keep_latest = options.keep_latest_publication;
  how.want_previous = options.delta_publish;
  broker.publish(channel, std::move(publication), how, [](const Outcome<PublishOutcome>&) {});
}

void World::on_publication(const std::string& channel, PublicationPtr publication, const StreamPosition& position,
                           PublicationPtr previous) {
  hub.deliver(std::make_shared<const Delivery>(*this, channel, number_of(channel), std::move(publication), position,
                                               std::move(previous)));
}

void World::on_join(const std::string& channel, const ClientInfo& info) { hub.join(channel, info); }

void World::on_leave(const std::string& channel, const ClientInfo& info) { hub.leave(channel, info); }

void World::want(const std::string& channel, Done<void> done) {
  std::shared_ptr<Interest>& interest = interests_[channel];
  if (interest && interest->active) return done({});
  if (interest) return interest->waiting.push_back(std::move(done));
  interest = std::make_shared<Interest>();
  interest->waiting.push_back(std::move(done));
  broker.subscribe(channel, [mine = interest](const Outcome<void>& outcome) {
    mine->active = outcome.has_value();
    for (const Done<void>& waiting : std::exchange(mine->waiting, {})) waiting(outcome);
  });
}

void World::unwant(const std::string& channel) {
  interests_.erase(channel);
  broker.unsubscribe(channel, [](const Outcome<void>&) {});
}

std::int64_t World::number_of(const std::string& channel) {
  const auto next = static_cast<std::int64_t>(numbers_.size()) + 1;
  return numbers_.try_emplace(channel, next).first->second;
}

bool World::entered(Session& session) {
  if (connected.size() >= connections_allowed) return false;
  connected.insert(&session);
  return true;
}

void World::left(Session& session) { connected.erase(&session); }

bool World::take_of_user(const std::string&, UserOperation operation, double) { return !exhausted.contains(operation); }

SharedMessage World::encode(const Delivery& delivery, const WireForm&) const {
  return SharedMessage::text(delivery.publication().data);
}

// ── The client ──────────────────────────────────────────────────────────────────────────────────────────────────────
namespace {

std::string body_name(const Reply& reply) {
  static constexpr std::string_view names[] = {"error",   "connect",  "subscribe",      "unsubscribe",
                                               "publish", "presence", "presence_stats", "history",
                                               "rpc",     "refresh",  "sub_refresh"};
  std::string name(names[reply.body.index()]);
  if (const auto* error = std::get_if<ClientError>(&reply.body)) name += " " + std::to_string(error->code);
  return name;
}

struct PushLine {
  const Push& push;
  std::string operator()(const JoinPush& join) const { return "join " + push.channel + " " + join.info.client; }
  std::string operator()(const LeavePush& leave) const { return "leave " + push.channel + " " + leave.info.client; }
  std::string operator()(const UnsubscribeReason& reason) const {
    return "unsubscribe " + push.channel + " " + std::to_string(reason.code);
  }
  std::string operator()(const SubscribePush&) const { return "subscribe " + push.channel; }
  std::string operator()(const MessagePush& message) const { return "message " + message.data; }
  std::string operator()(const ConnectPush&) const { return "connect"; }
  std::string operator()(const DisconnectReason& reason) const { return "disconnect " + std::to_string(reason.code); }
  std::string operator()(const RefreshPush& refresh) const { return "refresh " + std::to_string(refresh.ttl); }
};

std::string publication_line(const Delivery& delivery, const WireForm& form) {
  std::string line = form.compact ? "pub " + std::to_string(delivery.channel_number()) : "pub " + delivery.channel();
  if (delivery.publication().offset > 0) line += "#" + std::to_string(delivery.publication().offset);
  line += " ";
  if (form.payload == PayloadForm::delta_base) line += "=";
  if (form.payload == PayloadForm::delta) line += "~";
  return line + delivery.publication().data;
}

}  // namespace

TestClient::TestClient(World& world, Session::Options options, WireFormat format) : world_(world), format_(format) {
  Caller caller;
  caller.transport = "websocket";
  caller.protocol = format == WireFormat::json ? "json" : "protobuf";
  session = Session::make(world.environment(), *this, caller, options, world.timeline.now());
}

TestClient::~TestClient() {
  if (session) session->closed(world_.timeline.now());
}

void TestClient::subscribe(const std::string& channel) { say(to(channel)); }

void TestClient::drain() {
  queued = 0;
  session->on_drained(world_.timeline.now());
}

void TestClient::wait(std::chrono::milliseconds time) {
  const TimePoint end = world_.timeline.now() + time;
  for (int round = 0; round < 100'000; ++round) {
    const auto next = session->deadline();
    if (!next || *next > end) break;
    world_.timeline.advance_to(*next);
    session->on_deadline(world_.timeline.now());
  }
  world_.timeline.advance_to(end);
}

const SubscribeResult& TestClient::last_subscribe_result() const {
  const auto last = std::find_if(replies.rbegin(), replies.rend(), [](const Reply& reply) {
    return std::holds_alternative<SubscribeResult>(reply.body);
  });
  static const SubscribeResult none;
  return last == replies.rend() ? none : std::get<SubscribeResult>(last->body);
}

const ConnectResult& TestClient::connect_result() const {
  static const ConnectResult none;
  for (const Reply& reply : replies)
    if (const auto* result = std::get_if<ConnectResult>(&reply.body)) return *result;
  return none;
}

void TestClient::note(std::string line) {
  queued += bytes_per_message;
  log.push_back(std::move(line));
}

void TestClient::reply(const Reply& reply) {
  replies.push_back(reply);
  note(std::to_string(reply.id) + ":" + body_name(reply));
}

void TestClient::push(const Push& push) {
  pushes.push_back(push);
  note(std::visit(PushLine{push}, push.body));
}

void TestClient::publication(const Delivery& delivery, const WireForm& form) { note(publication_line(delivery, form)); }

void TestClient::ping() { note("ping"); }

void TestClient::disconnect(const DisconnectReason& reason) {
  over = true;
  note("disconnect " + std::to_string(reason.code));
}

// ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────
SubscribeRequest to(const std::string& channel) {
  SubscribeRequest request;
  request.channel = channel;
  return request;
}

PublishRequest publication(const std::string& channel, const std::string& data) {
  PublishRequest request;
  request.channel = channel;
  request.data = data;
  return request;
}

ChannelOptions recoverable(std::size_t history_size) {
  ChannelOptions options;
  options.history_size = history_size;
  options.history_ttl = std::chrono::hours(1);
  options.force_recovery = true;
  return options;
}

}  // namespace fairlead::server::testing
