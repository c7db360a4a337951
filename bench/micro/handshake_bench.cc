// SPDX-License-Identifier: Apache-2.0
// What a TLS handshake costs a server besides the kernel: the engine alone, against a client in the same process whose
// time is not counted. The opening request and the ticket are not part of it; making and destroying the engine is.
#include <benchmark/benchmark.h>
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "tls/client_session.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/issue.h"
#include "tls/pem.h"
#include "tls/scratch.h"

namespace {

using namespace fairlead;
using std::chrono::system_clock;

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", to_string(result.error()).c_str());
  std::exit(1);
}

// A server with a certificate of its own, and a client that trusts it.
struct World {
  World() {
    tls::CertificateRequest request;
    request.common_name = "localhost";
    request.alternative_names = {"DNS:localhost"};
    request.valid_from = system_clock::now() - std::chrono::hours{1};
    request.valid_until = system_clock::now() + std::chrono::hours{24};
    const tls::Issued issued = must(tls::issue(request, nullptr));
    const std::string chain = tls::to_pem(issued.certificate.get());
    server = must(tls::ServerContext::build(Tls::pem(chain, tls::to_pem(issued.key.get()))));
    TlsClient trusting;
    trusting.ca = PemSource::from_text(chain);
    client = must(tls::ClientContext::build(trusting));
  }

  std::shared_ptr<const tls::ServerContext> server;
  std::shared_ptr<const tls::ClientContext> client;
};

std::chrono::nanoseconds cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

std::string drain(tls::Engine& engine) {
  while (true) {
    const auto event = engine.next_event();
    if (!event) break;
    if (const auto* failed = std::get_if<tls::Failed>(&*event)) must(Result<int>(std::unexpected(failed->error)));
  }
  std::string out(as_text(engine.output()));
  engine.consume(out.size());
  return out;
}

std::string feed(tls::Engine& engine, const std::string& in) {
  engine.receive(as_bytes(in));
  return drain(engine);
}

// The server's side of one connection. Its work is a function of its own, so that a profiler can be told to look at
// nothing else: `valgrind --tool=callgrind --toggle-collect='*at_server*'`.
class Server {
 public:
  explicit Server(const World& world, tls::Scratch& scratch) {
    at_server([&] { engine_ = tls::make_engine(world.server, scratch); });
  }
  ~Server() {
    at_server([&] { engine_.reset(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string receive(const std::string& in) {
    std::string out;
    at_server([&] { out = feed(*engine_, in); });
    return out;
  }
  [[nodiscard]] bool resumed() const { return engine_->info().resumed; }

  static inline std::chrono::nanoseconds spent{};

 private:
  [[gnu::noinline]] static void at_server(const auto& work) {
    spent -= cpu_time();
    work();
    spent += cpu_time();
  }

  std::unique_ptr<tls::Engine> engine_;
};

void bm_handshake(benchmark::State& state) {
  const World world;
  tls::Scratch at_client;
  tls::Scratch at_server;
  const auto session = state.range(0) != 0 ? std::make_shared<tls::ClientSession>() : nullptr;
  for (bool first = true; auto _ : state) {
    Server::spent = {};
    {
      const auto client = tls::make_engine(world.client, at_client, "localhost", session);
      Server server(world, at_server);
      const std::string flight = server.receive(drain(*client));
      const std::string ticket = server.receive(feed(*client, flight));
      static_cast<void>(feed(*client, ticket));
      const bool resumed = server.resumed();
      if (resumed == (session == nullptr || first)) state.SkipWithError("not the handshake that was asked for");
      first = false;
    }
    state.SetIterationTime(std::chrono::duration<double>(Server::spent).count());
  }
}

}  // namespace

BENCHMARK(bm_handshake)->Arg(0)->Arg(1)->ArgName("resumed")->UseManualTime()->Unit(benchmark::kMicrosecond);
