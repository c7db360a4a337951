// SPDX-License-Identifier: Apache-2.0
#include "io/batch.h"

#include "base/assert.h"

#include <liburing.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>

namespace fairlead::io {
namespace {

// How often a call that the system did not take whole is tried again.
constexpr int patience = 64;

// Never waits: what is not there, or does not fit, is EAGAIN at once, as the sockets are non-blocking.
void prepare(io_uring_sqe* entry, const Batch::Read& read) noexcept {
  ::io_uring_prep_recv(entry, read.descriptor, read.into.data(), read.into.size(), MSG_DONTWAIT);
}
void prepare(io_uring_sqe* entry, const Batch::Write& write) noexcept {
  ::io_uring_prep_send(entry, write.descriptor, write.from.data(), write.from.size(),
                       send_flags(write.more) | MSG_DONTWAIT);
}

Transferred done_alone(const Batch::Read& read) noexcept { return receive(read.descriptor, read.into); }
Transferred done_alone(const Batch::Write& write) noexcept { return send(write.descriptor, write.from, write.more); }

// SUBMIT_ALL: one that fails does not keep back those behind it.
io_uring* open_ring() noexcept {
  std::unique_ptr<io_uring> ring(new (std::nothrow) io_uring);
  if (ring == nullptr) return nullptr;
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN;
  return ::io_uring_queue_init_params(Batch::most, ring.get(), &parameters) == 0 ? ring.release() : nullptr;
}

}  // namespace

void Batch::Close::operator()(io_uring* ring) const noexcept {
  ::io_uring_queue_exit(ring);
  delete ring;  // NOLINT(cppcoreguidelines-owning-memory): it is the deleter
}

Batch::Batch() = default;
Batch::~Batch() = default;

bool Batch::available() noexcept {
  if (!allowed_ || ring_ != nullptr) return ring_ != nullptr;
  ring_.reset(open_ring());
  allowed_ = ring_ != nullptr;
  return allowed_;
}

void Batch::run(std::span<Read> reads) noexcept { run_all(reads); }
void Batch::run(std::span<Write> writes) noexcept { run_all(writes); }

template <class Call>
void Batch::run_all(std::span<Call> calls) noexcept {
  FAIRLEAD_ASSERT(calls.size() <= most);
  if (calls.size() > 1 && available()) return run_together(calls);
  for (Call& call : calls) call.done = done_alone(call);
}

template <class Call>
void Batch::run_together(std::span<Call> calls) noexcept {
  io_uring* const ring = ring_.get();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    io_uring_sqe* const entry = ::io_uring_get_sqe(ring);
    FAIRLEAD_ASSERT(entry != nullptr);  // it has room for `most`, and is empty between two runs
    prepare(entry, calls[i]);
    ::io_uring_sqe_set_data64(entry, i);
    calls[i].done = {Transfer::failed, 0, lost};
  }
  auto left = static_cast<unsigned>(calls.size());
  // None of them waits, so it returns with all; with fewer only when a signal came, or the system is short of memory.
  for (int tries = 0; left != 0 && tries < patience; ++tries) {
    const int entered = ::io_uring_submit_and_wait(ring, left);
    left -= take_answers(calls);
    if (entered < 0 && entered != -EINTR && entered != -EAGAIN && entered != -EBUSY) break;
  }
  if (left == 0) return;
  // They were taken in order: those that were not are done one by one, and so is everything from now on.
  const std::size_t taken = calls.size() - ::io_uring_sq_ready(ring);
  for (Call& call : calls.subspan(taken)) call.done = done_alone(call);
  ring_.reset();
  allowed_ = false;
}

template <class Call>
unsigned Batch::take_answers(std::span<Call> calls) noexcept {
  unsigned head = 0;
  unsigned seen = 0;
  io_uring_cqe* done = nullptr;
  io_uring_for_each_cqe(ring_.get(), head, done) {
    Call& call = calls[done->user_data];
    call.done = done->res == -EINTR ? done_alone(call) : outcome(done->res);
    ++seen;
  }
  ::io_uring_cq_advance(ring_.get(), seen);
  return seen;
}

}  // namespace fairlead::io
