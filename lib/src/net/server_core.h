// SPDX-License-Identifier: Apache-2.0
// The body of the public Server: its loops, listeners and routes, and what they share.
#pragma once

#include "io/acceptor.h"
#include "io/loop.h"
#include "net/admission.h"
#include "net/http_session.h"
#include "net/loop_context.h"
#include "net/routes.h"
#include "tls/reload.h"

#include <fairlead/server.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace fairlead::net {

// One loop of a server with everything that lives on it.
struct ServerLoop {
  explicit ServerLoop(class ServerCore& owner);
  ServerLoop(ServerCore& owner, boost::asio::io_context& theirs);
  ServerLoop(const ServerLoop&) = delete;
  ServerLoop& operator=(const ServerLoop&) = delete;
  ~ServerLoop();

  void accept(int descriptor, const io::Endpoint& peer, bool secure);
  void begin_session(int descriptor, const io::Endpoint& peer, bool secure, std::shared_ptr<void> place);
  void forget(HttpSession& session);
  // Ends all that lives on it. On its thread, behind its last turn or within one.
  void end();
  // Past the memory budget: closes, in a moment, the WebSockets that hold most, until they have given back what grew.
  void shed_if_over_budget(std::size_t grown_bytes);

  ServerCore& core;
  std::unique_ptr<io::Loop> loop;
  std::unique_ptr<LoopContext> context;
  struct Accepting {
    std::unique_ptr<io::Acceptor> acceptor;
    bool secure;
    bool shared_out;
  };
  std::vector<Accepting> acceptors;
  unsigned index = 0;
  std::unordered_map<HttpSession*, std::shared_ptr<HttpSession>> sessions;
  std::unique_ptr<io::Timer> drain;  // closes what is open, over a window
  std::thread thread;

 private:
  void shed();
  void close_largest();

  // Behind everything that a turn has still to write: most of what it holds may leave yet.
  struct Shedding final : io::Deferred {
    explicit Shedding(ServerLoop& of) : owner(of) {}
    void on_turn_end() override { owner.shed(); }
    ServerLoop& owner;
  };

  std::size_t grown_bytes_ = 0;  // past the budget, since `shed` ran; not 0: it is on its way
  Shedding shedding_{*this};
};

class ServerCore {
 public:
  explicit ServerCore(ServerOptions options);
  ServerCore(const ServerCore&) = delete;
  ServerCore& operator=(const ServerCore&) = delete;
  ~ServerCore();

  [[nodiscard]] static ServerCore& of(Server& server) noexcept { return *server.core_; }

  Result<Listening> listen(std::string_view where, bool secure, bool anywhere);
  Result<Listening> listen_descriptor(int descriptor, bool secure, bool anywhere);
  [[nodiscard]] std::vector<LoopHandle> loops() const;
  Result<void> start();
  Result<void> start_on(boost::asio::io_context& context);
  void wait();
  void stop();
  DrainReport drain(Duration window, CloseCode code);
  Result<void> reload();
  Result<void> replace_tls(Tls tls);
  [[nodiscard]] ServerStats stats() const;
  void for_each(std::string_view path, std::function<void(Connection&)> visit);

  // ── For the loops ─────────────────────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] const ServerOptions& options() const noexcept { return options_; }
  [[nodiscard]] Routes& routes() noexcept { return routes_; }
  [[nodiscard]] std::shared_ptr<const tls::ServerContext> tls_context() const { return tls_->current(); }
  [[nodiscard]] bool draining() const noexcept { return draining_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool over_memory_budget() const noexcept;
  // Bodies of requests have a quarter of the budget.
  [[nodiscard]] bool has_room_for_bodies() const noexcept;
  [[nodiscard]] Admission& admission() noexcept { return *admission_; }
  void log(LogLevel level, const std::string& line) const;
  // A UNIX socket is accepted by one loop and shared out.
  void hand_out(int descriptor, const io::Endpoint& peer, bool secure);

 private:
  struct Listener {
    io::Endpoint endpoint;  // with the port that was picked
    bool secure;
    int first_descriptor;  // bound already; -1 once a loop has it
    bool inherited;        // made by somebody else: it cannot be bound again, and its path is not ours to remove
    // Accepted by the first loop for all of them.
    [[nodiscard]] bool shared_out() const noexcept { return inherited || endpoint.family() == AF_UNIX; }
  };
  class CertificateWatch;

  Result<void> open_tls();
  Result<void> begin(std::vector<std::unique_ptr<ServerLoop>> loops);
  Result<void> open_acceptors(ServerLoop& loop, bool first);
  void begin_loop(ServerLoop& loop);
  Result<Listener> bind(io::Endpoint endpoint, bool secure);
  // On one port, all of them or none.
  Result<std::vector<Listener>> bind_all(const io::ListenAddress& address, std::vector<io::Endpoint> endpoints,
                                         bool secure);
  void run_loop(ServerLoop& loop);
  // Runs `work` on each loop and waits until all have, or the server has been stopped: then it may still run, or never.
  void on_each_loop(std::function<void(ServerLoop&)> work);
  [[nodiscard]] bool running();
  [[nodiscard]] std::size_t body_bytes() const noexcept;
  void join();

  ServerOptions options_;
  Routes routes_;
  std::shared_ptr<Admission> admission_;
  std::unique_ptr<tls::ReloadableContext> tls_;
  std::vector<Listener> listeners_;
  std::vector<std::unique_ptr<ServerLoop>> loops_;
  std::unique_ptr<CertificateWatch> watch_;
  std::atomic<bool> draining_ = false;
  std::atomic<std::size_t> next_loop_ = 0;
  std::atomic<std::uint64_t> reloads_ = 0;
  std::atomic<std::uint64_t> reload_failures_ = 0;
  bool own_loops_ = true;

  std::mutex state_mutex_;
  std::condition_variable state_changed_;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace fairlead::net
