// SPDX-License-Identifier: Apache-2.0
// The questions that may be asked of the user's own backend. Its webhooks are one implementation (api/webhooks.h).
#pragma once

#include "model/channel.h"
#include "model/codes.h"
#include "model/publication.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairlead::server {

// Who asks, as far as it is known.
struct Caller {
  std::string client, user;
  std::string transport;  // "websocket", "http_stream", "sse", "uni_websocket", …
  std::string protocol;   // "json", "protobuf"
  std::string encoding;   // "json", "binary"
  std::string peer_ip;
  std::map<std::string, std::string> headers;           // of the transport
  std::map<std::string, std::string> emulated_headers;  // of the connect command: untrusted
  Payload meta;  // JSON that came with the token or the connect answer; for the backend alone
};

// Overrides of a channel's options for one subscription.
struct SubscriptionOverride {
  std::optional<bool> presence, join_leave, force_push_join_leave, force_positioning, force_recovery;
  std::optional<SlowPolicy> slow_policy;
  std::optional<std::size_t> slow_queue_messages;
  std::optional<double> slow_sample_per_second;
};
// A subscription that the server makes.
struct ServerSubscription {
  Payload info, data;
  SubscriptionOverride overrides;
  std::int64_t expire_at = 0;  // Unix seconds; 0: never
};

struct ConnectQuestion {
  Caller caller;
  std::string name, version;
  Payload data;
  std::vector<std::string> channels;
};
struct ConnectAnswer {
  std::string user;
  std::int64_t expire_at = 0;
  Payload info, data, meta;
  std::vector<std::string> channels;
  std::map<std::string, ServerSubscription> subs;
};
struct RefreshAnswer {
  bool expired = false;
  std::int64_t expire_at = 0;
  Payload info, meta;
};
struct SubscribeQuestion {
  Caller caller;
  std::string channel, token;
  Payload data;
};
struct SubscribeAnswer {
  Payload info, data;
  std::int64_t expire_at = 0;
  SubscriptionOverride overrides;
};
struct PublishQuestion {
  Caller caller;
  std::string channel;
  Payload data;
};
struct PublishAnswer {
  std::optional<Payload> data;  // replaces the client's
  bool skip_history = false, delta = false;
  std::map<std::string, std::string> tags;
  std::string idempotency_key;
  std::uint64_t version = 0;
  std::string version_epoch;
};
struct RpcQuestion {
  Caller caller;
  std::string method;
  Payload data;
};
struct RpcAnswer {
  Payload data;
};

template <class Answer>
using Verdict = std::variant<Answer, ClientError, DisconnectReason>;
template <class Answer>
using Judged = std::function<void(Verdict<Answer>)>;  // exactly once

// What "default" means for each question; the configuration keeps `channel.proxy.*` and `rpc.proxy` under these names.
[[nodiscard]] inline std::string proxy_name(const std::string& name, const char* question) {
  return name.empty() || name == "default" ? std::string("default:") + question : name;
}

// A backend that cannot be reached, is late or answers nonsense is `client_error::internal` (temporary).
class Backend {
 public:
  virtual ~Backend() = default;
  virtual void connect(ConnectQuestion question, Judged<ConnectAnswer> judged) = 0;
  virtual void refresh(Caller caller, Judged<RefreshAnswer> judged) = 0;
  virtual void subscribe(const std::string& proxy, SubscribeQuestion question, Judged<SubscribeAnswer> judged) = 0;
  virtual void publish(const std::string& proxy, PublishQuestion question, Judged<PublishAnswer> judged) = 0;
  virtual void sub_refresh(const std::string& proxy, Caller caller, std::string channel,
                           Judged<RefreshAnswer> judged) = 0;
  virtual void rpc(const std::string& proxy, RpcQuestion question, Judged<RpcAnswer> judged) = 0;
};

}  // namespace fairlead::server
