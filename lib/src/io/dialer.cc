// SPDX-License-Identifier: Apache-2.0
#include "io/dialer.h"

#include "io/resolver.h"
#include "io/socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <list>
#include <string>
#include <utility>

namespace fairlead::io {

std::vector<Endpoint> interleave(std::vector<Endpoint> ipv6, std::vector<Endpoint> ipv4) {
  std::vector<Endpoint> order;
  for (std::size_t i = 0; i < std::max(ipv6.size(), ipv4.size()); ++i) {
    if (i < ipv6.size()) order.push_back(ipv6[i]);
    if (i < ipv4.size()) order.push_back(ipv4[i]);
  }
  return order;
}

// The state of the race. Every timer and attempt is a member, so the end of the race ends them all.
class Dialer::Race final : public std::enable_shared_from_this<Dialer::Race> {
 public:
  Race(Loop& loop, const DialTimes& times, std::optional<Endpoint> local, Done done)
      : loop_(loop), times_(times), local_(local), done_(std::move(done)) {}

  void resolve(const std::string& host, std::uint16_t port) {
    loop_.set_timer(dns_limit_, Loop::now() + times_.dns);
    answers_missing_ = Endpoint::ip(host, port) ? 1 : 2;
    const std::weak_ptr<Race> weak = weak_from_this();
    resolver_ = std::make_unique<Resolver>(loop_, host, port, [weak](Resolver::Family family, auto endpoints) {
      // Never inside the constructor, and never while the resolver is on the stack: it may be destroyed by the answer.
      const auto race = weak.lock();
      if (!race) return;
      race->loop_.post([weak, family, endpoints = std::move(endpoints)]() mutable {
        if (const auto still = weak.lock()) still->answered(family, std::move(endpoints));
      });
    });
  }

  void connect_to(const Endpoint& endpoint) {
    waiting_.push_back(endpoint);
    const std::weak_ptr<Race> weak = weak_from_this();
    loop_.post([weak] {
      if (const auto race = weak.lock()) race->begin();
    });
  }

 private:
  // One address being tried.
  struct Attempt final : SocketEvents {
    Attempt(Race& owner, int descriptor, const Endpoint& to)
        : race(owner), socket(owner.loop_, descriptor), endpoint(to) {
      socket.set_events(this);
    }
    void on_readable() override {}
    void on_writable() override { race.finished(*this); }
    Race& race;
    Socket socket;
    Endpoint endpoint;
  };
  struct Wake final : Timer {
    Wake(Race& owner, void (Race::*what)()) : race(owner), call(what) {}
    void on_timer(TimePoint) override {
      const auto alive = race.shared_from_this();
      (race.*call)();
    }
    Race& race;
    void (Race::*call)();
  };

  void answered(Resolver::Family family, Result<std::vector<Endpoint>> endpoints) {
    if (!done_) return;
    --answers_missing_;
    auto& list = family == Resolver::Family::ipv6 ? ipv6_ : ipv4_;
    if (endpoints && !suits_local(family)) {
      left_out_ = !endpoints->empty();
    } else if (endpoints) {
      list = std::move(*endpoints);
    }
    if (!endpoints && suits_local(family)) {
      lookup_failed_ = true;
      // Once addresses are being tried, why they fail says more than that the other family has none.
      if (!began_) last_error_ = endpoints.error();
    }
    if (began_) return merge_late_answer();
    if (answers_missing_ == 0 || !ipv6_.empty()) return begin_with_answers();
    // Nothing of the other family would be of use.
    if (!ipv4_.empty() && !suits_local(Resolver::Family::ipv6)) return begin_with_answers();
    // RFC 8305 3: IPv4 came first; give IPv6 a moment.
    if (!ipv4_.empty()) loop_.set_timer(resolution_delay_, Loop::now() + times_.resolution_delay);
  }

  [[nodiscard]] bool suits_local(Resolver::Family family) const noexcept {
    return !local_ || local_->family() == (family == Resolver::Family::ipv6 ? AF_INET6 : AF_INET);
  }

  void begin_with_answers() {
    if (began_) return;
    for (Endpoint& endpoint : interleave(std::exchange(ipv6_, {}), std::exchange(ipv4_, {})))
      waiting_.push_back(endpoint);
    begin();
  }

  // RFC 8305 3: addresses that arrive later join those that have not been tried.
  void merge_late_answer() {
    std::vector<Endpoint> untried(waiting_.begin(), waiting_.end());
    waiting_.clear();
    auto late = std::exchange(ipv6_, {});
    const auto order = late.empty() ? interleave(std::move(untried), std::exchange(ipv4_, {}))
                                    : interleave(std::move(late), std::move(untried));
    waiting_.assign(order.begin(), order.end());
    // RFC 8305 5: the head start of the last attempt may be over, with nothing to be tried behind it.
    if (attempts_.empty() || !next_address_.armed()) start_next();
  }

  void begin() {
    began_ = true;
    loop_.cancel_timer(dns_limit_);
    loop_.cancel_timer(resolution_delay_);
    loop_.set_timer(tcp_limit_, Loop::now() + times_.tcp);
    start_next();
  }

  void start_next() {
    while (done_ && !waiting_.empty()) {
      const Endpoint endpoint = waiting_.front();
      waiting_.pop_front();
      if (!attempt(endpoint)) continue;
      if (!waiting_.empty() || answers_missing_ != 0) loop_.set_timer(next_address_, Loop::now() + times_.next_address);
      return;
    }
    if (!done_ || !attempts_.empty() || answers_missing_ != 0) return;
    if (left_out_ && !tried_ && !lookup_failed_) return finish(fail(Errc::connect_failed, nothing_suits()));
    finish(std::unexpected(last_error_));
  }

  [[nodiscard]] std::string nothing_suits() const {
    const bool six = local_->family() == AF_INET6;
    return std::string("the host has no ") + (six ? "IPv6" : "IPv4") + " address, and the local address " +
           local_->peer_address().ip + " cannot reach another";
  }

  bool attempt(const Endpoint& endpoint) {
    tried_ = true;
    const int descriptor = ::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return failed(endpoint, errno);
    prepare_stream(descriptor);
    if (local_ && ::bind(descriptor, local_->data(), local_->size()) != 0) {
      const int error = errno;
      ::close(descriptor);
      return failed(endpoint, error);
    }
    if (::connect(descriptor, endpoint.data(), endpoint.size()) != 0 && errno != EINPROGRESS) {
      const int error = errno;
      ::close(descriptor);
      return failed(endpoint, error);
    }
    attempts_.emplace_back(*this, descriptor, endpoint);
    attempts_.back().socket.wait_writable();
    return true;
  }

  bool failed(const Endpoint& endpoint, int error) {
    last_error_ = system_error(Errc::connect_failed, error, to_string(endpoint.peer_address()));
    return false;
  }

  void finished(Attempt& attempt) {
    const auto alive = shared_from_this();
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(attempt.socket.descriptor(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error == 0) {
      return finish(attempt.socket.release());
    }
    static_cast<void>(failed(attempt.endpoint, error));
    attempts_.remove_if([&](const Attempt& other) { return &other == &attempt; });
    start_next();
  }

  void dns_is_late() {
    if (!ipv4_.empty()) return begin_with_answers();
    finish(fail(Errc::timed_out, "the name was not resolved in time"));
  }
  void tcp_is_late() { finish(fail(Errc::timed_out, "no address answered in time")); }

  void finish(Result<int> result) {
    if (!done_) return;
    const Done done = std::exchange(done_, nullptr);
    attempts_.clear();
    waiting_.clear();
    loop_.cancel_timer(dns_limit_);
    loop_.cancel_timer(tcp_limit_);
    loop_.cancel_timer(next_address_);
    loop_.cancel_timer(resolution_delay_);
    done(std::move(result));
  }

  Loop& loop_;
  DialTimes times_;
  std::optional<Endpoint> local_;
  Done done_;
  std::unique_ptr<Resolver> resolver_;
  int answers_missing_ = 0;
  bool began_ = false;
  bool tried_ = false;          // an address
  bool left_out_ = false;       // addresses of the other family than `local_`
  bool lookup_failed_ = false;  // of the family of `local_`
  std::vector<Endpoint> ipv6_;
  std::vector<Endpoint> ipv4_;
  std::deque<Endpoint> waiting_;
  std::list<Attempt> attempts_;
  Error last_error_{Errc::dns_failed, "the name has no address"};
  Wake dns_limit_{*this, &Race::dns_is_late};
  Wake tcp_limit_{*this, &Race::tcp_is_late};
  Wake next_address_{*this, &Race::start_next};
  Wake resolution_delay_{*this, &Race::begin_with_answers};
};

Dialer::Dialer(Loop& loop, const std::string& host, std::uint16_t port, const DialTimes& times,
               std::optional<Endpoint> local, Done done)
    : race_(std::make_shared<Race>(loop, times, local, std::move(done))) {
  race_->resolve(host, port);
}

Dialer::Dialer(Loop& loop, const Endpoint& endpoint, const DialTimes& times, Done done)
    : race_(std::make_shared<Race>(loop, times, std::nullopt, std::move(done))) {
  race_->connect_to(endpoint);
}

Dialer::~Dialer() = default;

}  // namespace fairlead::io
