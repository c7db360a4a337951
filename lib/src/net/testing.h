// SPDX-License-Identifier: Apache-2.0
// What tests of servers share: a server on a port that the system picks, with a certificate made for the test.
#pragma once

#include <fairlead/client.h>
#include <fairlead/server.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace fairlead::net::testing {

// A server on 127.0.0.1 with one loop, started by the constructor and stopped by the destructor.
class TestServer {
 public:
  explicit TestServer(const std::function<void(Server&)>& routes, ServerOptions options = {});
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  [[nodiscard]] std::string url(std::string_view path) const;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] Server& server() noexcept { return *server_; }

 private:
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

// A server in cleartext with one loop, for tests that see what travels.
class PlainServer {
 public:
  explicit PlainServer(const std::function<void(Server&)>& routes, ServerOptions options = {});
  PlainServer(const PlainServer&) = delete;
  PlainServer& operator=(const PlainServer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] Server& server() noexcept { return *server_; }

 private:
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

// The same, but the system keeps only a few kilobytes of what is sent: nearly everything that a peer does not read
// waits in the server. Its peer: RawPeer(port(), narrow_bytes). With several loops each gets a connection in turn.
inline constexpr int narrow_bytes = 4'096;
class NarrowServer {
 public:
  explicit NarrowServer(const std::function<void(Server&)>& routes, ServerOptions options = {});

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] Server& server() noexcept { return *server_; }

 private:
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

// Whether it comes true within five seconds.
[[nodiscard]] bool soon(const std::function<bool()>& condition);

// Trusts the certificate of TestServer.
[[nodiscard]] ClientOptions client_options();
// The directory of the development certificate that tests use; made once in a run, removed at its end.
[[nodiscard]] const std::string& certificate_directory();

}  // namespace fairlead::net::testing
