// SPDX-License-Identifier: Apache-2.0
// Asks the user's backend by HTTP. Where it asks comes from the configuration alone, never from a client: an address
// that a client could choose would let it reach into the operator's network.
//
// Signed requests carry X-Fairlead-Timestamp (Unix seconds) and X-Fairlead-Signature: hex(HMAC-SHA256(signing_secret,
// timestamp "." body)). The backend compares in constant time and refuses what is older than a few minutes.
//
// Once more is asked when no connection came about; after a connection that broke only what changes nothing when it is
// asked twice (connect, refresh, subscribe, sub_refresh). A backend that fails `breaker_failures` times in a row is
// left alone for `breaker_pause`; everything is then answered with the internal, temporary error at once.
#pragma once

#include "api/breaker.h"
#include "api/http_client.h"
#include "api/settings.h"
#include "auth/backend.h"
#include "metrics/prometheus.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {

// Runs a call where its asker wants it.
using Executor = std::function<void(std::function<void()>)>;
// The executor of the asking loop (outside of a loop: the client's). When the loop has ended, so has the asker:
// the call is dropped.
[[nodiscard]] Executor asking_loop();

struct WebhookEnvironment {
  std::function<Executor()> here = asking_loop;  // called within each question
  std::function<TimePoint()> clock = Clock::now;
  std::function<std::int64_t()> unix_seconds;             // unset: the system's
  std::function<void(const std::string& sentence)> warn;  // a backend fails; unset: nobody is told
};

class Webhooks final : public Backend {
 public:
  // `client` outlives it. No answer is given after `client.stop()` has returned. `before`: those of the settings until
  // now; what they know of a backend that is still asked at the same address (its breaker, its figures) is gone on
  // with.
  Webhooks(BackendSettings settings, HttpClient& client, WebhookEnvironment environment = {},
           const Webhooks* before = nullptr);
  ~Webhooks() override;

  void connect(ConnectQuestion question, Judged<ConnectAnswer> judged) override;
  void refresh(Caller caller, Judged<RefreshAnswer> judged) override;
  void subscribe(const std::string& proxy, SubscribeQuestion question, Judged<SubscribeAnswer> judged) override;
  void publish(const std::string& proxy, PublishQuestion question, Judged<PublishAnswer> judged) override;
  void sub_refresh(const std::string& proxy, Caller caller, std::string channel, Judged<RefreshAnswer> judged) override;
  void rpc(const std::string& proxy, RpcQuestion question, Judged<RpcAnswer> judged) override;

  // fairlead_webhook_{requests,failures,retries,refused}_total, _breaker_open, _seconds; each by proxy.
  [[nodiscard]] std::vector<MetricFamily> metrics() const;

 private:
  struct Standing;
  struct Proxy;
  template <class Answer>
  struct Question;
  using ProxyPtr = std::shared_ptr<Proxy>;
  [[nodiscard]] static ProxyPtr make(std::string label, ProxySettings configured, const ProxyPtr& before);
  [[nodiscard]] ProxyPtr named(const std::string& name) const;
  template <class Answer>
  void ask(ProxyPtr proxy, Caller caller, std::string body, bool repeatable, Judged<Answer> judged);

  HttpClient* client_;
  std::size_t answer_bytes_;
  std::shared_ptr<const WebhookEnvironment> environment_;
  ProxyPtr connect_, refresh_;
  std::map<std::string, ProxyPtr> named_;
};

}  // namespace fairlead::server
