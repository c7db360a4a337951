// SPDX-License-Identifier: Apache-2.0
// The blocking client: calls of several threads, and what it keeps while it closes.
#include "io/acceptor.h"
#include "net/testing.h"
#include "ws/handshake_fields.h"

#include <fairlead/blocking.h>
#include <fairlead/server.h>

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::soon;
using net::testing::TestServer;
using std::chrono::milliseconds;

// A server of one connection that opens a WebSocket and says no more.
class MuteServer {
 public:
  MuteServer()
      : listener_(*io::Acceptor::listen(*io::Endpoint::ip("127.0.0.1", 0))),
        port_(io::Acceptor::local_endpoint(listener_).port()),
        thread_([this] { serve(); }) {}
  MuteServer(const MuteServer&) = delete;
  MuteServer& operator=(const MuteServer&) = delete;
  ~MuteServer() {
    ended_ = true;
    ended_.notify_all();
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string url() const { return "ws://127.0.0.1:" + std::to_string(port_) + "/"; }
  [[nodiscard]] static ClientOptions options() {
    ClientOptions options;
    options.dangerously_allow_cleartext = true;
    return options;
  }

 private:
  void serve() const {
    int peer = -1;
    if (!soon([&] { return peer >= 0 || (peer = ::accept(listener_, nullptr, nullptr)) >= 0; })) return;
    std::string request;
    std::array<char, 4096> piece{};
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(peer, piece.data(), piece.size(), 0);
      if (got <= 0) break;
      request.append(piece.data(), static_cast<std::size_t>(got));
    }
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    const std::string key = request.substr(request.find(name) + name.size(), 24);
    const std::string answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
                               ("Sec-WebSocket-Accept: " + ws::accept_value(key)) + "\r\n\r\n";
    ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    ended_.wait(false);
    ::close(peer);
  }

  int listener_;
  std::uint16_t port_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

TEST(BlockingClient, SeveralThreadsMayCloseIt) {
  MuteServer server;
  ClientOptions options = MuteServer::options();
  options.limits.close_time = milliseconds(500);
  auto ws = blocking::Client::connect(server.url(), options);
  ASSERT_TRUE(ws);
  const auto close = [&] { return ws->close(close_code::normal, "enough"); };
  std::array ends{std::async(std::launch::async, close), std::async(std::launch::async, close)};
  for (auto& end : ends) EXPECT_EQ(end.get().sent_code, close_code::normal) << "each waits for the end";
}

// The sanitizer for undefined behaviour itself needs two descriptors to look at an object.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define FAIRLEAD_NEEDS_DESCRIPTORS
#endif
#endif
#ifndef FAIRLEAD_NEEDS_DESCRIPTORS
// Its loop needs some before anything can fail.
TEST(BlockingClient, WithoutDescriptorsConnectingIsAnError) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(STDERR_FILENO);
  ASSERT_GE(next, 0);
  ::close(next);
  const rlimit none_left{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none_left), 0);
  const auto ws = blocking::Client::connect("wss://127.0.0.1:1/", ClientOptions{});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(ws);
  EXPECT_EQ(ws.error().code, Errc::system) << to_string(ws.error());
}
#endif

// A server that goes on sending cannot make a client grow that closes and takes nothing any more.
TEST(BlockingClient, KeepsNoMoreThanItDidBeforeWhileItCloses) {
  TestServer server([](Server& s) {
    s.websocket("/", [](Connection& ws) -> Task<> {
      const std::string text(100, 'x');
      while (ws.open()) {
        const auto sent = co_await ws.send(text);
        if (sent == SendResult::closed) break;
      }
    });
  });
  auto ws = blocking::Client::connect(server.url("/"), client_options());
  ASSERT_TRUE(ws);
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_TRUE(ws->close().clean) << "its close frame is read behind all of that";
  int kept = 0;
  while (ws->receive()) ++kept;
  EXPECT_EQ(kept, 64);
}

}  // namespace
}  // namespace fairlead
