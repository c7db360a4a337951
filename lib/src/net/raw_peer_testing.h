// SPDX-License-Identifier: Apache-2.0
// For tests that look at HTTP byte by byte: a blocking client over a plain socket, every wait bounded.
#pragma once

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::net::testing {

class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port, int receive_buffer_bytes = 0) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (receive_buffer_bytes != 0) {
      ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom.
    connected_ = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  explicit RawPeer(const std::string& unix_path) : descriptor_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    unix_path.copy(static_cast<char*>(to.sun_path), sizeof to.sun_path - 1);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom.
    connected_ = ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { ::close(descriptor_); }

  [[nodiscard]] bool connected() const noexcept { return connected_; }
  bool send(std::string_view bytes) const {
    return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  void end() const { ::shutdown(descriptor_, SHUT_WR); }
  // Of what was sent, that has not arrived: a reset would discard it.
  [[nodiscard]] int on_its_way_bytes() const {
    int bytes = 0;
    return ::ioctl(descriptor_, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
  }
  // Its destruction resets the connection.
  void reset_at_the_end() const {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  // Everything that has come, once it holds `wanted`, or the stream has ended, or time is up.
  const std::string& read_until(std::string_view wanted) {
    while (seen_.find(wanted) == std::string::npos && read_some()) continue;
    return seen_;
  }
  const std::string& read_to_end() {
    while (read_some()) continue;
    return seen_;
  }
  // One piece, if anything comes.
  bool read_some() { return read_at_most(piece_bytes); }
  bool read_at_most(std::size_t bytes) {
    std::array<char, piece_bytes> piece{};
    const ssize_t got = ::recv(descriptor_, piece.data(), std::min(bytes, piece.size()), 0);
    ended_ = got == 0;
    if (got <= 0) return false;
    seen_.append(piece.data(), static_cast<std::size_t>(got));
    return true;
  }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] const std::string& seen() const noexcept { return seen_; }
  void forget() { seen_.clear(); }

 private:
  static constexpr std::size_t piece_bytes = 16'384;

  int descriptor_;
  bool connected_ = false;
  bool ended_ = false;
  std::string seen_;
};

}  // namespace fairlead::net::testing
