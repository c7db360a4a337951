// SPDX-License-Identifier: Apache-2.0
#include "api/webhooks.h"

#include "api/webhook_codec.h"

#include <fairlead/loop.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <numeric>

namespace fairlead::server {
namespace {

constexpr std::array second_bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0};

std::int64_t system_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

Executor asking_loop() {
  return [loop = LoopHandle::current()](std::function<void()> call) {
    if (!loop) return call();
    loop.post(std::move(call));
  };
}

// How a backend does. It outlives the settings: a reload does not make a dead backend alive.
struct Webhooks::Standing {
  explicit Standing(const ProxySettings& settings) : breaker(settings.breaker_failures, settings.breaker_pause) {}

  mutable std::mutex mutex;  // for all below
  Breaker breaker;
  std::uint64_t requests = 0, failures = 0, retries = 0, refused = 0;
  std::array<std::uint64_t, second_bounds.size() + 1> took{};
  double seconds = 0;

  bool begin(TimePoint now) {
    const std::scoped_lock lock(mutex);
    const bool allowed = breaker.allows(now);
    ++(allowed ? requests : refused);
    return allowed;
  }
  void end(bool sound, TimePoint begun, TimePoint now) {
    const std::scoped_lock lock(mutex);
    sound ? breaker.succeeded() : breaker.failed(now);
    if (!sound) ++failures;
    const double time = std::chrono::duration<double>(now - begun).count();
    seconds += time;
    ++took.at(static_cast<std::size_t>(std::ranges::lower_bound(second_bounds, time) - second_bounds.begin()));
  }
  void retried() {
    const std::scoped_lock lock(mutex);
    ++retries;
  }
  void configure(const ProxySettings& settings) {
    const std::scoped_lock lock(mutex);
    breaker.configure(settings.breaker_failures, settings.breaker_pause);
  }
};

// One configured backend.
struct Webhooks::Proxy {
  const std::string label;
  const ProxySettings settings;
  const std::shared_ptr<Standing> standing;
};

// A backend is the same while it is asked at the same address and trusted by the same authority: another one of either
// may be the very repair of what failed.
Webhooks::ProxyPtr Webhooks::make(std::string label, ProxySettings configured, const ProxyPtr& before) {
  if (configured.endpoint.empty()) return nullptr;
  const bool same = before != nullptr && before->settings.endpoint == configured.endpoint &&
                    before->settings.tls_ca_file == configured.tls_ca_file;
  auto standing = same ? before->standing : std::make_shared<Standing>(configured);
  if (same) standing->configure(configured);
  return std::make_shared<Proxy>(std::move(label), std::move(configured), std::move(standing));
}

// One question until its verdict.
template <class Answer>
struct Webhooks::Question : std::enable_shared_from_this<Question<Answer>> {
  std::shared_ptr<Proxy> proxy;
  HttpClient* client = nullptr;
  std::shared_ptr<const WebhookEnvironment> environment;
  Executor asker;
  Judged<Answer> judged;
  Caller caller;
  std::string body;
  bool repeatable = false;
  std::size_t answer_bytes = 0;
  unsigned retries_left = 0;
  TimePoint begun{};

  void send() {
    const auto& settings = proxy->settings;
    const auto now = environment->unix_seconds ? environment->unix_seconds() : system_seconds();
    HttpExchange exchange{.url = settings.endpoint,
                          .post = body,
                          .headers = webhook::header_fields(settings, caller, body, now),
                          .repeatable = repeatable,
                          .timeout = settings.timeout,
                          .response_bytes = answer_bytes,
                          .tls_ca_file = settings.tls_ca_file,
                          .pool = proxy->label,
                          .connections = settings.connections};
    client->send(std::move(exchange),
                 [self = this->shared_from_this()](HttpAnswer answer) { self->answered(std::move(answer)); });
  }

  [[nodiscard]] bool may_ask_again(const HttpAnswer& answer) const {
    if (retries_left == 0 || answer.status != 0) return false;
    if (answer.failure == HttpFailure::resolve || answer.failure == HttpFailure::connect) return true;
    return repeatable && answer.failure == HttpFailure::broken;
  }

  // What was answered is read where it was asked: it may be long, and the client has one loop for all.
  void answered(HttpAnswer answer) {
    if (may_ask_again(answer)) {
      --retries_left;
      proxy->standing->retried();
      return send();
    }
    asker([self = this->shared_from_this(), answer = std::move(answer)] { self->judge(answer); });
  }

  void judge(const HttpAnswer& answer) {
    webhook::Reading<Answer> reading{client_error::internal, false, "no answer: " + answer.sentence};
    if (answer.status != 0) reading = webhook::read<Answer>(proxy->settings, answer.status, answer.body);
    // One answer that is too long says nothing against the others of a backend.
    const bool alive = reading.sound || answer.failure == HttpFailure::too_large;
    proxy->standing->end(alive, begun, environment->clock());
    if (!reading.sound && environment->warn) environment->warn("webhook " + proxy->label + ": " + reading.problem);
    judged(std::move(reading.verdict));
  }
};

Webhooks::Webhooks(BackendSettings settings, HttpClient& client, WebhookEnvironment environment, const Webhooks* before)
    : client_(&client),
      answer_bytes_(settings.answer_bytes),
      environment_(std::make_shared<const WebhookEnvironment>(std::move(environment))) {
  connect_ = make("connect", std::move(settings.connect), before != nullptr ? before->connect_ : nullptr);
  refresh_ = make("refresh", std::move(settings.refresh), before != nullptr ? before->refresh_ : nullptr);
  for (auto& [name, configured] : settings.named) {
    auto made = make("proxy:" + name, std::move(configured), before != nullptr ? before->named(name) : nullptr);
    if (made) named_.emplace(name, std::move(made));
  }
}

Webhooks::~Webhooks() = default;

Webhooks::ProxyPtr Webhooks::named(const std::string& name) const {
  const auto found = named_.find(name);
  return found == named_.end() ? nullptr : found->second;
}

template <class Answer>
void Webhooks::ask(ProxyPtr proxy, Caller caller, std::string body, bool repeatable, Judged<Answer> judged) {
  const auto now = environment_->clock();
  if (!proxy->standing->begin(now)) return judged(client_error::internal);
  const auto question = std::make_shared<Question<Answer>>();
  question->retries_left = proxy->settings.retries;
  question->proxy = std::move(proxy);
  question->client = client_;
  question->environment = environment_;
  question->asker = environment_->here();
  question->judged = std::move(judged);
  question->caller = std::move(caller);
  question->body = std::move(body);
  question->repeatable = repeatable;
  question->answer_bytes = answer_bytes_;
  question->begun = now;
  question->send();
}

void Webhooks::connect(ConnectQuestion question, Judged<ConnectAnswer> judged) {
  if (!connect_) return judged(client_error::not_available);
  auto body = webhook::write(connect_->settings, question);
  ask(connect_, std::move(question.caller), std::move(body), true, std::move(judged));
}

void Webhooks::refresh(Caller caller, Judged<RefreshAnswer> judged) {
  if (!refresh_) return judged(client_error::not_available);
  auto body = webhook::write_refresh(refresh_->settings, caller);
  ask(refresh_, std::move(caller), std::move(body), true, std::move(judged));
}

void Webhooks::subscribe(const std::string& proxy, SubscribeQuestion question, Judged<SubscribeAnswer> judged) {
  const auto asked = named(proxy);
  if (!asked) return judged(client_error::not_available);
  auto body = webhook::write(asked->settings, question);
  ask(asked, std::move(question.caller), std::move(body), true, std::move(judged));
}

void Webhooks::publish(const std::string& proxy, PublishQuestion question, Judged<PublishAnswer> judged) {
  const auto asked = named(proxy);
  if (!asked) return judged(client_error::not_available);
  auto body = webhook::write(asked->settings, question);
  ask(asked, std::move(question.caller), std::move(body), false, std::move(judged));
}

void Webhooks::sub_refresh(const std::string& proxy, Caller caller, std::string channel, Judged<RefreshAnswer> judged) {
  const auto asked = named(proxy);
  if (!asked) return judged(client_error::not_available);
  auto body = webhook::write_sub_refresh(asked->settings, caller, channel);
  ask(asked, std::move(caller), std::move(body), true, std::move(judged));
}

void Webhooks::rpc(const std::string& proxy, RpcQuestion question, Judged<RpcAnswer> judged) {
  const auto asked = named(proxy);
  if (!asked) return judged(client_error::not_available);
  auto body = webhook::write(asked->settings, question);
  ask(asked, std::move(question.caller), std::move(body), false, std::move(judged));
}

std::vector<MetricFamily> Webhooks::metrics() const {
  std::vector<MetricFamily> families{
      {"fairlead_webhook_requests_total", "Questions to a backend.", MetricKind::counter, {}},
      {"fairlead_webhook_failures_total", "Questions without a sound answer.", MetricKind::counter, {}},
      {"fairlead_webhook_retries_total", "Questions that were sent again.", MetricKind::counter, {}},
      {"fairlead_webhook_refused_total", "Questions not sent: the breaker is open.", MetricKind::counter, {}},
      {"fairlead_webhook_breaker_open", "1 while a backend is left alone.", MetricKind::gauge, {}},
      {"fairlead_webhook_seconds", "From a question to its answer.", MetricKind::histogram, {}}};
  const auto add = [&families](const Proxy& proxy) {
    const Standing& standing = *proxy.standing;
    const std::scoped_lock lock(standing.mutex);
    const std::array values{static_cast<double>(standing.requests), static_cast<double>(standing.failures),
                            static_cast<double>(standing.retries), static_cast<double>(standing.refused),
                            standing.breaker.open() ? 1.0 : 0.0};
    const MetricLabels labels{{"proxy", proxy.label}};
    for (std::size_t i = 0; i < values.size(); ++i) families[i].samples.push_back({labels, values.at(i), {}, {}, 0});
    families.back().samples.push_back({labels,
                                       0,
                                       {second_bounds.begin(), second_bounds.end()},
                                       {standing.took.begin(), standing.took.end()},
                                       standing.seconds});
  };
  for (const auto& proxy : {connect_, refresh_}) {
    if (proxy) add(*proxy);
  }
  for (const auto& [name, proxy] : named_) add(*proxy);
  return families;
}

}  // namespace fairlead::server
