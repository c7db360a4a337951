// SPDX-License-Identifier: Apache-2.0
#include "app/decisions.h"

#include "api/documents.h"
#include "api/event_delivery.h"
#include "api/webhooks.h"
#include "app/attachments.h"
#include "app/key_set_reports.h"
#include "auth/key_set_address.h"

#include <algorithm>
#include <future>
#include <iterator>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server {
namespace {

double random_share() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

// The webhooks of the newest settings. Questions that are open are answered by those that were asked.
class CurrentWebhooks final : public Backend {
 public:
  void replace(std::shared_ptr<Webhooks> webhooks) {
    const std::scoped_lock lock(mutex_);
    webhooks_ = std::move(webhooks);
  }
  [[nodiscard]] std::shared_ptr<Webhooks> current() const {
    const std::scoped_lock lock(mutex_);
    return webhooks_;
  }

  void connect(ConnectQuestion question, Judged<ConnectAnswer> judged) override {
    const auto now = current();
    now->connect(std::move(question), keeping(now, std::move(judged)));
  }
  void refresh(Caller caller, Judged<RefreshAnswer> judged) override {
    const auto now = current();
    now->refresh(std::move(caller), keeping(now, std::move(judged)));
  }
  void subscribe(const std::string& proxy, SubscribeQuestion question, Judged<SubscribeAnswer> judged) override {
    const auto now = current();
    now->subscribe(proxy, std::move(question), keeping(now, std::move(judged)));
  }
  void publish(const std::string& proxy, PublishQuestion question, Judged<PublishAnswer> judged) override {
    const auto now = current();
    now->publish(proxy, std::move(question), keeping(now, std::move(judged)));
  }
  void sub_refresh(const std::string& proxy, Caller caller, std::string channel,
                   Judged<RefreshAnswer> judged) override {
    const auto now = current();
    now->sub_refresh(proxy, std::move(caller), std::move(channel), keeping(now, std::move(judged)));
  }
  void rpc(const std::string& proxy, RpcQuestion question, Judged<RpcAnswer> judged) override {
    const auto now = current();
    now->rpc(proxy, std::move(question), keeping(now, std::move(judged)));
  }

 private:
  template <class Answer>
  static Judged<Answer> keeping(std::shared_ptr<Webhooks> asked, Judged<Answer> judged) {
    return
        [asked = std::move(asked), judged = std::move(judged)](Verdict<Answer> verdict) { judged(std::move(verdict)); };
  }
  mutable std::mutex mutex_;
  std::shared_ptr<Webhooks> webhooks_;
};

// What each connect may have to say: one sentence stands for all within its silence. Thread-safe.
class RareWarnings {
 public:
  explicit RareWarnings(LogSink log) : log_(std::move(log)) {}
  void warn(const std::string& sentence) {
    const std::scoped_lock lock(mutex_);
    const TimePoint now = Clock::now();
    if (!log_ || now < silent_until_) return;
    silent_until_ = now + silence;
    log_(LogLevel::warning, sentence);
  }

 private:
  static constexpr std::chrono::seconds silence{60};
  LogSink log_;
  std::mutex mutex_;
  TimePoint silent_until_{};
};

// Wherever a set of keys may be fetched from.
std::vector<std::string> key_set_addresses(const AuthSettings& auth) {
  std::vector<std::string> all;
  const auto add = [&all](const TokenSettings& token) {
    if (token.jwks_public_endpoint.empty()) return;
    const auto address = KeySetAddress::make(token);
    if (address) std::ranges::copy(address->all(), std::back_inserter(all));
  };
  add(auth.token);
  if (auth.subscription_token_enabled) add(auth.subscription_token);
  return all;
}

class RunningDecisions final : public Decisions {
 public:
  RunningDecisions(Store& store, EventLog& events, HttpClient& http, LogSink log)
      : http_(http),
        log_(log),
        events_(events),
        revocations_(store),
        personal_channels_(log_),
        key_sets_(std::make_shared<KeySetReports>(std::move(log))) {}

  Outcome<void> reconfigure(std::shared_ptr<const Settings> settings) override {
    const auto previous = policy();
    auto next = make_policy(settings->auth, settings->channel, fetch_documents(http_), previous.get(),
                            [reports = key_sets_](const auto& url, const auto& why) { reports->note(url, why); });
    if (!next) return std::unexpected(next.error());
    key_sets_->follow(key_set_addresses(settings->auth));
    WebhookEnvironment environment;
    environment.warn = [log = log_](const std::string& sentence) {
      if (log) log(LogLevel::warning, sentence);
    };
    BackendSettings backend = settings->backend;
    if (settings->attachments.enabled) {
      backend.answer_bytes = std::max(backend.answer_bytes, attachment_answer_bytes(settings->attachments));
    }
    const auto before = webhooks_.current();
    webhooks_.replace(std::make_shared<Webhooks>(std::move(backend), http_, std::move(environment), before.get()));
    if (delivery_) delivery_->reconfigure(settings->events);
    const std::scoped_lock lock(mutex_);
    policy_ = std::move(*next);
    settings_ = std::move(settings);
    return {};
  }

  std::shared_ptr<Gatekeeper> gatekeeper(Post post) override {
    return make_gatekeeper({.policy = [this] { return policy(); },
                            .backend = &webhooks_,
                            .revocations = &revocations_,
                            .wall_clock = [] { return std::chrono::system_clock::now(); },
                            .post = std::move(post),
                            .warn = [this](const std::string& sentence) { personal_channels_.warn(sentence); }});
  }
  Revocations& revocations() noexcept override { return revocations_; }
  Backend& backend() noexcept override { return webhooks_; }

  Outcome<void> begin() override {
    std::promise<Outcome<void>> loaded;
    revocations_.load([&loaded](Outcome<void> outcome) { loaded.set_value(std::move(outcome)); });
    if (auto outcome = loaded.get_future().get(); !outcome) return outcome;
    const EventDeliverySettings& events = settings_->events;
    if (!events.enabled) return {};
    delivery_ = std::make_unique<EventDelivery>(
        events, events_, http_,
        EventDeliveryEnvironment{
            .random = random_share, .unix_seconds = {}, .warn = [log = log_](const auto& sentence) {
              if (log) log(LogLevel::warning, sentence);
            }});
    delivery_->start();
    return {};
  }
  void end() override { delivery_.reset(); }
  void event_appended() override {
    if (delivery_) delivery_->appended();
  }

  std::vector<MetricFamily> metrics() const override {
    std::vector<MetricFamily> families = webhooks_.current()->metrics();
    std::ranges::move(key_sets_->metrics(), std::back_inserter(families));
    const std::scoped_lock lock(mutex_);
    const bool delivers = delivery_ && !settings_->events.endpoint.empty();
    if (delivers) std::ranges::move(delivery_->metrics(), std::back_inserter(families));
    return families;
  }

 private:
  std::shared_ptr<const Policy> policy() const {
    const std::scoped_lock lock(mutex_);
    return policy_;
  }

  HttpClient& http_;
  LogSink log_;
  EventLog& events_;
  Revocations revocations_;
  RareWarnings personal_channels_;
  std::shared_ptr<KeySetReports> key_sets_;  // sets of keys may outlive this object
  CurrentWebhooks webhooks_;
  mutable std::mutex mutex_;  // of policy_ and settings_
  std::shared_ptr<const Policy> policy_;
  std::shared_ptr<const Settings> settings_;
  std::unique_ptr<EventDelivery> delivery_;
};

}  // namespace

Outcome<std::unique_ptr<Decisions>> Decisions::make(std::shared_ptr<const Settings> settings, Store& store,
                                                    EventLog& events, HttpClient& http, LogSink log) {
  auto decisions = std::make_unique<RunningDecisions>(store, events, http, std::move(log));
  if (auto configured = decisions->reconfigure(std::move(settings)); !configured) {
    return std::unexpected(configured.error());
  }
  return decisions;
}

}  // namespace fairlead::server
