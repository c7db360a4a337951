// SPDX-License-Identifier: Apache-2.0
// For tests of streams that end in ways in which no client of TLS ends them: stands between a client and a server, and
// ends or resets the connection to the server without a word of TLS.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

namespace fairlead::net::testing {

// Carries one connection.
class Relay {
 public:
  explicit Relay(std::uint16_t server) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at = local(0);
    socklen_t size = sizeof at;
    ::bind(listener_, address(at), size);
    ::listen(listener_, 1);
    ::getsockname(listener_, address(at), &size);
    url_ = "wss://127.0.0.1:" + std::to_string(ntohs(at.sin_port)) + "/";
    carrier_ = std::thread([this, server] { carry(server); });
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay() {
    done_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    carrier_.join();
    ::close(listener_);
  }

  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  // Of what the client has sent. It reaches the server before a reset that is asked for afterwards.
  [[nodiscard]] std::size_t carried_bytes() const noexcept { return carried_; }
  // Nothing is taken from the server any more.
  void take_nothing() noexcept { takes_ = false; }
  void end() noexcept { ends_ = true; }
  void reset() noexcept { resets_ = true; }

 private:
  static sockaddr_in local(std::uint16_t port) noexcept {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }
  static sockaddr* address(sockaddr_in& of) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom.
    return reinterpret_cast<sockaddr*>(&of);
  }

  void carry(std::uint16_t server) {
    const int client = ::accept(listener_, nullptr, nullptr);
    const int upstream = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to = local(server);
    const int on = 1;  // a reset discards what Nagle's algorithm holds back
    ::setsockopt(upstream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::connect(upstream, address(to), sizeof to);
    bool ended = false;
    while (!done_ && !resets_) {
      if (ends_ && !ended) {
        ended = true;
        ::shutdown(upstream, SHUT_WR);
      }
      const short from_client = ended ? 0 : POLLIN;
      const short from_server = takes_ ? POLLIN : 0;
      std::array<pollfd, 2> both{{{client, from_client, 0}, {upstream, from_server, 0}}};
      ::poll(both.data(), both.size(), 2);
      if ((both[0].revents & POLLIN) != 0) pass(client, upstream, &carried_);
      if ((both[1].revents & POLLIN) != 0 && !pass(upstream, client)) break;  // the server has ended it
    }
    const linger at_once{.l_onoff = resets_ ? 1 : 0, .l_linger = 0};
    ::setsockopt(upstream, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(upstream);
    ::close(client);
  }
  // Counted before it is passed on, so that who has seen the answer to it has seen it counted.
  static bool pass(int from, int to, std::atomic<std::size_t>* counter = nullptr) {
    std::array<char, 65'536> piece{};
    const ssize_t got = ::recv(from, piece.data(), piece.size(), 0);
    if (got <= 0) return false;
    const auto bytes = static_cast<std::size_t>(got);
    if (counter != nullptr) *counter += bytes;
    ::send(to, piece.data(), bytes, MSG_NOSIGNAL);
    return true;
  }

  int listener_;
  std::string url_;
  std::atomic<std::size_t> carried_ = 0;
  std::atomic<bool> takes_ = true;
  std::atomic<bool> ends_ = false;
  std::atomic<bool> resets_ = false;
  std::atomic<bool> done_ = false;
  std::thread carrier_;
};

}  // namespace fairlead::net::testing
