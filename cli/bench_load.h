// SPDX-License-Identifier: Apache-2.0
// One thread's share of the load, and the few things through which it meets the thread that directs the test.
#pragma once

#include <fairlead/client.h>
#include <fairlead/task.h>
#include <fairlead/time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bench_options.h"
#include "bench_pace.h"
#include "histogram.h"

namespace fairlead::cli {

// The test goes through these in order; only what happens while measuring counts.
enum class Stage : std::uint8_t { connecting, warming, measuring, done };

// Shared by all threads. The director moves the stage; loads count.
struct Bench {
  explicit Bench(BenchOptions wanted);

  const BenchOptions options;
  const std::string payload;
  std::atomic<Stage> stage{Stage::connecting};
  std::atomic<unsigned> ready{0};         // threads whose connections are all open, or have failed
  std::atomic<std::uint64_t> count{0};    // what has been measured, for the progress line
  std::atomic<std::size_t> connected{0};  // open now

  [[nodiscard]] Stage now() const noexcept { return stage.load(std::memory_order_relaxed); }
};

// What one thread has to tell at the end.
struct Tally {
  Histogram latency;
  Histogram lag;            // how late the generator itself was, at a given rate
  std::uint64_t count = 0;  // in `unit()`
  std::uint64_t bytes = 0;
  std::uint64_t unsent = 0;   // due at a given rate, never sent because everything was in flight
  std::uint64_t opened = 0;   // connections that opened while measuring (handshakes), or at all (other modes)
  std::uint64_t resumed = 0;  // of these, with a resumed TLS session
  std::uint64_t failed = 0;   // connections that never opened
  std::uint64_t lost = 0;     // connections that ended before the test did
  std::uint64_t wrong = 0;    // answers that are not what was sent
  std::optional<ConnectError> first_failure;
  std::string first_loss;  // how the first lost connection ended
  TlsInfo tls;

  void merge(const Tally& other);
};

// Runs inside `fairlead::run` on a thread of its own.
class Load {
 public:
  Load(Bench& bench, unsigned thread);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  virtual ~Load() = default;

  // Goes through all stages and returns soon after `done`.
  virtual Task<> run() = 0;

  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

 protected:
  // This thread's share of the connections, and the number of its first one.
  [[nodiscard]] std::size_t share() const noexcept;
  [[nodiscard]] std::size_t first() const noexcept;

  // Says that this thread is ready, and waits for the next stages.
  Task<> meet();
  Task<> wait_for_end();

  [[nodiscard]] bool measuring() const noexcept { return bench_.now() == Stage::measuring; }
  [[nodiscard]] bool done() const noexcept { return bench_.now() == Stage::done; }
  // One unit of work that was due at `due` has been done at `now`.
  void completed(TimePoint due, TimePoint now, std::size_t bytes) noexcept;
  void connection_failed(const ConnectError& error);
  void connection_lost(const CloseInfo& close);
  void connection_opened(const Connection& ws);

  Bench& bench_;
  unsigned thread_;
  Tally tally_;
};

// A load on connections that stay open: opens them, keeps their number, closes them.
class SteadyLoad : public Load {
 public:
  using Load::Load;
  Task<> run() final;

 protected:
  struct Link {
    Link(SteadyLoad& owner, std::size_t position, std::size_t window)
        : load(&owner), index(position), in_flight(window) {}
    SteadyLoad* load;
    std::size_t index;
    InFlight in_flight;
    Connection* ws = nullptr;  // null before it is open and after it has closed
    bool checked = false;      // the first answer has been compared byte by byte
  };

  // All connections are open (or have failed): begin. Called once, in stage `warming`.
  virtual Task<> drive() = 0;
  virtual void on_message(Link& link, MessageView message) = 0;

  // Sends the payload; `due` is what its latency will be counted from.
  void send(Link& link, TimePoint due);
  // The answer to the oldest message in flight.
  void check_answer(Link& link, MessageView message);
  [[nodiscard]] std::vector<std::unique_ptr<Link>>& links() noexcept { return links_; }
  [[nodiscard]] std::size_t open() const noexcept { return open_; }

 private:
  Task<> open_all();
  Task<> close_all();
  void open_one(std::size_t index);
  void on_open(Link& link, Connection& ws);
  void on_close(Link& link, const CloseInfo& close);

  std::vector<std::unique_ptr<Link>> links_;
  std::size_t open_ = 0;
  std::size_t pending_ = 0;
};

[[nodiscard]] std::unique_ptr<Load> make_load(Bench& bench, unsigned thread);

}  // namespace fairlead::cli
