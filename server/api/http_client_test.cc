// SPDX-License-Identifier: Apache-2.0
// The HTTP client and its loop: what is asked before it runs, what it does to the loop's clients, and the end.
#include "api/http_client.h"

#include "api/testing/backend_server.h"
#include "api/testing/http_client_on_a_loop.h"

#include <fairlead/client.h>
#include <fairlead/task.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using fairlead::server::HttpAnswer;
using fairlead::server::HttpClient;
using fairlead::server::HttpExchange;
using fairlead::server::HttpFailure;

namespace {

constexpr std::string_view name_without_answer = "stalls.example";
std::atomic<bool> resolving = false;
std::atomic<bool> name_server_answers = false;

}  // namespace

// libcurl's, in the place of the C library's: one name's server does not answer.
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name,cert-dcl51-cpp): theirs
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  if (node != nullptr && node == name_without_answer) {
    resolving = true;
    name_server_answers.wait(false);
    return EAI_AGAIN;
  }
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): so dlsym gives it
  static const auto original = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return original(node, service, hints, found);
}

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Arrival;
using testing::BackendServer;
using testing::HttpClientOnALoop;

Response hello(const Request&) { return Response::text(200, "hello"); }

HttpExchange get(std::string url) {
  HttpExchange exchange;
  exchange.url = std::move(url);
  exchange.timeout = milliseconds(10'000);
  return exchange;
}

// Takes connections and says nothing on them.
class SilentBackend {
 public:
  SilentBackend() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  }
  SilentBackend(const SilentBackend&) = delete;
  SilentBackend& operator=(const SilentBackend&) = delete;
  ~SilentBackend() { ::close(listener_); }
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  int listener_;
  std::string url_;
};

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 4'000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(5));
  return condition();
}

// A server with an echo, whose loop the client runs on.
class Host {
 public:
  Host() {
    server_.websocket("/", [](Connection& ws) -> Task<> {
      while (true) {
        auto message = co_await ws.receive();
        if (!message) break;
        ws.send(*message);
      }
    });
    const auto where = server_.dangerously_listen_without_tls("127.0.0.1:0");
    EXPECT_TRUE(where.has_value());
    port_ = where ? where->port : 0;
  }
  void start() {
    EXPECT_TRUE(server_.start().has_value());
    client.run_on(server_.loops().front());
  }
  void end_loop() {
    server_.stop();
    server_.wait();
  }
  // How long the slowest of so many echoes took.
  [[nodiscard]] Duration slowest_echo(int count, milliseconds pause) const {
    Duration slowest{};
    ClientOptions options;
    options.dangerously_allow_cleartext = true;
    run([&]() -> Task<> {
      auto ws = co_await connect("ws://127.0.0.1:" + std::to_string(port_) + "/", options);
      EXPECT_TRUE(ws);
      if (!ws) co_return;
      for (int i = 0; i < count; ++i) {
        const auto sent = Clock::now();
        ws->send("ping");
        const auto answer = co_await ws->receive();
        EXPECT_TRUE(answer);
        slowest = std::max<Duration>(slowest, Clock::now() - sent);
        static_cast<void>(co_await sleep_for(pause));
      }
    });
    return slowest;
  }

  HttpClient client;

 private:
  static ServerOptions one_loop() {
    ServerOptions options;
    options.threads = 1;
    return options;
  }
  Server server_{one_loop()};
  std::uint16_t port_ = 0;
};

TEST(HttpClientOnLoop, DoneAndLaterCallsRunOnTheLoop) {
  BackendServer backend(hello);
  HttpClientOnALoop client;
  Arrival<bool> done;
  client.send(get(backend.listen()), [&](const HttpAnswer& answer) {
    EXPECT_EQ(answer.body, "hello");
    done.setter()(client.loop().on_this_loop());
  });
  EXPECT_TRUE(done.wait());
  Arrival<bool> called;
  client.after(milliseconds(1), [&] { called.setter()(client.loop().on_this_loop()); });
  EXPECT_TRUE(called.wait());
}

TEST(HttpClientOnLoop, WhatWasAskedBeforeItRunsIsDoneThen) {
  BackendServer backend(hello);
  Host host;
  Arrival<HttpAnswer> answered;
  Arrival<bool> called;
  host.client.send(get(backend.listen()), answered.setter());
  host.client.after(milliseconds(0), [&] { called.setter()(true); });
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(answered.count() + called.count(), 0U);
  EXPECT_EQ(host.client.stats().queued, 1U);
  host.start();
  EXPECT_EQ(answered.wait().body, "hello");
  EXPECT_TRUE(called.wait());
  EXPECT_TRUE(soon([&] { return host.client.stats().in_flight == 0; }));
}

TEST(HttpClientOnLoop, TimeRunsFromWhenItWasAsked) {
  BackendServer backend(hello);
  const auto url = backend.listen();
  Host host;
  Arrival<HttpAnswer> answered;
  auto late = get(url);
  late.timeout = milliseconds(5);
  host.client.send(late, answered.setter());
  std::this_thread::sleep_for(milliseconds(20));
  host.start();
  const auto answer = answered.wait();
  EXPECT_EQ(answer.status, 0);
  EXPECT_TRUE(answer.surely_not_sent());
  EXPECT_EQ(backend.requests().size(), 0U);
}

TEST(HttpClientOnLoop, TheQueueIsBoundedBeforeItRuns) {
  HttpClient client;
  std::size_t answered = 0;
  for (std::size_t i = 0; i < HttpClient::queue_limit + 3; ++i) {
    client.send(get("http://127.0.0.1:9/"), [&](const HttpAnswer&) { ++answered; });
  }
  EXPECT_EQ(answered, 3U);
  EXPECT_EQ(client.stats().refused, 3U);
  client.stop();
  EXPECT_EQ(answered, HttpClient::queue_limit + 3);
}

TEST(HttpClientOnLoop, StopsThoughItNeverRan) {
  HttpClient client;
  std::vector<HttpFailure> failures;
  client.send(get("http://127.0.0.1:9/"), [&](const HttpAnswer& answer) { failures.push_back(answer.failure); });
  client.after(milliseconds(0), [] { FAIL(); });
  client.stop();
  EXPECT_EQ(failures, std::vector{HttpFailure::stopped});
  client.send(get("http://127.0.0.1:9/"), [&](const HttpAnswer& answer) { failures.push_back(answer.failure); });
  client.after(milliseconds(0), [] { FAIL(); });
  client.stop();
  EXPECT_EQ(failures, (std::vector{HttpFailure::stopped, HttpFailure::stopped}));
}

// Open, waiting for a connection, and due later, on a loop that runs, has been told to end, or has gone.
class Stopping : public ::testing::Test {
 protected:
  void ask(HttpClient& client) {
    auto exchange = get(backend.url());
    exchange.connections = 1;
    for (int i = 0; i < 3; ++i) client.send(exchange, [this](const HttpAnswer& answer) { note(answer); });
    client.after(seconds(2), [] { FAIL(); });
    EXPECT_TRUE(soon([&] { return client.stats().in_flight == 1; }));
    EXPECT_EQ(client.stats().queued, 2U);
  }
  void note(const HttpAnswer& answer) {
    EXPECT_EQ(answer.failure, HttpFailure::stopped);
    ++answered;
  }
  SilentBackend backend;
  std::atomic<int> answered = 0;
};

TEST_F(Stopping, AnswersWhatIsOpenWhileTheLoopRuns) {
  Host host;
  host.start();
  ask(host.client);
  host.client.stop();
  EXPECT_EQ(answered, 3);
  EXPECT_EQ(host.client.stats().in_flight, 0U);
  static_cast<void>(host.slowest_echo(3, milliseconds(1)));
  EXPECT_EQ(answered, 3) << "the loop goes on without it";
}

TEST_F(Stopping, AnswersWhatIsOpenWhenTheLoopDoesNotTurnAnyMore) {
  Host host;
  host.start();
  ask(host.client);
  host.end_loop();
  host.client.stop();
  EXPECT_EQ(answered, 3);
}

TEST_F(Stopping, AnswersWhatIsOpenWhenTheLoopHasGone) {
  HttpClient client;
  {
    Server server(ServerOptions{});
    ASSERT_TRUE(server.dangerously_listen_without_tls("127.0.0.1:0"));
    ASSERT_TRUE(server.start());
    client.run_on(server.loops().front());
    ask(client);
  }
  client.send(get(backend.url()), [this](const HttpAnswer& answer) { note(answer); });
  EXPECT_EQ(answered, 0);
  client.stop();
  EXPECT_EQ(answered, 4);
}

TEST_F(Stopping, HappensInTheDestructorToo) {
  auto client = std::make_unique<HttpClientOnALoop>();
  ask(*client);
  client.reset();
  EXPECT_EQ(answered, 3);
}

TEST_F(Stopping, ComesBetweenTwoAnswersOfABusyClient) {
  BackendServer busy(hello);
  const auto url = busy.listen();
  for (int round = 0; round < 20; ++round) {
    HttpClientOnALoop client;
    std::atomic<int> answers = 0;
    std::atomic<bool> stopped = false;
    for (int i = 0; i < 50; ++i) {
      client.send(get(url), [&](const HttpAnswer&) {
        EXPECT_FALSE(stopped);
        ++answers;
      });
    }
    while (answers < round) std::this_thread::yield();
    client.stop();
    stopped = true;
    EXPECT_EQ(answers, 50);
  }
}

TEST(HttpClientOnLoop, BackendsThatAreSlowKeepNoClientWaiting) {
  SilentBackend backend;
  Host host;
  host.start();
  for (int i = 0; i < 100; ++i) host.client.send(get(backend.url()), [](const HttpAnswer&) {});
  EXPECT_TRUE(soon([&] { return host.client.stats().in_flight == 32; }));
  EXPECT_LT(host.slowest_echo(50, milliseconds(1)), seconds(2));
  EXPECT_EQ(host.client.stats().in_flight, 32U);
}

// Also once the exchange is over: its thread is not waited for.
TEST(HttpClientOnLoop, NamesThatAreNotResolvedKeepNoClientWaiting) {
  resolving = name_server_answers = false;
  Host host;
  host.start();
  Arrival<HttpAnswer> answered;
  auto exchange = get("http://" + std::string(name_without_answer) + "/");
  exchange.timeout = milliseconds(50);
  host.client.send(exchange, answered.setter());
  ASSERT_TRUE(soon([] { return resolving.load(); }));
  EXPECT_LT(host.slowest_echo(20, milliseconds(10)), seconds(2));
  EXPECT_EQ(answered.wait().failure, HttpFailure::connect);
  EXPECT_LT(host.slowest_echo(3, milliseconds(1)), seconds(2));
  name_server_answers = true;
  name_server_answers.notify_all();
}

TEST(HttpClientOnLoop, APoolThatIsBusyKeepsNoOtherWaiting) {
  SilentBackend silent;
  BackendServer backend(hello);
  HttpClientOnALoop client;
  auto exchange = get(silent.url());
  exchange.pool = "a";
  for (int i = 0; i < 40; ++i) client.send(exchange, [](const HttpAnswer&) {});
  exchange = get(backend.listen());
  exchange.pool = "b";
  Arrival<HttpAnswer> answered;
  client.send(exchange, answered.setter());
  EXPECT_EQ(answered.wait().status, 200);
}

TEST(HttpClientOnLoop, APoolWhoseQueueIsFullRefusesNothingOfAnother) {
  SilentBackend silent;
  BackendServer backend(hello);
  HttpClientOnALoop client;
  auto exchange = get(silent.url());
  exchange.pool = "a";
  for (std::size_t i = 0; i < HttpClient::queue_limit + 100; ++i) client.send(exchange, [](const HttpAnswer&) {});
  EXPECT_GE(client.stats().refused, 1U);
  exchange = get(backend.listen());
  exchange.pool = "b";
  Arrival<HttpAnswer> answered;
  client.send(exchange, answered.setter());
  EXPECT_EQ(answered.wait().status, 200);
}

TEST(HttpClientOnLoop, TimeRunsAlsoWhileAConnectionIsWaitedFor) {
  SilentBackend silent;
  HttpClientOnALoop client;
  auto exchange = get(silent.url());
  exchange.connections = 1;
  exchange.timeout = milliseconds(200);
  const auto began = Clock::now();
  Arrival<HttpAnswer> last;
  for (int i = 0; i < 20; ++i) client.send(exchange, [](const HttpAnswer&) {});
  client.send(exchange, last.setter());
  const auto answer = last.wait();
  EXPECT_TRUE(answer.surely_not_sent());
  EXPECT_LT(Clock::now() - began, seconds(2)) << "not one timeout after the other";
}

// As after a reload that shortens it: those before it have theirs yet.
TEST(HttpClientOnLoop, TimeEndsAlsoBehindOthersThatHaveMoreOfIt) {
  SilentBackend silent;
  HttpClientOnALoop client;
  auto exchange = get(silent.url());
  exchange.connections = 1;
  client.send(exchange, [](const HttpAnswer&) {});
  exchange.timeout = milliseconds(100);
  const auto began = Clock::now();
  Arrival<HttpAnswer> late;
  client.send(exchange, late.setter());
  EXPECT_TRUE(late.wait().surely_not_sent());
  EXPECT_LT(Clock::now() - began, seconds(5));
  EXPECT_EQ(client.stats().queued, 0U);
}

TEST(BlockingHttp, AsksOneAfterTheOtherOnOneConnection) {
  std::vector<std::string> peers;
  BackendServer backend([&](const Request& request) {
    peers.push_back(request.method);
    return Response::text(200, request.body);
  });
  const auto url = backend.listen();
  BlockingHttpClient client;
  auto exchange = get(url);
  EXPECT_EQ(client.ask(exchange).status, 200);
  exchange.post = "one";
  exchange.repeatable = false;
  EXPECT_EQ(client.ask(exchange).body, "one");
  exchange.post = "two";
  EXPECT_EQ(client.ask(exchange).body, "two");
  EXPECT_EQ(peers, (std::vector<std::string>{"GET", "POST", "POST"}));
  EXPECT_EQ(client.ask(get("gopher://127.0.0.1/")).failure, HttpFailure::invalid);
}

}  // namespace
}  // namespace fairlead::server
