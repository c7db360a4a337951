// SPDX-License-Identifier: Apache-2.0
#include "api/http_client.h"

#include "api/http_transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>

namespace fairlead::server {
namespace {

constexpr long connections_in_all = 256;  // kept alive, over all pools

HttpAnswer stopped_answer() { return {0, {}, HttpFailure::stopped, "the client is stopping"}; }
HttpAnswer late_answer() {
  return {0, {}, HttpFailure::connect, "it had to wait for too long until it could be asked"};
}

std::chrono::milliseconds left_until(TimePoint at) {
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(at - Clock::now()), std::chrono::milliseconds(0));
}

}  // namespace

// What is asked from any thread waits below `mutex` until the loop has a turn. All else belongs to whoever has
// `driving`: the loop, and in the end the thread that stops. libcurl's objects and what the loop holds for them are
// taken down on the loop, or wherever it is not there any more.
struct HttpClient::Core : std::enable_shared_from_this<Core> {
  struct Asked {
    Asked(HttpExchange exchange, Done call) : transfer(std::move(exchange)), done(std::move(call)) {}
    [[nodiscard]] std::chrono::milliseconds time_left() const {
      return transfer.exchange.timeout - std::chrono::floor<std::chrono::milliseconds>(Clock::now() - at);
    }
    HttpTransfer transfer;
    Done done;
    TimePoint at = Clock::now();
    LoopTimer late;  // while it waits in its pool
  };
  using AskedPtr = std::unique_ptr<Asked>;
  struct Pool {
    std::size_t in_flight = 0;
    std::deque<AskedPtr> waiting;
    [[nodiscard]] bool may_start() const {
      return !waiting.empty() && in_flight < std::max<std::size_t>(waiting.front()->transfer.exchange.connections, 1);
    }
  };
  struct Later {
    TimePoint at;
    std::function<void()> call;
    LoopTimer timer;
  };
  struct Watched {
    LoopWatch watch;
    int ready = 0;  // CURL_CSELECT_*: what it has been told since its last step; not 0: it stands in line
  };

  Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() { take_down(); }

  // ── Any thread ────────────────────────────────────────────────────────────────────────────────────────────────────
  void want_turn();
  void answer(Asked& asked, HttpAnswer answer);
  void count_in_flight();
  void not_queued(const Asked& asked);

  mutable std::mutex mutex;  // for what follows
  LoopHandle loop;           // once it has come
  std::vector<AskedPtr> arriving;
  std::vector<Later> arriving_later;
  HttpClientStats counted;
  std::map<std::string, std::size_t> queued;  // of each pool: arriving, or waiting in it
  bool stopping = false;
  bool turn_wanted = false;

  // ── Whoever drives ────────────────────────────────────────────────────────────────────────────────────────────────
  void turn();
  [[nodiscard]] bool step();
  void take_arrived();
  void wait_in_pool(AskedPtr asked);
  void give_up_waiting(const Asked& late);
  [[nodiscard]] bool start_one();
  void start(Pool& pool, AskedPtr asked);
  void act(curl_socket_t socket, int ready);
  void finish(CURL* easy, CURLcode code);
  void watch(curl_socket_t socket, Interest interest);
  void told(curl_socket_t socket, Readiness readiness);
  void ring(std::uint64_t number);
  void end();
  void take_down();
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* own);
  static int on_time(CURLM* multi, long milliseconds, void* self);

  std::mutex driving;  // before `mutex`
  bool ended = false;
  CURLM* multi;
  CURLSH* sessions;
  std::map<std::string, Pool> pools;
  std::string started_last;  // the pool's name
  std::map<CURL*, AskedPtr> running;
  std::map<curl_socket_t, Watched> watches;
  std::deque<curl_socket_t> line;  // of those that are ready
  LoopTimer curls_timer;
  bool curls_time_has_come = false;
  std::map<std::uint64_t, Later> later;
  std::uint64_t later_number = 0;
};

HttpClient::Core::Core() {
  initialise_curl();
  multi = curl_multi_init();
  // Of TLS: resuming one costs a new connection a quarter less. Only who drives has them, so they need no lock.
  sessions = curl_share_init();
  curl_share_setopt(sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections_in_all);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Core::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Core::on_time);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
}

// ── Any thread ──────────────────────────────────────────────────────────────────────────────────────────────────────

void HttpClient::Core::want_turn() {
  LoopHandle here;
  {
    const std::scoped_lock lock(mutex);
    if (!loop || std::exchange(turn_wanted, true)) return;
    here = loop;
  }
  here.post([self = shared_from_this()] { self->turn(); });
}

void HttpClient::Core::answer(Asked& asked, HttpAnswer answer) {
  {
    const std::scoped_lock lock(mutex);
    ++counted.exchanges;
    if (answer.status == 0) ++counted.failures;
  }
  std::exchange(asked.done, nullptr)(std::move(answer));
}

void HttpClient::Core::count_in_flight() {
  const std::scoped_lock lock(mutex);
  counted.in_flight = running.size();
}

void HttpClient::Core::not_queued(const Asked& asked) {
  const std::scoped_lock lock(mutex);
  --queued[asked.transfer.exchange.pool];
}

// ── A turn ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// Posted, so behind all that the loop's turn tells: what comes in one turn stands in line together.
void HttpClient::Core::turn() {
  const std::scoped_lock one_at_a_time(driving);
  if (ended) return;
  take_arrived();
  const TimePoint until = Clock::now() + share;
  bool more = step();
  while (more && Clock::now() < until) more = step();
  if (more) want_turn();
}

// False: there was nothing to do.
bool HttpClient::Core::step() {
  if (std::exchange(curls_time_has_come, false)) {
    act(CURL_SOCKET_TIMEOUT, 0);
    return true;
  }
  while (!line.empty()) {
    const curl_socket_t socket = line.front();
    line.pop_front();
    const auto found = watches.find(socket);
    const int ready = found == watches.end() ? 0 : std::exchange(found->second.ready, 0);
    if (ready == 0) continue;  // it has gone
    act(socket, ready);
    return true;
  }
  return start_one();
}

void HttpClient::Core::take_arrived() {
  std::vector<AskedPtr> arrived;
  std::vector<Later> arrived_later;
  {
    const std::scoped_lock lock(mutex);
    turn_wanted = false;
    arrived.swap(arriving);
    arrived_later.swap(arriving_later);
  }
  for (AskedPtr& asked : arrived) wait_in_pool(std::move(asked));
  for (Later& one : arrived_later) {
    const std::uint64_t number = ++later_number;
    one.timer = LoopHandle::current().call_after(left_until(one.at), [this, number] { ring(number); });
    later.emplace(number, std::move(one));
  }
}

void HttpClient::Core::wait_in_pool(AskedPtr asked) {
  const auto left = std::max(asked->time_left(), std::chrono::milliseconds(0));
  asked->late = LoopHandle::current().call_after(left, [this, late = asked.get()] { give_up_waiting(*late); });
  pools[asked->transfer.exchange.pool].waiting.push_back(std::move(asked));
}

// Those before it may have more time than it had.
void HttpClient::Core::give_up_waiting(const Asked& late) {
  const std::scoped_lock one_at_a_time(driving);
  if (ended) return;
  std::deque<AskedPtr>& waiting = pools[late.transfer.exchange.pool].waiting;
  const auto found = std::ranges::find(waiting, &late, &AskedPtr::get);
  const AskedPtr asked = std::move(*found);
  waiting.erase(found);
  not_queued(*asked);
  answer(*asked, late_answer());
  want_turn();  // who is in front now may be allowed more than it was
}

// One pool after the other.
bool HttpClient::Core::start_one() {
  auto at = pools.upper_bound(started_last);
  for (std::size_t left = pools.size(); left != 0; --left, ++at) {
    if (at == pools.end()) at = pools.begin();
    Pool& pool = at->second;
    if (!pool.may_start()) continue;
    started_last = at->first;
    AskedPtr asked = std::move(pool.waiting.front());
    pool.waiting.pop_front();
    start(pool, std::move(asked));
    return true;
  }
  return false;
}

void HttpClient::Core::start(Pool& pool, AskedPtr asked) {
  asked->late.cancel();
  not_queued(*asked);
  const auto limit = asked->time_left();
  if (limit < asked->transfer.exchange.timeout && limit.count() <= 0) return answer(*asked, late_answer());
  CURL* const easy = curl_easy_init();
  if (easy == nullptr) return answer(*asked, {0, {}, HttpFailure::invalid, "the request could not be made"});
  asked->transfer.prepare(easy, limit);
  curl_easy_setopt(easy, CURLOPT_SHARE, sessions);
  ++pool.in_flight;
  running.emplace(easy, std::move(asked));
  count_in_flight();
  if (curl_multi_add_handle(multi, easy) != CURLM_OK) return finish(easy, CURLE_FAILED_INIT);
  // At once, instead of when the time of zero that has just been asked for has come: that would be a turn later.
  act(CURL_SOCKET_TIMEOUT, 0);
}

void HttpClient::Core::act(curl_socket_t socket, int ready) {
  int open = 0;
  curl_multi_socket_action(multi, socket, ready, &open);
  while (const CURLMsg* const message = curl_multi_info_read(multi, &open)) {
    if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
  }
}

void HttpClient::Core::finish(CURL* easy, CURLcode code) {
  auto node = running.extract(easy);
  if (node.empty()) return;
  Asked& asked = *node.mapped();
  HttpAnswer answered = asked.transfer.answer(easy, code);
  curl_multi_remove_handle(multi, easy);
  curl_easy_cleanup(easy);
  --pools[asked.transfer.exchange.pool].in_flight;
  count_in_flight();
  answer(asked, std::move(answered));
}

// ── What libcurl asks of the loop ───────────────────────────────────────────────────────────────────────────────────

int HttpClient::Core::on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self, void* /*own*/) {
  auto& core = *static_cast<Core*>(self);
  if (what == CURL_POLL_REMOVE) {
    core.watches.erase(socket);
  } else {
    const bool in = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    const bool out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    core.watch(socket, in ? (out ? Interest::both : Interest::readable) : (out ? Interest::writable : Interest::none));
  }
  return 0;
}

void HttpClient::Core::watch(curl_socket_t socket, Interest interest) {
  Watched& watched = watches[socket];
  if (watched.watch.active()) return watched.watch.set_interest(interest);
  auto made = LoopHandle::current().watch(socket, interest, [this, socket](Readiness ready) { told(socket, ready); });
  if (made) watched.watch = std::move(*made);  // otherwise the exchange runs out of time
}

// Told in each turn until its step has come.
void HttpClient::Core::told(curl_socket_t socket, Readiness readiness) {
  {
    const std::scoped_lock one_at_a_time(driving);
    const auto found = watches.find(socket);
    if (ended || found == watches.end()) return;
    int& ready = found->second.ready;
    if (ready == 0) line.push_back(socket);
    ready |= (readiness.readable ? CURL_CSELECT_IN : 0) | (readiness.writable ? CURL_CSELECT_OUT : 0);
  }
  want_turn();
}

int HttpClient::Core::on_time(CURLM* /*multi*/, long milliseconds, void* self) {
  auto& core = *static_cast<Core*>(self);
  if (milliseconds < 0) {
    core.curls_timer.cancel();
    return 0;
  }
  core.curls_timer = LoopHandle::current().call_after(std::chrono::milliseconds(milliseconds), [&core] {
    {
      const std::scoped_lock one_at_a_time(core.driving);
      core.curls_time_has_come = true;
    }
    core.want_turn();
  });
  return 0;
}

void HttpClient::Core::ring(std::uint64_t number) {
  const std::scoped_lock one_at_a_time(driving);
  if (ended) return;
  auto node = later.extract(number);
  node.mapped().call();
}

// ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void HttpClient::Core::end() {
  {
    const std::scoped_lock one_at_a_time(driving);
    if (std::exchange(ended, true)) return;
    for (auto& [easy, asked] : running) answer(*asked, stopped_answer());
    for (auto& [name, pool] : pools) {
      for (auto& asked : pool.waiting) answer(*asked, stopped_answer());
    }
    for (AskedPtr& asked : std::exchange(arriving, {})) answer(*asked, stopped_answer());
    for (auto& [number, one] : later) one.call = nullptr;  // for what it holds
    arriving_later.clear();
    const std::scoped_lock lock(mutex);
    queued.clear();
    counted.in_flight = 0;
  }
  // Nobody adds anything any more. What is dropped unrun takes it down as well.
  loop.post([self = shared_from_this()] { self->take_down(); });
}

// The watches before what they watch.
void HttpClient::Core::take_down() {
  const std::scoped_lock one_at_a_time(driving);
  if (multi == nullptr) return;
  watches.clear();
  curls_timer.cancel();
  later.clear();
  pools.clear();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, nullptr);
  for (auto& [easy, asked] : running) {
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
  }
  running.clear();
  curl_multi_cleanup(std::exchange(multi, nullptr));
  curl_share_cleanup(sessions);
}

// ── The client ──────────────────────────────────────────────────────────────────────────────────────────────────────

HttpClient::HttpClient() : core_(std::make_shared<Core>()) {}

HttpClient::~HttpClient() { stop(); }

void HttpClient::run_on(LoopHandle loop) {
  if ((curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) == 0) {
    throw std::runtime_error("this libcurl resolves names on the thread that asks");
  }
  {
    const std::scoped_lock lock(core_->mutex);
    core_->loop = std::move(loop);
  }
  core_->want_turn();
}

void HttpClient::send(HttpExchange exchange, Done done) {
  auto asked = std::make_unique<Core::Asked>(std::move(exchange), std::move(done));
  HttpAnswer refused = stopped_answer();
  {
    const std::scoped_lock lock(core_->mutex);
    std::size_t& queued = core_->queued[asked->transfer.exchange.pool];
    if (!core_->stopping && queued < queue_limit) {
      ++queued;
      core_->arriving.push_back(std::move(asked));
    } else if (!core_->stopping) {
      ++core_->counted.refused;
      refused.sentence = "too many requests are waiting";
    }
  }
  // NOLINTNEXTLINE(bugprone-use-after-move): what was not taken was not moved
  if (asked != nullptr) return asked->done(std::move(refused));
  core_->want_turn();
}

void HttpClient::after(std::chrono::milliseconds delay, std::function<void()> call) {
  {
    const std::scoped_lock lock(core_->mutex);
    if (core_->stopping) return;
    core_->arriving_later.push_back({Clock::now() + delay, std::move(call), {}});
  }
  core_->want_turn();
}

void HttpClient::stop() {
  {
    const std::scoped_lock lock(core_->mutex);
    core_->stopping = true;
  }
  core_->end();
}

HttpClientStats HttpClient::stats() const {
  const std::scoped_lock lock(core_->mutex);
  auto stats = core_->counted;
  for (const auto& [pool, queued] : core_->queued) stats.queued += queued;
  return stats;
}

// ── Without a loop ──────────────────────────────────────────────────────────────────────────────────────────────────

BlockingHttpClient::BlockingHttpClient() : easy_(curl_easy_init()) {}  // initialises libcurl, too
BlockingHttpClient::~BlockingHttpClient() { curl_easy_cleanup(easy_); }

HttpAnswer BlockingHttpClient::ask(HttpExchange exchange) {
  if (easy_ == nullptr) return {0, {}, HttpFailure::invalid, "the request could not be made"};
  HttpTransfer transfer(std::move(exchange));
  curl_easy_reset(easy_);
  transfer.prepare(easy_, transfer.exchange.timeout);
  const CURLcode code = curl_easy_perform(easy_);
  return transfer.answer(easy_, code);
}

}  // namespace fairlead::server
