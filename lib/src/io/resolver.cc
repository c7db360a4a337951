// SPDX-License-Identifier: Apache-2.0
#include "io/resolver.h"

#include "io/socket.h"

#include <ares.h>
#include <netdb.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

namespace fairlead::io {
namespace {

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
  class Watched final : private SocketEvents {
   public:
    Watched(State& owner, ares_socket_t fd) : state_(owner), socket_(owner.loop, fd) { socket_.set_events(this); }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    ~Watched() { static_cast<void>(socket_.release()); }

    void want(bool read, bool write) {
      read_ = read;
      write_ = write;
      if (read_) socket_.wait_readable();
      if (write_) socket_.wait_writable();
    }

   private:
    void on_readable() override {
      const std::weak_ptr<int> alive = token_;
      state_.process(socket_.descriptor(), ARES_SOCKET_BAD);
      if (alive.expired()) return;
      // c-ares need not have read all that there is, and that would be no new edge.
      if (!has_more()) socket_.note_drained();
      if (read_) socket_.wait_readable();
    }
    void on_writable() override {
      const std::weak_ptr<int> alive = token_;
      state_.process(ARES_SOCKET_BAD, socket_.descriptor());
      if (!alive.expired() && write_) socket_.wait_writable();
    }
    [[nodiscard]] bool has_more() const noexcept {
      pollfd look{.fd = socket_.descriptor(), .events = POLLIN, .revents = 0};
      return ::poll(&look, 1, 0) > 0;
    }

    State& state_;
    Socket socket_;
    bool read_ = false;
    bool write_ = false;
    std::shared_ptr<int> token_ = std::make_shared<int>(0);
  };

  static void socket_state(void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<State*>(self)->watch(fd, readable != 0, writable != 0);
  }

  void watch(ares_socket_t fd, bool readable, bool writable) {
    if (!readable && !writable) {
      watched.erase(fd);
      return;
    }
    watched.try_emplace(fd, *this, fd).first->second.want(readable, writable);
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
    // ARES_ENODATA: the name exists and has no address of this family, which is an answer.
    if (status == ARES_SUCCESS || status == ARES_ENODATA) {
      answer(query->family, std::move(endpoints));
    } else {
      answer(query->family, fail(Errc::dns_failed, ares_strerror(status)));
    }
  }

  Loop& loop;
  std::uint16_t port;
  Answer answer;
  ares_channel channel = nullptr;
  std::map<ares_socket_t, Watched> watched;
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
