// SPDX-License-Identifier: Apache-2.0
#include "io/endpoint.h"

#include "base/assert.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>

namespace fairlead::io {
namespace {

template <class Address>
Address read_as(const sockaddr_storage& storage) {
  Address address{};
  static_assert(sizeof(Address) <= sizeof(sockaddr_storage));
  std::memcpy(&address, &storage, sizeof address);
  return address;
}

std::string numeric(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto v4 = read_as<sockaddr_in>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else {
    const auto v6 = read_as<sockaddr_in6>(storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

}  // namespace

Endpoint::Endpoint(const sockaddr* address, socklen_t length) : length_(length) {
  FAIRLEAD_ASSERT(length <= sizeof storage_);
  std::memcpy(&storage_, address, length);
}

Result<Endpoint> Endpoint::ip(std::string_view address, std::uint16_t port) {
  const std::string text(address);
  Endpoint endpoint;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    std::memcpy(&endpoint.storage_, &v4, sizeof v4);
    endpoint.length_ = sizeof v4;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    std::memcpy(&endpoint.storage_, &v6, sizeof v6);
    endpoint.length_ = sizeof v6;
  } else {
    return fail(Errc::invalid_argument, "'" + text + "' is not an IP address");
  }
  endpoint.set_port(port);
  return endpoint;
}

Result<Endpoint> Endpoint::unix_path(std::string_view path) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(Errc::invalid_argument, "a UNIX socket's path has 1 to 107 bytes");
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  Endpoint endpoint;
  std::memcpy(&endpoint.storage_, &address, sizeof address);
  endpoint.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return endpoint;
}

const sockaddr* Endpoint::data() const noexcept {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom.
  return reinterpret_cast<const sockaddr*>(&storage_);
}

std::uint16_t Endpoint::port() const noexcept {
  if (family() == AF_INET) return ntohs(read_as<sockaddr_in>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(read_as<sockaddr_in6>(storage_).sin6_port);
  return 0;
}

void Endpoint::set_port(std::uint16_t port) noexcept {
  // sin_port and sin6_port lie at the same place.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  if (family() != AF_INET && family() != AF_INET6) return;
  auto v4 = read_as<sockaddr_in>(storage_);
  v4.sin_port = htons(port);
  std::memcpy(&storage_, &v4, offsetof(sockaddr_in, sin_port) + sizeof v4.sin_port);
}

bool Endpoint::is_loopback() const noexcept {
  if (family() == AF_UNIX) return true;
  if (family() == AF_INET) return (ntohl(read_as<sockaddr_in>(storage_).sin_addr.s_addr) >> 24U) == 127;
  const auto v6 = read_as<sockaddr_in6>(storage_);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0;
}

PeerAddress Endpoint::peer_address() const {
  PeerAddress peer;
  if (family() == AF_UNIX) {
    const auto local = read_as<sockaddr_un>(storage_);
    if (length_ > offsetof(sockaddr_un, sun_path)) peer.path.assign(local.sun_path, strnlen(local.sun_path, 107));
    return peer;
  }
  peer.ip = numeric(storage_);
  if (peer.ip.starts_with("::ffff:") && peer.ip.find('.') != std::string::npos) peer.ip.erase(0, 7);
  peer.port = port();
  return peer;
}

std::string Endpoint::count_key() const {
  if (family() == AF_INET) {
    const auto v4 = read_as<sockaddr_in>(storage_);
    std::string key(sizeof v4.sin_addr, '\0');
    std::memcpy(key.data(), &v4.sin_addr, key.size());
    return key;
  }
  if (family() != AF_INET6) return {};
  const auto v6 = read_as<sockaddr_in6>(storage_);
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) != 0;
  std::string key(mapped ? 4 : 8, '\0');
  std::memcpy(key.data(), &v6.sin6_addr.s6_addr[mapped ? 12 : 0], key.size());
  return key;
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  constexpr std::string_view unix_prefix = "unix:";
  ListenAddress address;
  if (text.starts_with(unix_prefix)) {
    address.unix_path = text.substr(unix_prefix.size());
    if (address.unix_path.empty()) return fail(Errc::invalid_argument, "'unix:' needs a path");
    return address;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return fail(Errc::invalid_argument, "an address is HOST:PORT, :PORT or unix:PATH");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size()) {
    return fail(Errc::invalid_argument, "a port is a number from 0 to 65535");
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fail(Errc::invalid_argument, "an IPv6 address stands in brackets: [::1]:8443");
  }
  address.host = host == "*" ? "" : host;
  return address;
}

Result<std::vector<Endpoint>> listen_endpoints(const ListenAddress& address) {
  if (!address.unix_path.empty()) {
    auto endpoint = Endpoint::unix_path(address.unix_path);
    if (!endpoint) return std::unexpected(endpoint.error());
    return std::vector{*endpoint};
  }
  if (address.host.empty()) return std::vector{*Endpoint::ip("::", address.port)};
  if (address.host == "localhost") {
    return std::vector{*Endpoint::ip("127.0.0.1", address.port), *Endpoint::ip("::1", address.port)};
  }
  if (auto numeric_endpoint = Endpoint::ip(address.host, address.port)) return std::vector{*numeric_endpoint};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(address.host.c_str(), nullptr, &hints, &found);
  if (status != 0) return fail(Errc::dns_failed, "'" + address.host + "': " + gai_strerror(status));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<Endpoint> endpoints;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    endpoints.emplace_back(entry->ai_addr, entry->ai_addrlen).set_port(address.port);
  }
  return endpoints;
}

}  // namespace fairlead::io
