// SPDX-License-Identifier: Apache-2.0
// A thread that owns one connection. It takes everything that waits, runs it as one transaction, and answers once that
// is committed: while the disk is busy with one batch, the next one gathers.
#pragma once

#include "broker/sqlite/database.h"
#include "broker/sqlite/tables.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace fairlead::server::sqlite {

// One call: works on the tables and answers with what is to be done once that is committed. Then either that or `fail`
// is called, once.
struct Operation {
  std::function<std::function<void()>(Tables&)> run;
  std::function<void(const Fault&)> fail;
  std::size_t bytes = 0;  // that it holds while it waits
};

struct WorkerSettings {
  const char* begin = "BEGIN";
  std::size_t batch_operations = 1'024;
  std::size_t waiting_operations = 100'000;
  std::size_t waiting_bytes = std::size_t{256} << 20;
  std::size_t event_log_size = 0;
  std::chrono::milliseconds stopping{0};         // at the end, for what waits by then
  std::chrono::milliseconds rest{1'000};         // between two calls of `resting`, at least
  std::function<void(Tables&)> resting{};        // work of its own, in a transaction of its own
  std::function<void(Tables&)> before_commit{};  // of a batch that has changed something
  std::function<void()> after_commit{};          // then, before anything is answered
  std::function<void(const Fault&)> failed{};    // told of each operation that the database refused
};

class Worker {
 public:
  Worker(std::unique_ptr<Database> database, WorkerSettings settings);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { stop(); }

  // Fails at once when too much waits already, or when it is stopped.
  void add(Operation operation);
  // What runs is finished, and what waits as far as `stopping` reaches; the rest is failed.
  void stop();

 private:
  using Batch = std::deque<Operation>;
  void work();
  [[nodiscard]] Batch take();
  void run(Batch& batch);
  [[nodiscard]] bool run_as_one(const Batch& batch);
  [[nodiscard]] bool commit(std::int64_t changes_before);
  void rest();
  void fail(const Operation& operation, const Fault& fault) const;

  std::unique_ptr<Database> database_;
  WorkerSettings settings_;
  Tables tables_;
  std::chrono::steady_clock::time_point rested_{};
  std::mutex lock_;
  std::condition_variable wake_;
  Batch waiting_;
  std::size_t waiting_bytes_ = 0;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point stop_until_{};
  std::thread thread_;
};

}  // namespace fairlead::server::sqlite
