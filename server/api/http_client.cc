// SPDX-License-Identifier: Apache-2.0
#include "api/http_client.h"

#include <curl/curl.h>
#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace fairlead::server {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr long connections_in_all = 256;  // kept alive, over all pools
constexpr std::chrono::milliseconds longest_poll{1'000};
constexpr std::chrono::milliseconds longest_connect{5'000};

void initialise_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(result);
}

HttpFailure failure_of(CURLcode code, long connected_sockets) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return HttpFailure::resolve;
    case CURLE_COULDNT_CONNECT:
      return HttpFailure::connect;
    case CURLE_OPERATION_TIMEDOUT:
      return HttpFailure::timed_out;
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED:
      return HttpFailure::too_large;
    case CURLE_PEER_FAILED_VERIFICATION:
      return HttpFailure::certificate;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return HttpFailure::tls;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return HttpFailure::invalid;
    default:
      return connected_sockets == 0 ? HttpFailure::connect : HttpFailure::broken;
  }
}

}  // namespace

// One exchange on its way.
struct Transfer {
  HttpExchange exchange;
  HttpClient::Done done;
  std::string body;
  bool too_large = false;
  CURL* easy = nullptr;
  curl_slist* fields = nullptr;
  std::size_t given = 0;  // bytes of the body

  Transfer(HttpExchange asked, HttpClient::Done call) : exchange(std::move(asked)), done(std::move(call)) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    if (easy != nullptr) curl_easy_cleanup(easy);
    curl_slist_free_all(fields);
  }

  bool prepare();

 private:
  static std::size_t take(char* bytes, std::size_t size, std::size_t count, void* transfer);
  static std::size_t give(char* bytes, std::size_t size, std::size_t count, void* transfer);
  void add_fields();
  void restrict();
};
using TransferPtr = std::unique_ptr<Transfer>;

std::size_t Transfer::take(char* bytes, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  const std::size_t length = size * count;
  if (length > self.exchange.response_bytes - self.body.size()) {
    self.too_large = true;
    return 0;  // ends the transfer
  }
  self.body.append(bytes, length);
  return length;
}

std::size_t Transfer::give(char* bytes, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  const std::size_t length = self.exchange.post->copy(bytes, size * count, self.given);
  self.given += length;
  return length;
}

void Transfer::add_fields() {
  for (const auto& [name, value] : exchange.headers) {
    // "Name;" is how curl is told of a field without a value.
    const std::string field = value.empty() ? name + ";" : name + ": " + value;
    if (auto* const longer = curl_slist_append(fields, field.c_str())) fields = longer;
  }
  // A body above a kilobyte would else wait a second for a "100 Continue" that few servers send.
  if (auto* const longer = curl_slist_append(fields, "Expect:")) fields = longer;
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields);
}

void Transfer::restrict() {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // also not from the environment
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!exchange.tls_ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, exchange.tls_ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
}

bool Transfer::prepare() {
  easy = curl_easy_init();
  if (easy == nullptr) return false;
  const auto limit = std::max(exchange.timeout, std::chrono::milliseconds(1));
  curl_easy_setopt(easy, CURLOPT_URL, exchange.url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(limit, longest_connect).count()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::take);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  if (exchange.post) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(exchange.post->size()));
    if (exchange.repeatable) {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange.post->data());
    } else {
      // A body that is read by a callback without a way back cannot be sent a second time: that is wanted here.
      curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Transfer::give);
      curl_easy_setopt(easy, CURLOPT_READDATA, this);
    }
  }
  restrict();
  add_fields();
  return true;
}

struct HttpClient::Core {
  struct Pool {
    std::size_t in_flight = 0;
    std::deque<TransferPtr> waiting;
  };
  struct Later {
    SteadyClock::time_point at;
    std::function<void()> call;
  };

  mutable std::mutex mutex;
  std::vector<TransferPtr> arriving;
  std::vector<Later> later;
  HttpClientStats counted;
  std::size_t queued = 0;  // arriving, or waiting in a pool
  bool stopping = false;

  // The thread's own.
  CURLM* multi = nullptr;
  std::map<std::string, Pool> pools;
  std::map<CURL*, TransferPtr> running;
  std::thread thread;

  void run();
  void admit();
  void start(Pool& pool, TransferPtr transfer);
  void collect();
  void finish(CURL* easy, CURLcode code);
  void answer(Transfer& transfer, HttpAnswer answer);
  void ring();
  int poll_milliseconds();
  void end();
  bool stopped() const {
    const std::scoped_lock lock(mutex);
    return stopping;
  }
};

void HttpClient::Core::answer(Transfer& transfer, HttpAnswer answer) {
  {
    const std::scoped_lock lock(mutex);
    ++counted.exchanges;
    if (answer.status == 0) ++counted.failures;
  }
  transfer.done(std::move(answer));
}

void HttpClient::Core::admit() {
  std::vector<TransferPtr> arrived;
  {
    const std::scoped_lock lock(mutex);
    arrived.swap(arriving);
  }
  for (auto& transfer : arrived) pools[transfer->exchange.pool].waiting.push_back(std::move(transfer));
  for (auto& [name, pool] : pools) {
    while (!pool.waiting.empty() &&
           pool.in_flight < std::max<std::size_t>(pool.waiting.front()->exchange.connections, 1)) {
      auto transfer = std::move(pool.waiting.front());
      pool.waiting.pop_front();
      start(pool, std::move(transfer));
    }
  }
}

void HttpClient::Core::start(Pool& pool, TransferPtr transfer) {
  {
    const std::scoped_lock lock(mutex);
    --queued;
  }
  if (!transfer->prepare() || curl_multi_add_handle(multi, transfer->easy) != CURLM_OK) {
    return answer(*transfer, {0, {}, HttpFailure::invalid, "the request could not be made"});
  }
  ++pool.in_flight;
  running.emplace(transfer->easy, std::move(transfer));
  const std::scoped_lock lock(mutex);
  counted.in_flight = running.size();
}

void HttpClient::Core::finish(CURL* easy, CURLcode code) {
  auto node = running.extract(easy);
  if (node.empty()) return;
  Transfer& transfer = *node.mapped();
  long status = 0;
  long sockets = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &sockets);
  double connected_after = 0;
  curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME, &connected_after);
  curl_multi_remove_handle(multi, easy);
  --pools[transfer.exchange.pool].in_flight;
  {
    const std::scoped_lock lock(mutex);
    counted.in_flight = running.size();
  }
  if (code == CURLE_OK) return answer(transfer, {static_cast<int>(status), std::move(transfer.body), {}, {}});
  auto failure = transfer.too_large ? HttpFailure::too_large : failure_of(code, 1);
  // Late before there was a connection: nothing was sent.
  if (failure == HttpFailure::timed_out && sockets == 0 && connected_after <= 0) failure = HttpFailure::connect;
  answer(transfer, {0, {}, failure, curl_easy_strerror(code)});
}

void HttpClient::Core::collect() {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
  }
}

void HttpClient::Core::ring() {
  std::vector<std::function<void()>> due;
  {
    const std::scoped_lock lock(mutex);
    const auto now = SteadyClock::now();
    std::erase_if(later, [&](Later& entry) {
      if (entry.at > now) return false;
      due.push_back(std::move(entry.call));
      return true;
    });
  }
  for (const auto& call : due) call();
}

int HttpClient::Core::poll_milliseconds() {
  const std::scoped_lock lock(mutex);
  auto wait = longest_poll;
  for (const auto& entry : later) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(entry.at - SteadyClock::now());
    wait = std::clamp(left, std::chrono::milliseconds(0), wait);
  }
  return static_cast<int>(wait.count());
}

void HttpClient::Core::run() {
  while (!stopped()) {
    admit();
    int open = 0;
    curl_multi_perform(multi, &open);
    collect();
    admit();  // places have become free
    ring();
    curl_multi_poll(multi, nullptr, 0, poll_milliseconds(), nullptr);
  }
  end();
}

void HttpClient::Core::end() {
  const HttpAnswer stopped_answer{0, {}, HttpFailure::stopped, "the client is stopping"};
  admit();
  while (!running.empty()) {
    auto node = running.extract(running.begin());
    curl_multi_remove_handle(multi, node.key());
    answer(*node.mapped(), stopped_answer);
  }
  for (auto& [name, pool] : pools) {
    for (auto& transfer : pool.waiting) answer(*transfer, stopped_answer);
  }
  pools.clear();
}

HttpClient::HttpClient() : core_(std::make_unique<Core>()) {
  initialise_curl();
  core_->multi = curl_multi_init();
  curl_multi_setopt(core_->multi, CURLMOPT_MAXCONNECTS, connections_in_all);
  core_->thread = std::thread([core = core_.get()] { core->run(); });
}

HttpClient::~HttpClient() {
  stop();
  curl_multi_cleanup(core_->multi);
}

void HttpClient::send(HttpExchange exchange, Done done) {
  auto transfer = std::make_unique<Transfer>(std::move(exchange), std::move(done));
  HttpAnswer refused{0, {}, HttpFailure::stopped, "the client is stopping"};
  bool taken = false;
  {
    const std::scoped_lock lock(core_->mutex);
    if (!core_->stopping && core_->queued < queue_limit) {
      ++core_->queued;
      taken = true;
      core_->arriving.push_back(std::move(transfer));
    } else if (!core_->stopping) {
      ++core_->counted.refused;
      refused = {0, {}, HttpFailure::stopped, "too many requests are waiting"};
    }
  }
  // NOLINTNEXTLINE(bugprone-use-after-move): what was not taken was not moved
  if (!taken) return transfer->done(std::move(refused));
  curl_multi_wakeup(core_->multi);
}

void HttpClient::after(std::chrono::milliseconds delay, std::function<void()> call) {
  {
    const std::scoped_lock lock(core_->mutex);
    if (core_->stopping) return;
    core_->later.push_back({SteadyClock::now() + delay, std::move(call)});
  }
  curl_multi_wakeup(core_->multi);
}

void HttpClient::stop() {
  {
    const std::scoped_lock lock(core_->mutex);
    core_->stopping = true;
    core_->later.clear();
  }
  curl_multi_wakeup(core_->multi);
  if (core_->thread.joinable()) core_->thread.join();
}

HttpClientStats HttpClient::stats() const {
  const std::scoped_lock lock(core_->mutex);
  auto stats = core_->counted;
  stats.queued = core_->queued;
  return stats;
}

}  // namespace fairlead::server
