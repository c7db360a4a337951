// SPDX-License-Identifier: Apache-2.0
// Every decision about who may do what, in one place: tokens, the backend's webhooks, the channels' permissions,
// capabilities and revocations, in the protocol's order of precedence.
#pragma once

#include "auth/backend.h"
#include "auth/settings.h"
#include "auth/tokens.h"
#include "model/channel.h"
#include "model/command.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace fairlead::server {

// A connection that has been let in.
struct Admitted {
  std::string user;
  std::int64_t expire_at = 0;        // Unix seconds; 0: never
  bool refreshed_by_server = false;  // the backend is asked before it expires, the client is not told
  std::string token_id;
  std::int64_t issued_at = 0;
  Payload info, data, meta;
  std::map<std::string, ServerSubscription> subs;  // server-side subscriptions
  std::vector<Capability> capabilities;
};

// What revocations know a token by.
struct TokenIdentity {
  std::string id;              // jti
  std::int64_t issued_at = 0;  // Unix seconds; 0: not said
};

// What a client may have of a channel that it subscribes to.
struct Granted {
  ChannelOptions options;  // with the overrides applied
  Payload info, data;
  std::int64_t expire_at = 0;
  bool refreshed_by_server = false;
  std::optional<TokenIdentity> token{};  // the subscription's, when it was granted by one
};

// Answers exactly once, on the asking loop, perhaps within the call. `who` need not outlive the call.
class Gatekeeper {
 public:
  virtual ~Gatekeeper() = default;
  virtual void connect(const Caller& who, const ConnectRequest& request, Judged<Admitted> judged) = 0;
  virtual void refresh(const Caller& who, const Admitted& admitted, const RefreshRequest& request,
                       Judged<Admitted> judged) = 0;
  // The server's own refresh, by the backend.
  virtual void refresh_by_backend(const Caller& who, const Admitted& admitted, Judged<Admitted> judged) = 0;
  virtual void subscribe(const Caller& who, const Admitted& admitted, const SubscribeRequest& request,
                         Judged<Granted> judged) = 0;
  virtual void sub_refresh(const Caller& who, const Admitted& admitted, const Granted& granted,
                           const SubRefreshRequest& request, Judged<Granted> judged) = 0;
  virtual void publish(const Caller& who, const Admitted& admitted, const PublishRequest& request, bool subscribed,
                       Judged<PublishAnswer> judged) = 0;
  virtual void rpc(const Caller& who, const Admitted& admitted, const RpcRequest& request,
                   Judged<RpcAnswer> judged) = 0;
  // The channel's options when it may be asked about, else the error.
  virtual std::variant<ChannelOptions, ClientError> presence(const Admitted& admitted, const std::string& channel,
                                                             bool subscribed) = 0;
  virtual std::variant<ChannelOptions, ClientError> history(const Admitted& admitted, const std::string& channel,
                                                            bool subscribed) = 0;
  // The options of a server-side subscription, or an error for an unknown channel.
  virtual std::variant<Granted, ClientError> server_subscription(const std::string& channel,
                                                                 const ServerSubscription& subscription) = 0;
};

}  // namespace fairlead::server
