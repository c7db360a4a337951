// SPDX-License-Identifier: Apache-2.0
// `fairlead bench`: directs the threads that put load on a server through the stages of a test, and tells what came
// out. Every wait is bounded, so it always ends by itself.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <ranges>
#include <thread>
#include <vector>

#include "bench_load.h"
#include "bench_options.h"
#include "bench_process.h"
#include "bench_report.h"
#include "connect_options.h"
#include "program.h"
#include "terminal.h"

namespace fairlead::cli {

namespace {

using namespace std::chrono_literals;

constexpr Duration progress_interval = 200ms;
constexpr Duration ready_interval = 2ms;

// One line on stderr that is written over; nothing when nobody looks.
class Progress {
 public:
  explicit Progress(const BenchOptions& options) : on_(!options.json && isatty(STDERR_FILENO) == 1) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { show(""); }

  void show(std::string_view text) const {
    if (on_) (void)write_all(STDERR_FILENO, fmt::format("\r\x1b[K{}", text));
  }

 private:
  bool on_;
};

class Director {
 public:
  explicit Director(BenchOptions options) : bench_(std::move(options)), progress_(bench_.options) {}

  BenchResult run() {
    if (bench_.options.server_pid != 0) server_ = ServerUse{0, memory_use(bench_.options.server_pid), {}};
    start_threads();
    wait_until_ready();
    if (somebody_is_there()) {
      enter(Stage::warming);
      pass(bench_.options.warmup_seconds, "warming up");
      measure();
    }
    enter(Stage::done);
    for (std::thread& thread : threads_) thread.join();
    return collect();
  }

 private:
  void start_threads() {
    for (unsigned i = 0; i < bench_.options.threads; ++i) loads_.push_back(make_load(bench_, i));
    for (const auto& load : loads_)
      threads_.emplace_back([&load] { fairlead::run(load->run(), SystemCalls::automatic); });
  }

  void enter(Stage stage) { bench_.stage.store(stage); }

  // The loads bound their own connecting.
  void wait_until_ready() {
    while (bench_.ready.load() < bench_.options.threads) {
      progress_.show(fmt::format("connecting: {} of {}", bench_.connected.load(), bench_.options.connections));
      std::this_thread::sleep_for(ready_interval);
    }
  }

  // A handshake test connects later, by itself.
  bool somebody_is_there() const {
    const bool connects_later = bench_.options.mode == BenchMode::handshake || bench_.options.mode == BenchMode::resume;
    return connects_later || bench_.connected.load() > 0;
  }

  void pass(double seconds, std::string_view what) const {
    const TimePoint began = Clock::now();
    const TimePoint end = began + milliseconds(seconds);
    for (TimePoint now = began; now < end; now = Clock::now()) {
      const double passed = std::chrono::duration<double>(now - began).count();
      const double rate = passed > 0 ? static_cast<double>(bench_.count.load()) / passed : 0;
      progress_.show(fmt::format("{}: {:.1f} of {:g} s, {:.0f} {} per second, {} connections", what, passed, seconds,
                                 rate, bench_.options.unit(), bench_.connected.load()));
      std::this_thread::sleep_for(std::min<Duration>(progress_interval, end - now));
    }
  }

  std::chrono::nanoseconds server_cpu_time() const {
    if (!server_) return {};
    return cpu_time(bench_.options.server_pid).value_or(std::chrono::nanoseconds{});
  }

  void measure() {
    const auto server_before = server_cpu_time();
    const auto own_before = own_cpu_time();
    const TimePoint began = Clock::now();
    enter(Stage::measuring);
    pass(bench_.options.duration_seconds, name(bench_.options.mode));
    result_.connections = bench_.connected.load();
    if (server_) server_->after = memory_use(bench_.options.server_pid);
    result_.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    const auto server_after = server_cpu_time();
    result_.generator_cpu_seconds = std::chrono::duration<double>(own_cpu_time() - own_before).count();
    if (server_) server_->cpu_seconds = std::chrono::duration<double>(server_after - server_before).count();
  }

  BenchResult collect() {
    for (const auto& load : loads_) result_.tally.merge(load->tally());
    result_.server = server_;
    return std::move(result_);
  }

  Bench bench_;
  Progress progress_;
  std::vector<std::unique_ptr<Load>> loads_;
  std::vector<std::thread> threads_;
  std::optional<ServerUse> server_;
  BenchResult result_;
};

// Trouble of any kind shows in the status, whatever else was measured.
ExitStatus verdict(const Tally& tally) {
  if (tally.first_failure) {
    const ConnectError& error = *tally.first_failure;
    complain(fmt::format("{}\n{}", to_string(error), advice(error, error.status)));
    return status_of(error.code);
  }
  if (tally.lost > 0) return ExitStatus::closed;
  return tally.wrong > 0 ? ExitStatus::protocol : ExitStatus::ok;
}

ExitStatus run_bench(BenchOptions options) {
  if (const auto allowed = check(options); !allowed) {
    complain(allowed.error().detail);
    return allowed.error().code == Errc::bad_url ? ExitStatus::bad_url : ExitStatus::usage;
  }
  const auto ca = ca_named(options.ca_file);
  if (!ca) {
    complain(to_string(ca.error()));
    return status_of(ca.error().code);
  }
  options.ca_file = ca->file;
  if (options.server_pid != 0) {
    if (const auto found = cpu_time(options.server_pid); !found) {
      complain(found.error().detail);
      return ExitStatus::usage;
    }
  }
  const BenchResult result = Director(options).run();
  if (result.seconds > 0) {
    const std::string text =
        options.json ? report_json(options, result) : report_text(options, result, wants_colour(STDOUT_FILENO));
    if (!print_text(text)) return ExitStatus::local_io;
  }
  return verdict(result.tally);
}

Manual manual() {
  return {
      .paragraphs =
          {"Opens connections, sends messages as fast as their answers come back (or at a given rate), and prints how "
           "many there were and how long they took. What happens during the warm-up is not counted. The server is "
           "expected to send every message back, as `fairlead echo` does.",
           "Without --rate a message is sent when the answer to an earlier one has come (a closed loop): a server that "
           "stalls is asked less, and its stall hides in few latencies. With --rate each message has a time at which "
           "it "
           "is due, whatever the server does, and its latency is counted from there.",
           "Only test what you own, or were asked to test. Any host but this machine needs --yes-i-own-this-host."},
      .examples = {{"fairlead bench wss://localhost:8443/ --ca dev",
                    "16 connections, one message of 128 bytes at a time on each"},
                   {"fairlead bench wss://localhost:8443/ --ca dev --size 1K --rate 20000",
                    "latencies at a given load"},
                   {"fairlead bench wss://localhost:8443/ --ca dev --mode resume --json",
                    "resumed handshakes per second, as JSON"},
                   {"fairlead bench wss://localhost:8443/ --ca dev --mode idle --connections 5000 --server-pid 4711",
                    "memory of process 4711 per idle connection"}},
      .exit_statuses = true};
}

void add_work(Verb verb, BenchOptions& options) {
  static const std::map<std::string, BenchMode> modes{{"echo", BenchMode::echo},
                                                      {"handshake", BenchMode::handshake},
                                                      {"resume", BenchMode::resume},
                                                      {"idle", BenchMode::idle},
                                                      {"fanout", BenchMode::fanout}};
  verb.option("URL", options.url, "Where the server is, wss://HOST[:PORT]/PATH").required();
  const auto read_mode = [&mode = options.mode](const std::string& word) {
    const auto found = modes.find(word);
    if (found == modes.end()) {
      return fmt::format("there is no '{}'; there are: {}", word, fmt::join(std::views::keys(modes), ", "));
    }
    mode = found->second;
    return std::string();
  };
  verb.option("--mode", read_mode,
              "echo: messages there and back; handshake, resume: connect and close, with full or resumed TLS "
              "handshakes; idle: open connections and keep them; fanout: the first connection publishes, the server "
              "sends it to all")
      .type_name("echo|handshake|resume|idle|fanout")
      .default_str("echo");
  verb.option("--connections", options.connections, "Connections; with handshake and resume, attempts at a time")
      .type_name("N")
      .range(1, 1'000'000)
      .capture_default_str();
  add_bytes(verb, "--size", options.size_bytes, "Payload of each message");
  verb.option("--pipeline", options.pipeline,
              "Messages in flight on each connection (default 1; with --rate at most so many, 1024)")
      .type_name("N")
      .range(1, 1'000'000);
  verb.option("--rate", options.rate, "Messages per second, over all connections, on a schedule (open loop)")
      .type_name("MESSAGES")
      .range(0.1, 1e8);
  verb.flag("--busy-wait", options.busy_wait,
            "With --rate: wait without sleeping, for sharper latencies at the price of a whole core");
  add_seconds(verb, "--duration", options.duration_seconds, "Measured time");
  add_seconds(verb, "--warmup", options.warmup_seconds, "Time under load before that");
  verb.flag("--binary", [&options] { options.kind = MessageKind::binary; }, "Send binary messages (default)");
  verb.flag("--text", [&options] { options.kind = MessageKind::text; }, "Send text messages, JSON");
  verb.flag("--compress", options.compress, "Offer permessage-deflate and compress every message");
  verb.flag("--record-per-message", options.record_per_message,
            "Send each message in a TLS record of its own, as most other clients do; else those that leave at once "
            "share records");
}

void add_setting(Verb verb, BenchOptions& options) {
  verb.option("--ca", options.ca_file, "Trust the certificates in this file and no others (PEM)").type_name("FILE");
  verb.flag("--insecure", options.insecure, "Accept ANY certificate");
  add_record_layer(verb, options.record_layer);
  verb.option("--origin", options.origin, "Send this Origin").type_name("ORIGIN");
  verb.option("--threads", options.threads, "Threads, each with its share of the connections")
      .type_name("N")
      .range(1, 256)
      .capture_default_str();
  verb.option("--local-address", options.local_addresses,
              "Connect from these addresses in turn: one address has room for some 28,000 connections")
      .type_name("ADDRESS,…")
      .delimiter(',');
  verb.option("--server-pid", options.server_pid,
              "The server is this process on this machine: measure its CPU time and memory too")
      .type_name("PID")
      .range(1, 1 << 22);
  verb.flag("--json", options.json, "Print a JSON object");
  verb.flag("--yes-i-own-this-host", options.own_host,
            "Put load on a host that is not this machine, which you own or were asked to test");
}

}  // namespace

void add_bench(Program& program) {
  auto options = std::make_shared<BenchOptions>();
  const Verb verb = program.verb("bench", "Measure how many messages a server handles, and how fast", manual());
  add_work(verb, *options);
  add_setting(verb, *options);
  program.run(verb, [options] { return run_bench(*options); });
}

}  // namespace fairlead::cli
