// SPDX-License-Identifier: Apache-2.0
// Socket addresses as values: IPv4, IPv6 and UNIX paths, from text and back.
#pragma once

#include <fairlead/error.h>
#include <fairlead/http.h>

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::io {

// One address that a socket can be bound or connected to. A plain value.
class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(const sockaddr* address, socklen_t length);

  // "192.0.2.1" or "2001:db8::1" (no brackets, no name).
  [[nodiscard]] static Result<Endpoint> ip(std::string_view address, std::uint16_t port);
  // At most 107 bytes.
  [[nodiscard]] static Result<Endpoint> unix_path(std::string_view path);

  [[nodiscard]] const sockaddr* data() const noexcept;
  [[nodiscard]] socklen_t size() const noexcept { return length_; }
  [[nodiscard]] int family() const noexcept { return storage_.ss_family; }
  [[nodiscard]] std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;
  [[nodiscard]] bool is_loopback() const noexcept;  // 127.0.0.0/8, ::1, a UNIX path
  [[nodiscard]] PeerAddress peer_address() const;
  // What connections are counted by: the IPv4 address, the /64 of an IPv6 address (one customer usually has at least
  // that much), nothing for UNIX sockets. An IPv4-mapped IPv6 address counts as its IPv4 address.
  [[nodiscard]] std::string count_key() const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

// "HOST:PORT", "[::1]:8443", ":8443" (every address), "unix:PATH".
struct ListenAddress {
  std::string host;  // empty: every address
  std::uint16_t port = 0;
  std::string unix_path;
};
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

// The endpoints to bind for an address: both loopbacks for "localhost", else the numeric address, else what the
// resolver says (blocking: for start-up only).
[[nodiscard]] Result<std::vector<Endpoint>> listen_endpoints(const ListenAddress& address);

}  // namespace fairlead::io
