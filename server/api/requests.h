// SPDX-License-Identifier: Apache-2.0
// The fields of each request of the API, by their established names.
#pragma once

#include "api/control.h"
#include "api/fields.h"

#include <optional>
#include <string>
#include <vector>

namespace fairlead::server::requests {

struct Publish {
  std::string channel;
  PublishCall call;
};
struct Broadcast {
  std::vector<std::string> channels;
  PublishCall call;
};
struct Channel {  // presence, presence_stats, history_remove
  std::string channel;
};
struct Channels {
  std::string pattern;
};
struct Nothing {};  // info
struct Events {
  std::uint64_t after = 0;
  std::size_t limit = 100;
};
struct Acknowledge {
  std::uint64_t sequence = 0;
};

// The member "override", of requests here and of answers of webhooks.
void list(Fields& fields, SubscriptionOverride& overrides);
void list(Fields& fields, Publish& request);
void list(Fields& fields, Broadcast& request);
void list(Fields& fields, SubscribeCall& request);
void list(Fields& fields, UnsubscribeCall& request);
void list(Fields& fields, DisconnectCall& request);
void list(Fields& fields, RefreshCall& request);
void list(Fields& fields, Channel& request);
void list(Fields& fields, HistoryCall& request);
void list(Fields& fields, Channels& request);
void list(Fields& fields, Nothing& request);
void list(Fields& fields, ConnectionsCall& request);
void list(Fields& fields, RpcCall& request);
void list(Fields& fields, TraceQuery& request);
void list(Fields& fields, RevokeTokenCall& request);
void list(Fields& fields, InvalidateUserTokensCall& request);
void list(Fields& fields, Events& request);
void list(Fields& fields, Acknowledge& request);

// What the types of the fields alone do not say: a sentence, or nothing.
template <class Request>
std::optional<std::string> problem(const Request& /*request*/) {
  return std::nullopt;
}
std::optional<std::string> problem(const Whom& whom);
inline std::optional<std::string> problem(const SubscribeCall& request) { return problem(request.whom); }
inline std::optional<std::string> problem(const UnsubscribeCall& request) { return problem(request.whom); }
inline std::optional<std::string> problem(const RefreshCall& request) { return problem(request.whom); }
std::optional<std::string> problem(const DisconnectCall& request);
std::optional<std::string> problem(const Publish& request);

}  // namespace fairlead::server::requests
