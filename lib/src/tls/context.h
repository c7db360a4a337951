// SPDX-License-Identifier: Apache-2.0
// Options made into something that handshakes: read, checked and immutable. A change of certificates makes a new one.
#pragma once

#include <fairlead/error.h>
#include <fairlead/tls.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::tls {

class ClientSession;
class Engine;
class TicketKeys;
struct Scratch;

// What a server shows to new connections. Immutable; shared by all loops; engines keep theirs alive.
class ServerContext {
 public:
  // Reads and checks everything: each key matches its certificate, each chain is in order and within its dates, keys
  // are strong enough, names are unique, staples are good. An Error names the file and what to do.
  // `tickets`: the keys of the context that this one replaces; null: new ones.
  [[nodiscard]] static Result<std::shared_ptr<const ServerContext>> build(
      const Tls& options, std::shared_ptr<TicketKeys> tickets = nullptr,
      std::chrono::system_clock::time_point now = std::chrono::system_clock::now());
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;
  ~ServerContext();

  // Every file that was read; for the watch.
  [[nodiscard]] const std::vector<std::string>& files() const noexcept;
  [[nodiscard]] const std::shared_ptr<TicketKeys>& tickets() const noexcept;
  // From then on `build` would make another development certificate; empty when it uses none.
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> renew_at() const noexcept;

  struct Body;  // OpenSSL's side
  [[nodiscard]] const Body& body() const noexcept { return *body_; }

 private:
  explicit ServerContext(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

// What a client checks and shows. Immutable, any thread.
class ClientContext {
 public:
  [[nodiscard]] static Result<std::shared_ptr<const ClientContext>> build(const TlsClient& options);
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;
  ~ClientContext();

  struct Body;
  [[nodiscard]] const Body& body() const noexcept { return *body_; }

 private:
  explicit ClientContext(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

// An engine for one connection. Cheap; nothing is in the output yet. Scratch outlives the engine.
[[nodiscard]] std::unique_ptr<Engine> make_engine(std::shared_ptr<const ServerContext> context, Scratch& scratch);

// `host`: the URL's host, a name or an IP literal (without brackets); the context's `server_name` overrides it.
// `session`: where the ticket for the next connection is kept and the last one is taken from; null: no resumption.
[[nodiscard]] std::unique_ptr<Engine> make_engine(std::shared_ptr<const ClientContext> context, Scratch& scratch,
                                                  std::string_view host,
                                                  std::shared_ptr<ClientSession> session = nullptr);

}  // namespace fairlead::tls
