// SPDX-License-Identifier: Apache-2.0
#include "net/server_core.h"

#include "base/assert.h"
#include "base/finite.h"
#include "io/batch.h"
#include "net/loop_handle.h"
#include "net/waiting.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace fairlead::net {
namespace {

// Connections that a drain has to close are closed in steps of this.
constexpr std::chrono::milliseconds drain_step{10};
// How often another port is picked when the one that was picked is not free on all of an address's families.
constexpr int other_picks = 8;
// Of the memory budget bodies of requests have one part in so many: whoever sends them is not known yet.
constexpr std::size_t share_of_bodies = 4;

}  // namespace

// ── One loop ────────────────────────────────────────────────────────────────────────────────────────────────────────

ServerLoop::ServerLoop(ServerCore& owner) : core(owner), loop(std::make_unique<io::Loop>()) {
  context = std::make_unique<LoopContext>(*loop);
  context->log = owner.options().log;
  context->on_memory_grown = [this](std::size_t bytes) { shed_if_over_budget(bytes); };
}

ServerLoop::ServerLoop(ServerCore& owner, boost::asio::io_context& theirs)
    : core(owner), loop(std::make_unique<io::Loop>(theirs)) {
  context = std::make_unique<LoopContext>(*loop);
  context->log = owner.options().log;
  context->on_memory_grown = [this](std::size_t bytes) { shed_if_over_budget(bytes); };
}

ServerLoop::~ServerLoop() {
  const io::Loop::Entered entered(*loop);
  context->on_memory_grown = nullptr;  // the other loops may be gone already
  acceptors.clear();
  sessions.clear();  // they hold buffers of the context
  context.reset();
}

void ServerLoop::end() {
  context->on_memory_grown = nullptr;
  for (auto& accepting : acceptors) accepting.acceptor->stop();
  drain.reset();
  while (!context->channels.empty()) {
    const auto channel = context->channels.begin()->second;
    channel->abandon();
    context->channels.erase(channel.get());
  }
  sessions.clear();
}

void ServerLoop::accept(int descriptor, const io::Endpoint& peer, bool secure) {
  auto place = core.over_memory_budget() ? Result<std::shared_ptr<void>>(fail(Errc::memory_budget_exceeded))
                                         : core.admission().enter(peer);
  if (!place) {
    ::close(descriptor);
    context->counters.refused_at_accept.add();
    context->counters.failed(place.error().code);
    core.log(LogLevel::warning, "refused peer=" + to_string(peer.peer_address()) + " " + to_string(place.error()));
    return;
  }
  begin_session(descriptor, peer, secure, std::move(*place));
}

void ServerLoop::begin_session(int descriptor, const io::Endpoint& peer, bool secure, std::shared_ptr<void> place) {
  context->counters.accepted.add();
  auto engine = secure ? tls::make_engine(core.tls_context(), context->tls) : nullptr;
  if (engine != nullptr) engine->limit_messages(core.options().limits.tls_messages_per_second);
  auto stream = std::make_unique<Stream>(*context, descriptor, std::move(engine));
  stream->attach(std::move(place));
  auto session = std::make_shared<HttpSession>(core, *this, std::move(stream), peer.peer_address());
  sessions.emplace(session.get(), session);
  session->start();
}

void ServerLoop::forget(HttpSession& session) { sessions.erase(&session); }

// Called from the middle of a connection's work, perhaps of the one that has to go: hence through the loop.
void ServerLoop::shed_if_over_budget(std::size_t grown_bytes) {
  if (!core.over_memory_budget()) return;
  const bool on_its_way = grown_bytes_ != 0;
  grown_bytes_ += grown_bytes;
  if (on_its_way) return;
  context->short_of_memory = true;
  loop->defer(shedding_);
}

void ServerLoop::shed() {
  context->short_of_memory = false;
  close_largest();
  for (const auto& [raw, channel] : context->channels) channel->memory_is_back();
}

// Never more than what grew here: other loops may be the ones that hold too much.
void ServerLoop::close_largest() {
  for (std::size_t left = std::exchange(grown_bytes_, 0); left != 0 && core.over_memory_budget();) {
    std::shared_ptr<Channel> largest;
    for (const auto& [raw, channel] : context->channels) {
      if (largest == nullptr || channel->held_bytes() > largest->held_bytes()) largest = channel;
    }
    const std::size_t held = largest != nullptr ? largest->held_bytes() : 0;
    if (held == 0) return;
    const std::size_t before = context->budgeted_bytes();
    largest->shed();
    // What a connection holds is counted by the byte, what it gives back by the block. Some of it is given back later.
    const std::size_t given_back = before - std::min(before, context->budgeted_bytes());
    left -= std::min(left, std::max(held, given_back));
    context->publish_memory();
  }
}

// ── Listening and starting ──────────────────────────────────────────────────────────────────────────────────────────

// Looks at the certificate files now and then, on the first loop, if it is asked to; and replaces ticket keys in any
// case, since whoever gets one that lives for ever reads every session resumed with it.
class ServerCore::CertificateWatch final : private io::Timer {
 public:
  CertificateWatch(ServerCore& core, io::Loop& loop) : core_(core), loop_(loop) {
    const Tls& tls = core.options_.tls;
    looks_every_ = std::min<std::chrono::seconds>(tls.watch_interval, longest_wait);
    step_ = looks_every_ > looks_every_.zero() ? std::min(looks_every_, tls.ticket_key_life) : tls.ticket_key_life;
    next_look_ = io::Loop::now() + looks_every_;
    loop_.set_timer(*this, io::Loop::now() + step_);
  }

 private:
  void on_timer(TimePoint now) override {
    loop_.set_timer(*this, now + step_);
    core_.tls_->rotate_tickets_if_due(now);
    if (looks_every_ <= looks_every_.zero() || now < next_look_) return;
    next_look_ = now + looks_every_;
    look();
  }

  void look() {
    const auto reloaded = core_.tls_->reload_if_changed();
    if (!reloaded) {
      core_.reload_failures_.fetch_add(1);
      core_.log(LogLevel::error, "certificates not reloaded, the old ones stay: " + to_string(reloaded.error()));
    } else if (*reloaded) {
      core_.reloads_.fetch_add(1);
      core_.log(LogLevel::info, "certificates reloaded");
    }
  }

  ServerCore& core_;
  io::Loop& loop_;
  std::chrono::seconds looks_every_{};
  std::chrono::seconds step_{};
  TimePoint next_look_;
};

ServerCore::ServerCore(ServerOptions options)
    : options_(std::move(options)),
      admission_(std::make_shared<Admission>(options_.limits.connections, options_.limits.connections_per_address)) {
  options_.limits = finite(options_.limits);
}

ServerCore::~ServerCore() {
  stop();
  join();
  watch_.reset();
  loops_.clear();
  for (const Listener& listener : listeners_) {
    if (listener.first_descriptor >= 0) ::close(listener.first_descriptor);
    if (listener.endpoint.family() == AF_UNIX && !listener.inherited)
      ::unlink(listener.endpoint.peer_address().path.c_str());
  }
}

Result<ServerCore::Listener> ServerCore::bind(io::Endpoint endpoint, bool secure) {
  auto descriptor = io::Acceptor::claim(endpoint);
  if (!descriptor) return std::unexpected(descriptor.error());
  if (endpoint.family() != AF_UNIX) endpoint.set_port(io::Acceptor::local_endpoint(*descriptor).port());
  return Listener{endpoint, secure, *descriptor, false};
}

Result<std::vector<ServerCore::Listener>> ServerCore::bind_all(const io::ListenAddress& address,
                                                               std::vector<io::Endpoint> endpoints, bool secure) {
  std::vector<Listener> bound;
  std::uint16_t port = address.port;
  for (io::Endpoint& endpoint : endpoints) {
    endpoint.set_port(port);
    auto listener = bind(endpoint, secure);
    // A machine without IPv6 still has its other addresses. One whose IPv6 port is taken has not: who comes by IPv6,
    // and browsers do, would reach another program.
    const bool absent = !listener && endpoint.family() == AF_INET6 && !io::Acceptor::has_address(endpoint);
    if (absent && !bound.empty()) continue;
    if (absent && address.host.empty()) listener = bind(*io::Endpoint::ip("0.0.0.0", port), secure);
    if (!listener) {
      for (const Listener& other : bound) ::close(other.first_descriptor);
      return std::unexpected(listener.error());
    }
    port = listener->endpoint.port();
    bound.push_back(*listener);
  }
  return bound;
}

Result<Listening> ServerCore::listen(std::string_view where, bool secure, bool anywhere) {
  if (secure && tls_ == nullptr) {
    if (auto opened = open_tls(); !opened) return std::unexpected(opened.error());
  }
  auto address = io::parse_listen_address(where);
  if (!address) return std::unexpected(address.error());
  auto endpoints = io::listen_endpoints(*address);
  if (!endpoints) return std::unexpected(endpoints.error());
  const auto open_to_all = [](const io::Endpoint& endpoint) { return !endpoint.is_loopback(); };
  if (!secure && !anywhere && std::ranges::any_of(*endpoints, open_to_all)) {
    return fail(Errc::invalid_argument, "cleartext is only for loopback addresses, unless `anywhere` is set");
  }
  auto bound = bind_all(*address, *endpoints, secure);
  // A port that was picked for the first address may be taken for the second.
  for (int left = other_picks; !bound && address->port == 0 && left != 0; --left) {
    bound = bind_all(*address, *endpoints, secure);
  }
  if (!bound) return std::unexpected(bound.error());
  const std::uint16_t port = bound->front().endpoint.port();
  listeners_.insert(listeners_.end(), bound->begin(), bound->end());
  Listening listening{
      .address = address->unix_path.empty() ? address->host : address->unix_path, .port = port, .secure = secure};
  if (listening.address.empty()) listening.address = "0.0.0.0";
  return listening;
}

Result<Listening> ServerCore::listen_descriptor(int descriptor, bool secure, bool anywhere) {
  auto adopted = io::Acceptor::adopt(descriptor);
  if (!adopted) return std::unexpected(adopted.error());
  const Listener listener{*adopted, secure, descriptor, true};
  const auto refuse = [descriptor](Error error) -> Result<Listening> {
    ::close(descriptor);
    return std::unexpected(std::move(error));
  };
  if (!secure && !anywhere && !listener.endpoint.is_loopback()) {
    return refuse({Errc::invalid_argument, "cleartext is only for loopback addresses, unless `anywhere` is set"});
  }
  if (secure && tls_ == nullptr) {
    if (auto opened = open_tls(); !opened) return refuse(std::move(opened.error()));
  }
  listeners_.push_back(listener);
  const PeerAddress at = listener.endpoint.peer_address();
  return Listening{.address = at.is_unix() ? at.path : at.ip, .port = at.port, .secure = secure};
}

std::vector<LoopHandle> ServerCore::loops() const {
  std::vector<LoopHandle> handles;
  handles.reserve(loops_.size());
  for (const auto& loop : loops_) handles.push_back(LoopAlarm::handle_of(loop->context->mailbox));
  return handles;
}

Result<void> ServerCore::open_tls() {
  auto opened = tls::ReloadableContext::open(options_.tls);
  if (!opened) return std::unexpected(opened.error());
  tls_ = std::move(*opened);
  return {};
}

Result<void> ServerCore::start() {
  const unsigned wanted = options_.threads != 0 ? options_.threads : std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::unique_ptr<ServerLoop>> loops;
  loops.reserve(wanted);
  for (unsigned i = 0; i < wanted; ++i) loops.push_back(std::make_unique<ServerLoop>(*this));
  if (auto begun = begin(std::move(loops)); !begun) return begun;
  for (const auto& loop : loops_) loop->thread = std::thread([this, raw = loop.get()] { run_loop(*raw); });
  return {};
}

Result<void> ServerCore::start_on(boost::asio::io_context& context) {
  own_loops_ = false;
  std::vector<std::unique_ptr<ServerLoop>> loops;
  loops.push_back(std::make_unique<ServerLoop>(*this, context));
  if (auto begun = begin(std::move(loops)); !begun) return begun;
  loops_.front()->loop->post([this] { begin_loop(*loops_.front()); });
  return {};
}

Result<void> ServerCore::begin(std::vector<std::unique_ptr<ServerLoop>> loops) {
  if (options_.system_calls == SystemCalls::automatic) {
    for (const auto& loop : loops) loop->loop->batch().allow();
  }
  if (started_) return fail(Errc::invalid_argument, "the server has been started already");
  if (listeners_.empty()) return fail(Errc::invalid_argument, "listen somewhere before starting");
  loops_ = std::move(loops);
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    const io::Loop::Entered entered(*loops_[i]->loop);
    loops_[i]->index = static_cast<unsigned>(i);
    if (auto listening = open_acceptors(*loops_[i], i == 0); !listening) return listening;
  }
  if (tls_ != nullptr) watch_ = std::make_unique<CertificateWatch>(*this, *loops_.front()->loop);
  started_ = true;
  return {};
}

Result<void> ServerCore::open_acceptors(ServerLoop& loop, bool first) {
  for (Listener& listener : listeners_) {
    if (listener.shared_out() && !first) continue;
    int descriptor = std::exchange(listener.first_descriptor, -1);
    if (!first) {
      auto another = io::Acceptor::listen(listener.endpoint);
      if (!another) return std::unexpected(another.error());
      descriptor = *another;
    }
    auto acceptor = std::make_unique<io::Acceptor>(*loop.loop, descriptor);
    if (!acceptor->is_watched()) {
      return fail(Errc::system, "the system watches no more descriptors: a listening socket would never be heard");
    }
    loop.acceptors.push_back({std::move(acceptor), listener.secure, listener.shared_out()});
  }
  return {};
}

// On the loop's thread, first of all.
void ServerCore::begin_loop(ServerLoop& loop) {
  if (options_.loop_started) options_.loop_started(LoopAlarm::handle_of(loop.context->mailbox), loop.index);
  for (auto& accepting : loop.acceptors) {
    accepting.acceptor->start([this, &loop, secure = accepting.secure, shared_out = accepting.shared_out](
                                  int accepted, const io::Endpoint& peer) {
      if (shared_out) return hand_out(accepted, peer, secure);
      loop.accept(accepted, peer, secure);
    });
  }
}

void ServerCore::hand_out(int descriptor, const io::Endpoint& peer, bool secure) {
  ServerLoop& target = *loops_[next_loop_.fetch_add(1) % loops_.size()];
  // A loop that is ending may drop what is posted to it.
  struct OnItsWay {
    explicit OnItsWay(int accepted) noexcept : descriptor(accepted) {}
    OnItsWay(const OnItsWay&) = delete;
    OnItsWay& operator=(const OnItsWay&) = delete;
    ~OnItsWay() {
      if (descriptor >= 0) ::close(descriptor);
    }
    int descriptor;
  };
  target.loop->post([&target, accepted = std::make_shared<OnItsWay>(descriptor), peer, secure] {
    target.accept(std::exchange(accepted->descriptor, -1), peer, secure);
  });
}

void ServerCore::run_loop(ServerLoop& loop) {
  {
    const io::Loop::Entered entered(*loop.loop);
    begin_loop(loop);
  }
  loop.loop->run();
  // What is posted from now on would never run.
  loop.context->mailbox->detach();
  const io::Loop::Entered entered(*loop.loop);
  loop.end();
}

// ── Ending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void ServerCore::wait() {
  std::unique_lock lock(state_mutex_);
  state_changed_.wait(lock, [this] { return stopped_ || !started_; });
  lock.unlock();
  join();
}

void ServerCore::stop() {
  {
    const std::scoped_lock lock(state_mutex_);
    if (stopped_) return;
    stopped_ = true;
  }
  for (const auto& loop : loops_) {
    if (own_loops_) {
      loop->loop->stop();
    } else {
      // The caller's context goes on: what is ours on it ends.
      loop->loop->post([raw = loop.get()] {
        raw->end();
        raw->core.watch_.reset();
      });
    }
  }
  state_changed_.notify_all();
}

void ServerCore::join() {
  for (const auto& loop : loops_) {
    if (loop->thread.joinable() && loop->thread.get_id() != std::this_thread::get_id()) loop->thread.join();
  }
}

bool ServerCore::running() {
  const std::scoped_lock lock(state_mutex_);
  return started_ && !stopped_;
}

// A loop that `stop` has ended runs nothing that was posted to it: whoever waited for that would wait for ever.
void ServerCore::on_each_loop(std::function<void(ServerLoop&)> work) {
  struct Round {
    std::function<void(ServerLoop&)> work;
    std::atomic<std::size_t> left;
  };
  const auto round = std::make_shared<Round>(std::move(work), loops_.size());
  for (const auto& loop : loops_) {
    loop->loop->post([round, raw = loop.get()] {
      round->work(*raw);
      round->left.fetch_sub(1);
    });
  }
  while (round->left != 0 && running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

namespace {

// Closes the channels of one loop one after the other over the window, so that their clients do not come back at once.
class SpreadClose final : public io::Timer {
 public:
  SpreadClose(io::Loop& loop, std::vector<ConnectionHandle> handles, Duration window, CloseCode code)
      : loop_(loop), handles_(std::move(handles)), code_(code), began_(io::Loop::now()), window_(window) {}

  void step() {
    const auto passed = io::Loop::now() - began_;
    const std::size_t due =
        passed >= window_
            ? handles_.size()
            : static_cast<std::size_t>(static_cast<double>(handles_.size()) *
                                       (static_cast<double>(passed.count()) / static_cast<double>(window_.count())));
    for (; closed_ < due; ++closed_) static_cast<void>(handles_[closed_].close(code_));
    if (closed_ != handles_.size()) loop_.set_timer(*this, io::Loop::now() + drain_step);
  }

 private:
  void on_timer(TimePoint) override { step(); }

  io::Loop& loop_;
  std::vector<ConnectionHandle> handles_;
  CloseCode code_;
  TimePoint began_;
  Duration window_;
  std::size_t closed_ = 0;
};

}  // namespace

DrainReport ServerCore::drain(Duration window, CloseCode code) {
  const TimePoint began = io::Loop::now();
  DrainReport report;
  // `running` is asked again while it waits: `stop` from another thread cuts a drain short.
  if (!running() || draining_.exchange(true)) return report;
  const auto open = std::make_shared<std::atomic<std::size_t>>(0);
  const auto clean_before = [this] {
    std::uint64_t sum = 0;
    for (const auto& loop : loops_) sum += loop->context->counters.closed_clean.get();
    return sum;
  };
  const std::uint64_t clean_at_start = clean_before();
  on_each_loop([open, window, code](ServerLoop& loop) {
    for (auto& accepting : loop.acceptors) accepting.acceptor->stop();
    std::vector<std::shared_ptr<HttpSession>> sessions;
    sessions.reserve(loop.sessions.size());
    for (const auto& [raw, session] : loop.sessions) sessions.push_back(session);
    for (const auto& session : sessions) session->drain();
    std::vector<ConnectionHandle> handles;
    for (const auto& [raw, channel] : loop.context->channels) {
      if (!channel->closed()) handles.push_back(channel->handle());
    }
    *open += handles.size();
    auto spread = std::make_unique<SpreadClose>(*loop.loop, std::move(handles), window, code);
    spread->step();
    loop.drain = std::move(spread);
  });
  report.connections = *open;
  const TimePoint limit = began + window + options_.limits.close_time;
  std::size_t left = *open;
  while (left != 0 && running() && io::Loop::now() < limit) {
    std::this_thread::sleep_for(drain_step);
    left = 0;
    for (const auto& loop : loops_) left += loop->context->counters.websockets.get();
  }
  // Closed channels still wait for their peers to end the stream: a moment for those, bounded by the same limit.
  while (admission_->connections() != 0 && running() && io::Loop::now() < limit) {
    std::this_thread::sleep_for(drain_step);
  }
  report.cut = left;
  report.closed_clean = static_cast<std::size_t>(clean_before() - clean_at_start);
  report.took = io::Loop::now() - began;
  stop();
  return report;
}

// ── Certificates, numbers, visits ───────────────────────────────────────────────────────────────────────────────────

Result<void> ServerCore::reload() {
  if (tls_ == nullptr) return {};
  auto reloaded = tls_->reload();
  (reloaded ? reloads_ : reload_failures_).fetch_add(1);
  return reloaded;
}

Result<void> ServerCore::replace_tls(Tls tls) {
  if (tls_ == nullptr) {
    options_.tls = std::move(tls);
    return {};
  }
  auto replaced = tls_->replace(std::move(tls));
  (replaced ? reloads_ : reload_failures_).fetch_add(1);
  return replaced;
}

bool ServerCore::over_memory_budget() const noexcept {
  std::size_t used = 0;
  for (const auto& loop : loops_) used += loop->context->counters.buffer_bytes.get();
  return used + body_bytes() > options_.limits.memory_budget_bytes;
}

std::size_t ServerCore::body_bytes() const noexcept {
  std::size_t used = 0;
  for (const auto& loop : loops_) used += loop->context->counters.body_bytes.get();
  return used;
}

bool ServerCore::has_room_for_bodies() const noexcept {
  return body_bytes() <= options_.limits.memory_budget_bytes / share_of_bodies && !over_memory_budget();
}

void ServerCore::log(LogLevel level, const std::string& line) const {
  if (options_.log && level >= options_.log_from) options_.log(level, line);
}

ServerStats ServerCore::stats() const {
  ServerStats sum;
  for (const auto& loop : loops_) {
    const Counters& counters = loop->context->counters;
    sum.accepted += counters.accepted.get();
    sum.refused_at_accept += counters.refused_at_accept.get();
    sum.tls_handshakes += counters.tls_handshakes.get();
    sum.tls_resumed += counters.tls_resumed.get();
    sum.tls_failed += counters.tls_failed.get();
    sum.http_requests += counters.http_requests.get();
    sum.upgrades += counters.upgrades.get();
    sum.upgrades_refused += counters.upgrades_refused.get();
    sum.messages_in += counters.messages_in.get();
    sum.messages_out += counters.messages_out.get();
    sum.messages_dropped += counters.messages_dropped.get();
    sum.bytes_in += counters.bytes_in.get();
    sum.bytes_out += counters.bytes_out.get();
    sum.websockets += counters.websockets.get();
    sum.buffer_bytes += counters.buffer_bytes.get() + counters.body_bytes.get();
    for (std::size_t i = 0; i < sum.failures.size(); ++i) sum.failures[i] += counters.failures[i].get();
  }
  sum.connections = admission_->connections();
  sum.certificate_reloads = reloads_;
  sum.certificate_reload_failures = reload_failures_;
  return sum;
}

void ServerCore::for_each(std::string_view path, std::function<void(Connection&)> visit) {
  const auto shared = std::make_shared<std::function<void(Connection&)>>(std::move(visit));
  for (const auto& loop : loops_) {
    loop->loop->post([raw = loop.get(), shared, wanted = std::string(path)] {
      std::vector<std::shared_ptr<Channel>> channels;
      for (const auto& [key, channel] : raw->context->channels) {
        if (!channel->closed() && (wanted.empty() || channel->settings().path == wanted)) channels.push_back(channel);
      }
      for (const auto& channel : channels) channel->visit(*shared);
    });
  }
}

}  // namespace fairlead::net
