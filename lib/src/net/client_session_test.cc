// SPDX-License-Identifier: Apache-2.0
// A client against a server whose answer is written byte by byte.
#include "io/acceptor.h"
#include "ws/handshake_fields.h"

#include <fairlead/client.h>

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>

namespace fairlead {
namespace {

// Answers one connection's request with what `answer` makes of the right value of Sec-WebSocket-Accept.
class OneAnswer {
 public:
  explicit OneAnswer(std::function<std::string(const std::string& accept)> answer)
      : listener_(*io::Acceptor::listen(*io::Endpoint::ip("127.0.0.1", 0))),
        port_(io::Acceptor::local_endpoint(listener_).port()),
        thread_([this, answer = std::move(answer)] { serve(answer); }) {}
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;
  ~OneAnswer() {
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] std::string url() const { return "ws://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  void serve(const std::function<std::string(const std::string& accept)>& answer) const {
    int peer = ::accept(listener_, nullptr, nullptr);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (peer < 0 && std::chrono::steady_clock::now() < limit) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      peer = ::accept(listener_, nullptr, nullptr);
    }
    if (peer < 0) return;  // whoever connects sees what became of it
    std::string request;
    std::array<char, 4096> piece{};
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(peer, piece.data(), piece.size(), 0);
      if (got <= 0) break;
      request.append(piece.data(), static_cast<std::size_t>(got));
    }
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    const std::string key = request.substr(request.find(name) + name.size(), 24);
    const std::string bytes = answer(ws::accept_value(key));
    ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    while (::recv(peer, piece.data(), piece.size(), 0) > 0) continue;
    ::close(peer);
  }

  int listener_;
  std::uint16_t port_;
  std::thread thread_;
};

// How a connection attempt ends that is answered so.
Errc end_of(std::string_view version, std::string_view field) {
  Errc code = Errc::closed;
  const OneAnswer server([&](const std::string& accept) {
    return std::string(version) + " 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
           "Sec-WebSocket-Accept: " + accept + "\r\n" + std::string(field) + "\r\n";
  });
  run([&]() -> Task<> {
    ClientOptions options;
    options.dangerously_allow_cleartext = true;
    options.limits.close_time = std::chrono::milliseconds(10);
    const auto ws = co_await connect(server.url(), options);
    if (!ws) code = ws.error().code;
  });
  return code;
}

TEST(OpeningAnswer, OfHttp10IsNoSwitchOfProtocols) {  // RFC 9110 15.2
  EXPECT_EQ(end_of("HTTP/1.1", ""), Errc::closed) << "this one is good";
  EXPECT_EQ(end_of("HTTP/1.0", ""), Errc::http_unsupported_version);
}

TEST(OpeningAnswer, MaySayThatItHasNoBody) { EXPECT_EQ(end_of("HTTP/1.1", "Content-Length: 0\r\n"), Errc::closed); }

TEST(OpeningAnswer, ThatAnnouncesABodyIsRefused) {  // RFC 9110 8.6, RFC 9112 6.1
  EXPECT_EQ(end_of("HTTP/1.1", "Content-Length: 4\r\n"), Errc::http_malformed);
  EXPECT_EQ(end_of("HTTP/1.1", "Transfer-Encoding: chunked\r\n"), Errc::http_malformed);
}

}  // namespace
}  // namespace fairlead
