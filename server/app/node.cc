// SPDX-License-Identifier: Apache-2.0
#include "app/node.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <future>
#include <random>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>

namespace fairlead::server {
namespace {

// How long what clients have recovered is kept for others who come back to the same.
constexpr std::chrono::seconds missed_for{1};

// The loop of this thread, for what comes from its transports.
thread_local NodeLoop* current_loop = nullptr;

double random_share() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

// What any of the backends is to be told of a client's request, in lower case.
std::set<std::string> forwarded_headers(const BackendSettings& backend) {
  std::set<std::string> names;
  const auto add = [&names](const ProxySettings& proxy) {
    for (std::string name : proxy.http_headers) {
      std::ranges::transform(name, name.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      names.insert(std::move(name));
    }
  };
  add(backend.connect);
  add(backend.refresh);
  for (const auto& [name, proxy] : backend.named) add(proxy);
  return names;
}

}  // namespace

std::string random_uuid() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::runtime_error("no entropy");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    fmt::format_to(std::back_inserter(text), "{:02x}", bytes.at(i));
  }
  return text;
}

std::int64_t unix_ms(WallTime at) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

// ── One loop ────────────────────────────────────────────────────────────────────────────────────────────────────────

NodeLoop::NodeLoop(Node& node, LoopHandle loop, unsigned index)
    : broker(node.broker(), loop),
      gate(node.parts_.gatekeeper([this, loop](std::function<void()> work) {
        loop.post([this, work = std::move(work)]() mutable { turnstile.pass(std::move(work)); });
      })),
      turnstile(Clock::now,
                [this](std::function<void()> turn) {
                  loop_.post([self = shared_from_this(), turn = std::move(turn)] { turn(); });
                }),
      missed([this] { sweep_later(); }),
      environment{.hub = hub,
                  .broker = broker,
                  .gate = *gate,
                  .interest = *this,
                  .directory = *this,
                  .events = node.events(),
                  .trace = node.trace(),
                  .metrics = metrics,
                  .settings = {node.settings(), &node.settings()->session},
                  .node_id = node.node_id(),
                  .new_id = random_uuid,
                  .random = random_share,
                  .wall_clock = [] { return std::chrono::system_clock::now(); },
                  .clock = [] { return Clock::now(); },
                  .encoder = &node.encoder(),
                  .turnstile = &turnstile,
                  .missed = &missed},
      node_(node),
      loop_(std::move(loop)),
      index_(index),
      forwarded_(forwarded_headers(node.settings()->backend)) {}

void NodeLoop::sweep_later() {
  sweeping_ = loop_.call_after(missed_for, [this] {
    if (missed.sweep()) sweep_later();
  });
}

void NodeLoop::leave_forwarded(std::map<std::string, std::string>& headers) const {
  std::erase_if(headers, [this](const auto& field) { return !forwarded_.contains(field.first); });
}

// ── From the engine ─────────────────────────────────────────────────────────────────────────────────────────────────
// The first one to arrive wakes the loop; what comes until it is awake comes along. Under the lock, so that whatever
// somebody posts to the loop after an arrival also runs behind it.
template <class Add>
void NodeLoop::arrive(Add add) {
  const std::scoped_lock lock(arriving_);
  const bool first = arrived_.empty();
  if (first || arrived_.back().change) arrived_.emplace_back();
  add(arrived_.back());
  const bool lost = first && !loop_.post([self = shared_from_this()] { self->hand_over(); });
  if (lost) arrived_.clear();  // the loop has ended
}

void NodeLoop::take(DeliveryPtr delivery, TimePoint began) {
  arrive([&](Arrived& last) {
    last.deliveries.push_back(std::move(delivery));
    last.began.push_back(began);
  });
}

void NodeLoop::take(std::function<void(Hub&)> change) {
  arrive([&](Arrived& last) { last.change = std::move(change); });
}

void NodeLoop::hand_over() {
  std::vector<Arrived> arrived;
  {
    const std::scoped_lock lock(arriving_);
    arrived.swap(arrived_);
  }
  for (const Arrived& one : arrived) hand_over(one);
}

void NodeLoop::hand_over(const Arrived& arrived) {
  for (std::span<const DeliveryPtr> left = arrived.deliveries; !left.empty();) {
    const DeliveryBatch batch = DeliveryBatch::first_of(left);
    hub.deliver(batch);
    left = left.subspan(batch.size());
  }
  const TimePoint now = Clock::now();
  for (const TimePoint began : arrived.began) node_.latencies_.add(now - began);
  if (arrived.change) arrived.change(hub);
}

// ── What sessions ask ───────────────────────────────────────────────────────────────────────────────────────────────

void NodeLoop::want(const std::string& channel, Done<void> done) {
  node_.channels_.want(channel, index_, on_loop(loop_, std::move(done)));
}
void NodeLoop::unwant(const std::string& channel) { node_.channels_.unwant(channel, index_); }
std::int64_t NodeLoop::number_of(const std::string& channel) { return node_.channels_.number_of(channel); }

bool NodeLoop::entered(Session& session) {
  const auto settings = node_.settings();
  const auto& personal = settings->auth.personal_channel;
  if (!node_.users_.enter(session.user(), settings->session.user_connection_limit)) return false;
  const std::uint64_t arrival = ++node_.entered_;
  by_client_.insert_or_assign(session.client(), Entered{.session = &session,
                                                        .user = session.user(),
                                                        .at_ms = unix_ms(std::chrono::system_clock::now()),
                                                        .arrival = arrival});
  // Those without a name may be tens of thousands, and nobody asks for them together.
  if (!session.user().empty()) by_user_[session.user()].push_back(&session);
  if (personal.enabled && personal.single_connection && !session.user().empty()) {
    node_.on_each_loop([user = session.user(), arrival](NodeLoop& loop) { loop.end_earlier(user, arrival); });
  }
  return true;
}

// Of two that come close together each loop may hear of both only when both are there: the one that came last stays.
void NodeLoop::end_earlier(const std::string& user, std::uint64_t arrival) {
  for (const auto& session : find({.user = user, .client = {}, .secret = {}})) {
    const auto entered = by_client_.find(session->client());
    const bool earlier = entered != by_client_.end() && entered->second.arrival < arrival;
    if (earlier) session->disconnect(disconnect_reason::connection_limit, Clock::now());
  }
}

void NodeLoop::left(Session& session) {
  const auto found = by_client_.find(session.client());
  if (found == by_client_.end() || found->second.session != &session) return;
  const std::string user = found->second.user;
  by_client_.erase(found);
  if (const auto of_user = by_user_.find(user); of_user != by_user_.end()) {
    std::erase(of_user->second, &session);
    if (of_user->second.empty()) by_user_.erase(of_user);
  }
  node_.users_.leave(user, Clock::now());
}

bool NodeLoop::take_of_user(const std::string& user, UserOperation operation, double per_second) {
  return node_.users_.take(user, operation, per_second, Clock::now());
}

std::vector<std::shared_ptr<Session>> NodeLoop::sessions() const {
  std::vector<std::shared_ptr<Session>> all;
  all.reserve(by_client_.size());
  for (const auto& [client, entered] : by_client_) all.push_back(entered.session->shared_from_this());
  return all;
}

std::vector<std::shared_ptr<Session>> NodeLoop::find(const Wanted& wanted) const {
  std::vector<std::shared_ptr<Session>> found;
  const auto take = [&](Session& session) {
    const bool fits = (wanted.user.empty() || session.user() == wanted.user) &&
                      (wanted.client.empty() || session.client() == wanted.client) &&
                      (wanted.secret.empty() || session.secret() == wanted.secret);
    if (fits) found.push_back(session.shared_from_this());
  };
  if (!wanted.client.empty()) {
    if (const auto it = by_client_.find(wanted.client); it != by_client_.end()) take(*it->second.session);
  } else if (!wanted.user.empty()) {
    if (const auto of_user = by_user_.find(wanted.user); of_user != by_user_.end()) {
      for (Session* session : of_user->second) take(*session);
    }
  } else if (!wanted.secret.empty()) {
    for (const auto& [client, entered] : by_client_) take(*entered.session);
  }
  return found;
}

std::int64_t NodeLoop::connected_at_ms(const Session& session) const {
  const auto found = by_client_.find(session.client());
  return found == by_client_.end() ? 0 : found->second.at_ms;
}

// ── The node ────────────────────────────────────────────────────────────────────────────────────────────────────────

Node::Node(Parts parts, std::shared_ptr<const Settings> settings)
    : parts_(std::move(parts)),
      id_(random_uuid()),
      settings_(std::move(settings)),
      channels_(parts_.engine.broker(),
                [this](const std::string& channel, bool occupied) { occupancy_changed(channel, occupied); }),
      arrivals_(parts_.log) {}

Outcome<void> Node::start_engine() { return broker().start(*this); }
void Node::stop_engine() { broker().stop(); }

void Node::loop_started(const LoopHandle& loop, unsigned index) {
  auto own = std::make_shared<NodeLoop>(*this, loop, index);
  current_loop = own.get();
  const std::scoped_lock lock(mutex_);
  if (loops_.size() <= index) loops_.resize(index + 1);
  loops_.at(index) = std::move(own);
}

void Node::reconfigure(const std::shared_ptr<const Settings>& settings) {
  {
    const std::scoped_lock lock(mutex_);
    settings_ = settings;
  }
  on_each_loop([settings](NodeLoop& loop) {
    loop.environment.settings = {settings, &settings->session};
    loop.forward(forwarded_headers(settings->backend));
  });
}

constexpr std::chrono::milliseconds hurry_glance{20};  // how soon a second signal is seen

void Node::send_away(Duration window) {
  set_ready(false);
  constexpr int steps = 50;
  for (int step = 1; step <= steps && !hurry_; ++step) {
    // Each step an equal share of those who are still there.
    auto left = std::make_shared<std::atomic<std::size_t>>(0);
    auto told = std::make_shared<std::promise<void>>();
    on_each_loop(
        [left, steps_left = steps - step + 1](NodeLoop& loop) {
          const auto sessions = loop.sessions();
          const auto divisor = static_cast<std::size_t>(steps_left);
          const std::size_t share = (sessions.size() + divisor - 1) / divisor;
          for (std::size_t i = 0; i < share; ++i) sessions.at(i)->disconnect(disconnect_reason::shutdown, Clock::now());
          left->fetch_add(sessions.size() - share);
        },
        [told] { told->set_value(); });
    // A loop that ends meanwhile may drop the work, and then nothing answers.
    const std::future<void> all_told = told->get_future();
    while (all_told.wait_for(hurry_glance) != std::future_status::ready) {
      if (hurry_) return;
    }
    if (*left == 0) return;
    for (const auto until = Clock::now() + window / steps; step < steps && !hurry_ && Clock::now() < until;) {
      std::this_thread::sleep_for(std::min<Duration>(hurry_glance, until - Clock::now()));
    }
  }
}

std::shared_ptr<Session> Node::open_session(Outbox& outbox, Caller caller, Session::Options options) {
  if (current_loop == nullptr || !ready()) return nullptr;
  const auto settings = this->settings();
  options.place = arrivals_.take(settings->session.connection_limit, settings->session.connections_per_second, now());
  if (!options.place) return nullptr;
  current_loop->leave_forwarded(caller.headers);
  return Session::make(current_loop->environment, outbox, std::move(caller), std::move(options), now());
}

void Node::on_publication(const std::string& channel, PublicationPtr publication, const StreamPosition& position,
                          PublicationPtr previous) {
  parts_.trace.add({.time_ms = publication->time_ms,
                    .kind = TraceKind::published,
                    .client = {},
                    .user = {},
                    .channel = channel,
                    .offset = position.offset,
                    .code = 0,
                    .detail = {}});
  const auto listeners = channels_.listeners(channel);
  if (listeners.loops.empty()) return;
  const auto delivery = std::make_shared<const Delivery>(parts_.encoder, channel, listeners.number,
                                                         std::move(publication), position, std::move(previous));
  const TimePoint began = now();
  for (const unsigned index : listeners.loops) {
    if (const auto to = loop(index)) to->take(delivery, began);
  }
}

void Node::on_join(const std::string& channel, const ClientInfo& info) {
  for (const unsigned index : channels_.listeners(channel).loops) {
    if (const auto to = loop(index)) to->take([channel, info](Hub& hub) { hub.join(channel, info); });
  }
}

void Node::on_leave(const std::string& channel, const ClientInfo& info) {
  for (const unsigned index : channels_.listeners(channel).loops) {
    if (const auto to = loop(index)) to->take([channel, info](Hub& hub) { hub.leave(channel, info); });
  }
}

void Node::on_each_loop(std::function<void(NodeLoop&)> work, std::function<void()> done) {
  const auto all = loops();
  // Counted down by whoever is last; one more for this call itself, so that it ends here when nobody takes the work.
  auto left = std::make_shared<std::atomic<std::size_t>>(all.size() + 1);
  auto finish = [left, done = std::move(done)] {
    if (left->fetch_sub(1) == 1 && done) done();
  };
  auto shared = std::make_shared<std::function<void(NodeLoop&)>>(std::move(work));
  for (const auto& one : all) {
    const bool posted = one->loop().post([one, shared, finish] {
      (*shared)(*one);
      finish();
    });
    if (!posted) finish();
  }
  finish();
}

std::shared_ptr<const Settings> Node::settings() const {
  const std::scoped_lock lock(mutex_);
  return settings_;
}

std::vector<std::shared_ptr<NodeLoop>> Node::loops() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<NodeLoop>> all;
  std::ranges::copy_if(loops_, std::back_inserter(all), [](const auto& one) { return one != nullptr; });
  return all;
}

std::shared_ptr<NodeLoop> Node::loop(unsigned index) const {
  const std::scoped_lock lock(mutex_);
  return index < loops_.size() ? loops_.at(index) : nullptr;
}

void Node::occupancy_changed(const std::string& channel, bool occupied) {
  const auto settings = this->settings();
  const ChannelOptions* options = options_of(parse_channel(channel, settings->channel), settings->channel);
  if (options == nullptr || !options->state_events) return;
  LifecycleEvent event;
  event.time_ms = unix_ms(std::chrono::system_clock::now());
  event.kind = occupied ? "channel_occupied" : "channel_vacated";
  event.channel = channel;
  parts_.events.append(std::move(event), [](const Outcome<std::uint64_t>&) {});
}

}  // namespace fairlead::server
