// SPDX-License-Identifier: Apache-2.0
// The JSON of webhooks: what a backend is asked and what it answers. Pure.
//
// A question is {"client":…,"transport":…,"protocol":…,"encoding":…,"user":…,"meta":…} with the fields of its event; an
// answer {"result":{…}}, {"error":{"code":…,"message":…,"temporary":…}} or {"disconnect":{"code":…,"reason":…}}.
// Payloads that are no JSON, or all of them with `binary_encoding`, are base64 in "b64data" and "b64info".
#pragma once

#include "api/settings.h"
#include "auth/backend.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::server::webhook {

[[nodiscard]] std::string write(const ProxySettings& proxy, const ConnectQuestion& question);
[[nodiscard]] std::string write_refresh(const ProxySettings& proxy, const Caller& caller);
[[nodiscard]] std::string write(const ProxySettings& proxy, const SubscribeQuestion& question);
[[nodiscard]] std::string write(const ProxySettings& proxy, const PublishQuestion& question);
[[nodiscard]] std::string write_sub_refresh(const ProxySettings& proxy, const Caller& caller,
                                            const std::string& channel);
[[nodiscard]] std::string write(const ProxySettings& proxy, const RpcQuestion& question);

// What a backend answered. `sound` is false when it must count as a failure of the backend: a server error, or an
// answer that makes no sense; the verdict is then the internal error, and `problem` a sentence for the log.
template <class Answer>
struct Reading {
  Verdict<Answer> verdict;
  bool sound = true;
  std::string problem;
};
template <class Answer>
[[nodiscard]] Reading<Answer> read(const ProxySettings& proxy, int status, std::string_view body);

extern template Reading<ConnectAnswer> read(const ProxySettings&, int, std::string_view);
extern template Reading<RefreshAnswer> read(const ProxySettings&, int, std::string_view);
extern template Reading<SubscribeAnswer> read(const ProxySettings&, int, std::string_view);
extern template Reading<PublishAnswer> read(const ProxySettings&, int, std::string_view);
extern template Reading<RpcAnswer> read(const ProxySettings&, int, std::string_view);

// The request's fields: of the client's transport and of its connect command those that are named and none that frame
// or route the request; the configured ones; time and signature of the body when there is a secret.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> header_fields(const ProxySettings& proxy,
                                                                             const Caller& caller,
                                                                             std::string_view body,
                                                                             std::int64_t unix_seconds);

}  // namespace fairlead::server::webhook
