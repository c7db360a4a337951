// SPDX-License-Identifier: Apache-2.0
#include "io/dialer.h"

#include "io/acceptor.h"

#include <ares.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view late_name = "late-ipv6.example";
// Is given what answers the question for IPv6 addresses of that name.
std::function<void(std::function<void()>)> when_asked_for_ipv6;

}  // namespace

// In the place of c-ares': that name has 127.0.0.1 at once, and ::1 when the test says so.
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name,cert-dcl51-cpp): theirs
extern "C" void ares_getaddrinfo(ares_channel channel, const char* node, const char* service,
                                 const ares_addrinfo_hints* hints, ares_addrinfo_callback answer, void* argument) {
  using Function = decltype(&ares_getaddrinfo);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): so dlsym gives it
  static const auto original = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "ares_getaddrinfo"));
  if (node != late_name) return original(channel, node, service, hints, answer, argument);
  if (hints->ai_family == AF_INET) return original(channel, "127.0.0.1", nullptr, hints, answer, argument);
  when_asked_for_ipv6(
      [channel, wanted = *hints, answer, argument] { original(channel, "::1", nullptr, &wanted, answer, argument); });
}

namespace fairlead::io {
namespace {

using std::chrono::milliseconds;

constexpr DialTimes quick{.dns = milliseconds(2000), .tcp = milliseconds(1000), .next_address = milliseconds(50)};

// Dials on a loop of its own until there is an answer.
template <class... Arguments>
Result<int> dial(const Arguments&... arguments) {
  Loop loop;
  std::optional<Result<int>> answer;
  const Dialer dialer(loop, arguments..., [&](Result<int> result) {
    answer = std::move(result);
    loop.stop();
  });
  loop.run();
  return *answer;
}

std::vector<std::string> names(const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> list;
  list.reserve(endpoints.size());
  for (const Endpoint& endpoint : endpoints) list.push_back(endpoint.peer_address().ip);
  return list;
}

TEST(HappyEyeballs, FamiliesAreTriedByTurnsIPv6First) {  // RFC 8305 4
  const auto order = interleave({*Endpoint::ip("::1", 1), *Endpoint::ip("::2", 1), *Endpoint::ip("::3", 1)},
                                {*Endpoint::ip("127.0.0.1", 1)});
  EXPECT_EQ(names(order), (std::vector<std::string>{"::1", "127.0.0.1", "::2", "::3"}));
}

TEST(HappyEyeballs, ANameWhoseIPv6AddressRefusesIsReachedByIPv4) {  // localhost has both; only IPv4 listens
  const int listener = *Acceptor::listen(*Endpoint::ip("127.0.0.1", 0));
  const std::uint16_t port = Acceptor::local_endpoint(listener).port();
  const auto connected = dial(std::string("localhost"), port, quick, std::optional<Endpoint>());
  ASSERT_TRUE(connected) << to_string(connected.error());
  ::close(*connected);
  ::close(listener);
}

// A listener whose queue is full, so that the kernel drops whatever comes: an address that does not answer.
class DeadListener {
 public:
  explicit DeadListener(const Endpoint& at) : listener_(::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (::bind(listener_, at.data(), at.size()) != 0 || ::listen(listener_, 0) != 0) return;
    const Endpoint here = Acceptor::local_endpoint(listener_);
    for (int& filler : fillers_) {
      filler = ::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      static_cast<void>(::connect(filler, here.data(), here.size()));
    }
  }
  DeadListener(const DeadListener&) = delete;
  DeadListener& operator=(const DeadListener&) = delete;
  ~DeadListener() {
    for (const int filler : fillers_) ::close(filler);
    ::close(listener_);
  }
  [[nodiscard]] std::uint16_t port() const { return Acceptor::local_endpoint(listener_).port(); }

 private:
  int listener_;
  std::array<int, 4> fillers_{-1, -1, -1, -1};
};

TEST(HappyEyeballs, AFamilyThatDoesNotAnswerCostsItsHeadStartAndNoMore) {  // RFC 8305 5
  const DeadListener dead(*Endpoint::ip("::1", 0));
  const auto live = Acceptor::listen(*Endpoint::ip("127.0.0.1", dead.port()));
  if (dead.port() == 0 || !live) GTEST_SKIP() << "no IPv6, or the port is taken for IPv4";
  const TimePoint began = Loop::now();
  const auto connected = dial(std::string("localhost"), dead.port(), quick, std::optional<Endpoint>());
  ASSERT_TRUE(connected) << to_string(connected.error());
  EXPECT_EQ(Acceptor::local_endpoint(*connected).family(), AF_INET);
  EXPECT_GE(Loop::now() - began, milliseconds(40));
  EXPECT_LT(Loop::now() - began, milliseconds(900));
  ::close(*connected);
  ::close(*live);
}

// Does something at a time of its own.
class At final : public Timer {
 public:
  std::function<void()> what;

 private:
  void on_timer(TimePoint) override { what(); }
};

// RFC 8305 3: addresses that come late are tried, too, also when the head start of those before them is over.
TEST(HappyEyeballs, AFamilyWhoseAddressesComeLateIsTriedBesideOneThatDoesNotAnswer) {
  const DeadListener dead(*Endpoint::ip("127.0.0.1", 0));
  const auto live = Acceptor::listen(*Endpoint::ip("::1", dead.port()));
  if (dead.port() == 0 || !live) GTEST_SKIP() << "no IPv6, or the port is taken for it";
  Loop loop;
  At late;
  when_asked_for_ipv6 = [&](std::function<void()> answer) {
    late.what = std::move(answer);
    loop.set_timer(late, Loop::now() + milliseconds(200));
  };
  DialTimes times = quick;
  times.resolution_delay = milliseconds(10);
  std::optional<Result<int>> connected;
  const Dialer dialer(loop, std::string(late_name), dead.port(), times, std::nullopt, [&](Result<int> result) {
    connected = std::move(result);
    loop.stop();
  });
  loop.run();
  ASSERT_TRUE(*connected) << to_string(connected->error());
  EXPECT_EQ(Acceptor::local_endpoint(**connected).family(), AF_INET6);
  ::close(**connected);
  ::close(*live);
}

TEST(Dialer, AClosedPortIsAnErrorThatNamesTheFailure) {
  const int listener = *Acceptor::listen(*Endpoint::ip("127.0.0.1", 0));
  const std::uint16_t port = Acceptor::local_endpoint(listener).port();
  ::close(listener);
  const auto connected = dial(std::string("127.0.0.1"), port, quick, std::optional<Endpoint>());
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Errc::connect_failed);
  EXPECT_NE(connected.error().detail.find("127.0.0.1:" + std::to_string(port)), std::string::npos)
      << connected.error().detail;
}

TEST(Dialer, ANameThatDoesNotExistIsADnsError) {
  const auto connected =
      dial(std::string("does-not-exist.invalid"), std::uint16_t{1}, quick, std::optional<Endpoint>());
  ASSERT_FALSE(connected);
  EXPECT_TRUE(connected.error().code == Errc::dns_failed || connected.error().code == Errc::timed_out);
}

// localhost has both families; what listens is reached by the one that is connected from.
TEST(LocalAddress, LeavesOutAddressesOfTheOtherFamily) {
  const int listener = *Acceptor::listen(*Endpoint::ip("127.0.0.1", 0));
  const std::uint16_t port = Acceptor::local_endpoint(listener).port();
  const auto connected = dial(std::string("localhost"), port, quick, std::optional(*Endpoint::ip("127.0.0.5", 0)));
  ASSERT_TRUE(connected) << to_string(connected.error());
  EXPECT_EQ(Acceptor::local_endpoint(*connected).peer_address().ip, "127.0.0.5");
  ::close(*connected);
  ::close(listener);
}

TEST(LocalAddress, ThatNoAddressOfTheHostSuitsIsAnErrorThatSaysSo) {
  const int listener = *Acceptor::listen(*Endpoint::ip("127.0.0.1", 0));
  const std::uint16_t port = Acceptor::local_endpoint(listener).port();
  const auto connected = dial(std::string("127.0.0.1"), port, quick, std::optional(*Endpoint::ip("::1", 0)));
  ASSERT_FALSE(connected) << "it was connected from another address than the one that was asked for";
  EXPECT_EQ(connected.error().code, Errc::connect_failed);
  EXPECT_EQ(connected.error().detail, "the host has no IPv6 address, and the local address ::1 cannot reach another");
  ::close(listener);
}

TEST(LocalAddress, OfIPv6DoesNotReachWhatListensOnIPv4Alone) {
  const int listener = *Acceptor::listen(*Endpoint::ip("127.0.0.1", 0));
  const std::uint16_t port = Acceptor::local_endpoint(listener).port();
  EXPECT_FALSE(dial(std::string("localhost"), port, quick, std::optional(*Endpoint::ip("::1", 0))));
  ::close(listener);
}

TEST(Dialer, ReachesAUnixSocket) {
  const std::string path = "/tmp/fairlead-dialer-" + std::to_string(::getpid()) + ".sock";
  const int listener = *Acceptor::listen(*Endpoint::unix_path(path));
  const auto connected = dial(*Endpoint::unix_path(path), quick);
  ASSERT_TRUE(connected);
  ::close(*connected);
  ::close(listener);
  ::unlink(path.c_str());
}

TEST(Listening, AStaleSocketFileIsReplacedALiveOneIsNot) {
  const std::string path = "/tmp/fairlead-stale-" + std::to_string(::getpid()) + ".sock";
  const auto endpoint = *Endpoint::unix_path(path);
  const int first = *Acceptor::listen(endpoint);
  EXPECT_FALSE(Acceptor::listen(endpoint)) << "somebody listens there";
  ::close(first);
  const auto second = Acceptor::listen(endpoint);
  EXPECT_TRUE(second) << "nobody listens there any more";
  ::close(*second);
  ::unlink(path.c_str());
}

TEST(Listening, APortIsOursAloneOrNotOurs) {  // SO_REUSEPORT would share it with any program of the same user
  const int first = *Acceptor::claim(*Endpoint::ip("127.0.0.1", 0));
  const Endpoint taken = Acceptor::local_endpoint(first);
  const auto second = Acceptor::claim(taken);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().detail.find("another program listens there"), std::string::npos) << second.error().detail;
  const auto of_another_loop = Acceptor::listen(taken);
  EXPECT_TRUE(of_another_loop) << "the loops of one server share it";
  ::close(*of_another_loop);
  ::close(first);
  const auto free_again = Acceptor::claim(taken);
  EXPECT_TRUE(free_again);
  ::close(*free_again);
}

}  // namespace
}  // namespace fairlead::io
