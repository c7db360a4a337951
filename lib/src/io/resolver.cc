// SPDX-License-Identifier: Apache-2.0
#include "io/resolver.h"

#include <ares.h>
#include <netdb.h>
#include <sys/select.h>
#include <sys/time.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

namespace fairlead::io {
namespace {

using boost::asio::posix::descriptor_base;

constexpr int query_timeout_ms = 2'000;  // per server and try; the caller has a deadline for the whole
constexpr int query_tries = 2;

void initialise_library() {
  static std::once_flag once;
  std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
}

}  // namespace

struct Resolver::State final : private Timer {
  State(Loop& owner, std::uint16_t wanted_port, Answer wanted)
      : loop(owner), port(wanted_port), answer(std::move(wanted)) {
    initialise_library();
    ares_options options{};
    options.sock_state_cb = &State::socket_state;
    options.sock_state_cb_data = this;
    options.timeout = query_timeout_ms;
    options.tries = query_tries;
    const int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    if (ares_init_options(&channel, &options, mask) != ARES_SUCCESS) channel = nullptr;
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() override {
    answer = nullptr;
    if (channel != nullptr) ares_destroy(channel);  // answers what is under way with ARES_EDESTRUCTION
  }

  // ── c-ares' sockets on the loop ───────────────────────────────────────────────────────────────────────────────────
  // The descriptor is c-ares': it is released, never closed.
  struct Watched {
    Watched(State& owner, int fd) : state(&owner), descriptor(owner.loop.context(), fd) {}
    State* state;
    boost::asio::posix::stream_descriptor descriptor;
    bool read = false;
    bool write = false;
  };

  static void socket_state(void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<State*>(self)->watch(fd, readable != 0, writable != 0);
  }

  void watch(ares_socket_t fd, bool readable, bool writable) {
    auto found = watched.find(fd);
    if (!readable && !writable) {
      if (found == watched.end()) return;
      found->second->state = nullptr;
      found->second->descriptor.release();
      watched.erase(found);
      return;
    }
    if (found == watched.end()) found = watched.emplace(fd, std::make_shared<Watched>(*this, fd)).first;
    found->second->read = readable;
    found->second->write = writable;
    if (readable) wait(found->second, fd, descriptor_base::wait_read);
    if (writable) wait(found->second, fd, descriptor_base::wait_write);
  }

  static void wait(const std::shared_ptr<Watched>& watching, ares_socket_t fd, descriptor_base::wait_type what) {
    watching->descriptor.async_wait(what, [watching, fd, what](const boost::system::error_code& error) {
      if (error || watching->state == nullptr) return;
      const Loop::Entered entered(watching->state->loop);
      const bool to_read = what == descriptor_base::wait_read;
      watching->state->process(to_read ? fd : ARES_SOCKET_BAD, to_read ? ARES_SOCKET_BAD : fd);
      if (watching->state == nullptr) return;
      if (to_read ? watching->read : watching->write) wait(watching, fd, what);
    });
  }

  void process(ares_socket_t readable, ares_socket_t writable) {
    const std::weak_ptr<int> alive = token;
    ares_process_fd(channel, readable, writable);
    if (!alive.expired()) arm();  // an answer may have destroyed us
  }

  void arm() {
    timeval wait_for{};
    if (ares_timeout(channel, nullptr, &wait_for) == nullptr) return;
    loop.set_timer(*this, Loop::now() + std::chrono::seconds(wait_for.tv_sec) +
                              std::chrono::microseconds(std::max<long>(wait_for.tv_usec, 1'000)));
  }
  void on_timer(TimePoint) override { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

  // ── Queries ───────────────────────────────────────────────────────────────────────────────────────────────────────
  struct Query {
    State* state;
    Family family;
  };

  void ask(const std::string& host, Query& query, int family) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, &State::answered, &query);
  }

  static void answered(void* self, int status, int /*timeouts*/, ares_addrinfo* found) {
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owner(found, &ares_freeaddrinfo);
    const auto* query = static_cast<Query*>(self);
    State& state = *query->state;
    if (status == ARES_EDESTRUCTION || !state.answer) return;
    std::vector<Endpoint> endpoints;
    for (const ares_addrinfo_node* node = found != nullptr ? found->nodes : nullptr; node != nullptr;
         node = node->ai_next) {
      endpoints.emplace_back(node->ai_addr, node->ai_addrlen).set_port(state.port);
    }
    // The answer may destroy the resolver, so it is called from a copy and nothing is touched afterwards.
    const Answer answer = state.answer;
    if (status == ARES_SUCCESS && !endpoints.empty()) {
      answer(query->family, std::move(endpoints));
    } else {
      answer(query->family, fail(Errc::dns_failed, ares_strerror(status)));
    }
  }

  Loop& loop;
  std::uint16_t port;
  Answer answer;
  ares_channel channel = nullptr;
  std::map<ares_socket_t, std::shared_ptr<Watched>> watched;
  Query ipv6{this, Family::ipv6};
  Query ipv4{this, Family::ipv4};
  std::shared_ptr<int> token = std::make_shared<int>(0);
};

Resolver::Resolver(Loop& loop, const std::string& host, std::uint16_t port, Answer answer) {
  if (auto numeric = Endpoint::ip(host, port)) {
    answer(numeric->family() == AF_INET6 ? Family::ipv6 : Family::ipv4, std::vector{*numeric});
    return;
  }
  state_ = std::make_unique<State>(loop, port, std::move(answer));
  if (state_->channel == nullptr) {
    state_->answer(Family::ipv6, fail(Errc::dns_failed, "the resolver could not start"));
    state_->answer(Family::ipv4, fail(Errc::dns_failed, "the resolver could not start"));
    return;
  }
  // Names in the hosts file are answered at once, inside these calls.
  State* state = state_.get();
  const std::weak_ptr<int> alive = state->token;
  state->ask(host, state->ipv6, AF_INET6);
  if (!alive.expired()) state->ask(host, state->ipv4, AF_INET);
  if (!alive.expired()) state->arm();
}

Resolver::~Resolver() = default;

}  // namespace fairlead::io
