// SPDX-License-Identifier: Apache-2.0
#include "broker/sqlite/worker.h"

#include "broker/answers.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace fairlead::server::sqlite {

Worker::Worker(std::unique_ptr<Database> database, WorkerSettings settings)
    : database_(std::move(database)),
      settings_(std::move(settings)),
      tables_(*database_, settings_.event_log_size),
      thread_([this] { work(); }) {}

void Worker::add(Operation operation) {
  std::unique_lock lock(lock_);
  const bool full =
      waiting_.size() >= settings_.waiting_operations || waiting_bytes_ + operation.bytes > settings_.waiting_bytes;
  if (!stopping_ && !full) {
    waiting_bytes_ += operation.bytes;
    waiting_.push_back(std::move(operation));
    wake_.notify_one();
    return;
  }
  const bool stopping = stopping_;
  lock.unlock();
  if (stopping) return operation.fail(stopped().error());
  fail(operation, {FaultKind::full, "too many calls wait for the database"});
}

void Worker::fail(const Operation& operation, const Fault& fault) const {
  if (settings_.failed) settings_.failed(fault);
  operation.fail(fault);
}

void Worker::stop() {
  std::unique_lock lock(lock_);
  if (std::exchange(stopping_, true)) return;
  stop_until_ = std::chrono::steady_clock::now() + settings_.stopping;
  wake_.notify_one();
  lock.unlock();
  thread_.join();
  const bool late = settings_.stopping.count() > 0;
  const Fault unwritten{FaultKind::unavailable, "the engine had to end before it was done"};
  for (Operation& operation : waiting_) late ? fail(operation, unwritten) : operation.fail(stopped().error());
  waiting_.clear();
}

void Worker::work() {
  for (;;) {
    Batch batch = take();
    if (!batch.empty()) run(batch);
    const std::lock_guard lock(lock_);
    if (stopping_ && (waiting_.empty() || std::chrono::steady_clock::now() >= stop_until_)) return;
  }
}

Worker::Batch Worker::take() {
  if (settings_.resting && std::chrono::steady_clock::now() - rested_ >= settings_.rest) rest();
  std::unique_lock lock(lock_);
  wake_.wait_for(lock, settings_.rest, [this] { return stopping_ || !waiting_.empty(); });
  Batch batch;
  if (stopping_ && std::chrono::steady_clock::now() >= stop_until_) return batch;
  while (!waiting_.empty() && batch.size() < settings_.batch_operations) {
    waiting_bytes_ -= waiting_.front().bytes;
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

// When a batch fails, perhaps one call of it is to blame (its row is damaged, it alone is too big): then each is on its
// own, so that no other pays for it.
void Worker::run(Batch& batch) {
  if (run_as_one(batch)) return;
  for (Operation& operation : batch) {
    Batch alone;
    alone.push_back(std::move(operation));
    if (!run_as_one(alone)) fail(alone.front(), database_->fault());
  }
}

bool Worker::run_as_one(const Batch& batch) {
  const std::int64_t changes = database_->changes();
  std::vector<std::function<void()>> answers;
  answers.reserve(batch.size());
  database_->execute(settings_.begin);
  for (const Operation& operation : batch) {
    if (database_->failed()) break;
    answers.push_back(operation.run(tables_));
  }
  if (!commit(changes)) {
    database_->rollback();
    tables_.forget();
    return false;
  }
  for (const auto& answer : answers) answer();
  return true;
}

bool Worker::commit(std::int64_t changes_before) {
  const bool changed = database_->changes() != changes_before;
  if (changed && settings_.before_commit) settings_.before_commit(tables_);
  database_->execute("COMMIT");
  if (database_->failed()) return false;
  if (changed && settings_.after_commit) settings_.after_commit();
  return true;
}

void Worker::rest() {
  rested_ = std::chrono::steady_clock::now();
  const std::int64_t changes = database_->changes();
  database_->execute(settings_.begin);
  settings_.resting(tables_);
  if (commit(changes)) return;
  database_->rollback();  // it is tried again; whoever needs the room hears of it
  tables_.forget();
}

}  // namespace fairlead::server::sqlite
