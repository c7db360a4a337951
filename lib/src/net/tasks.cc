// SPDX-License-Identifier: Apache-2.0
// Running tasks: a loop of their own, beside each other, and asleep.
#include "base/assert.h"
#include "base/finite.h"
#include "io/batch.h"
#include "net/channel.h"
#include "net/client_contexts.h"
#include "net/loop_context.h"
#include "net/waiting.h"

#include <fairlead/task.h>

#include <optional>
#include <utility>

namespace fairlead {
namespace {

net::LoopContext& here() {
  net::LoopContext* const context = net::LoopContext::current();
  FAIRLEAD_ASSERT(context != nullptr);  // belongs into a task that runs on a loop
  return *context;
}

Task<> guard(std::function<Task<>()> main, std::exception_ptr& thrown) {
  try {
    co_await main();
  } catch (...) {
    thrown = std::current_exception();
  }
}

}  // namespace

void run(std::function<Task<>()> main, SystemCalls calls) {
  io::Loop loop;
  if (calls == SystemCalls::automatic) loop.batch().allow();
  std::exception_ptr thrown;
  {
    net::LoopContext context(loop);
    const auto stop_when_idle = [&] {
      if (context.spawned.running() == 0 && context.channels.empty()) loop.stop();
    };
    context.spawned.on_end = stop_when_idle;
    context.on_idle = stop_when_idle;
    loop.post([&] { context.spawned.start(guard(std::move(main), thrown)); });
    loop.run();
    context.spawned.on_end = nullptr;
  }
  if (thrown) std::rethrow_exception(thrown);
}

void run(Task<> main, SystemCalls calls) {
  auto shared = std::make_shared<Task<>>(std::move(main));
  run([shared]() -> Task<> { return std::move(*shared); }, calls);
}

void spawn(Task<> task) { here().spawned.start(std::move(task)); }
void spawn(std::function<Task<>()> task) { here().spawned.start(std::move(task)); }

namespace {

class Sleep {
 public:
  Sleep(net::LoopContext& context, Duration delay, std::stop_token stop)
      : context_(context), delay_(delay), stop_(std::move(stop)), alarm_([this] { wake(false); }) {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    waiting_ = waiting;
    context_.loop.set_timer(alarm_, io::Loop::now() + finite(delay_));
    watch_.emplace(context_.mailbox, stop_, [this] { wake(true); });
  }
  Result<void> await_resume() {
    watch_.reset();
    if (cancelled_) return fail(Errc::cancelled);
    return {};
  }

 private:
  void wake(bool cancelled) {
    context_.loop.cancel_timer(alarm_);
    cancelled_ = cancelled;
    if (waiting_) std::exchange(waiting_, {}).resume();
  }

  net::LoopContext& context_;
  Duration delay_;
  std::stop_token stop_;
  net::Alarm alarm_;
  std::optional<net::StopWatch> watch_;
  std::coroutine_handle<> waiting_;
  bool cancelled_ = false;
};

}  // namespace

Task<Result<void>> sleep_for(Duration delay, std::stop_token stop) {
  if (stop.stop_requested()) co_return fail(Errc::cancelled);
  Sleep sleep(here(), delay, std::move(stop));
  co_return co_await sleep;
}

}  // namespace fairlead
