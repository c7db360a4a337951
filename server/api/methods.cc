// SPDX-License-Identifier: Apache-2.0
#include "api/methods.h"

#include "api/requests.h"
#include "api/results.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fairlead::server {
namespace {

constexpr auto write_result = [](const auto& value) { return results::write(value); };

template <class T, class Write = decltype(write_result)>
Answered<T> writing(Replied replied, Write write = write_result) {
  return [replied = std::move(replied), write](Answer<T> answer) {
    if (!answer) return replied(std::unexpected(std::move(answer.error())));
    replied(write(*answer));
  };
}

Answered<void> done(Replied replied) {
  return [replied = std::move(replied)](Answer<void> answer) {
    if (!answer) return replied(std::unexpected(std::move(answer.error())));
    replied("{}");
  };
}

// ── What runs each request ──────────────────────────────────────────────────────────────────────────────────────────

void run(Control& control, requests::Publish request, Replied replied) {
  control.publish(request.channel, std::move(request.call), writing<StreamPosition>(std::move(replied)));
}

void run(Control& control, requests::Broadcast request, Replied replied) {
  control.broadcast(std::move(request.channels), std::move(request.call),
                    writing<std::vector<Answer<StreamPosition>>>(std::move(replied)));
}

void run(Control& control, SubscribeCall request, Replied replied) {
  control.subscribe(std::move(request), done(std::move(replied)));
}

void run(Control& control, UnsubscribeCall request, Replied replied) {
  control.unsubscribe(std::move(request), done(std::move(replied)));
}

void run(Control& control, DisconnectCall request, Replied replied) {
  control.disconnect(std::move(request), done(std::move(replied)));
}

void run(Control& control, RefreshCall request, Replied replied) {
  control.refresh(std::move(request), done(std::move(replied)));
}

void run_presence(Control& control, const requests::Channel& request, Replied replied) {
  control.presence(request.channel, writing<Presence>(std::move(replied)));
}

void run_presence_stats(Control& control, const requests::Channel& request, Replied replied) {
  control.presence_stats(request.channel, writing<PresenceStats>(std::move(replied)));
}

void run_history_remove(Control& control, const requests::Channel& request, Replied replied) {
  control.history_remove(request.channel, done(std::move(replied)));
}

void run(Control& control, HistoryCall request, Replied replied) {
  control.history(std::move(request), writing<HistoryAnswer>(std::move(replied)));
}

void run(Control& control, const requests::Channels& request, Replied replied) {
  control.channels(request.pattern, writing<std::map<std::string, ChannelSummary>>(std::move(replied)));
}

void run(Control& control, requests::Nothing /*request*/, Replied replied) {
  control.info(writing<std::vector<NodeInfo>>(std::move(replied)));
}

void run(Control& control, ConnectionsCall request, Replied replied) {
  control.connections(std::move(request), writing<Connections>(std::move(replied)));
}

void run(Control& control, RpcCall request, Replied replied) {
  control.rpc(std::move(request),
              writing<Payload>(std::move(replied), [](const Payload& data) { return results::write_rpc(data); }));
}

void run(Control& control, TraceQuery request, Replied replied) {
  control.why(std::move(request), writing<TraceAnswer>(std::move(replied)));
}

void run(Control& control, RevokeTokenCall request, Replied replied) {
  control.revoke_token(std::move(request), done(std::move(replied)));
}

void run(Control& control, InvalidateUserTokensCall request, Replied replied) {
  control.invalidate_user_tokens(std::move(request), done(std::move(replied)));
}

void run(Control& control, requests::Events request, Replied replied) {
  control.events(request.after, request.limit, writing<LifecycleEvents>(std::move(replied)));
}

void run(Control& control, requests::Acknowledge request, Replied replied) {
  control.acknowledge_events(request.sequence, done(std::move(replied)));
}

// ── The table ───────────────────────────────────────────────────────────────────────────────────────────────────────

ClientError bad_request(std::string sentence) {
  ClientError error = client_error::bad_request;
  error.message = std::move(sentence);
  return error;
}

template <class Request>
constexpr auto overloaded_run =
    // NOLINTNEXTLINE(performance-unnecessary-value-param): some take it over
    [](Control& control, Request request, Replied replied) { run(control, std::move(request), std::move(replied)); };

template <class Request, auto Run = overloaded_run<Request>>
constexpr Method method(std::string_view name) {
  return {name,
          [](Fields& fields) {
            Request request;
            requests::list(fields, request);
          },
          [](Control& control, const JsonValue& params, Replied replied) {
            Request request;
            FieldReader reader(params);
            requests::list(reader, request);
            auto problem = reader.problem();
            if (!problem) problem = requests::problem(request);
            if (problem) return replied(std::unexpected(bad_request(std::move(*problem))));
            Run(control, std::move(request), std::move(replied));
          }};
}

constexpr std::array table{
    method<requests::Publish>("publish"),
    method<requests::Broadcast>("broadcast"),
    method<SubscribeCall>("subscribe"),
    method<UnsubscribeCall>("unsubscribe"),
    method<DisconnectCall>("disconnect"),
    method<RefreshCall>("refresh"),
    method<requests::Channel, run_presence>("presence"),
    method<requests::Channel, run_presence_stats>("presence_stats"),
    method<HistoryCall>("history"),
    method<requests::Channel, run_history_remove>("history_remove"),
    method<requests::Channels>("channels"),
    method<requests::Nothing>("info"),
    method<ConnectionsCall>("connections"),
    method<RpcCall>("rpc"),
    method<TraceQuery>("trace"),
    method<RevokeTokenCall>("revoke_token"),
    method<InvalidateUserTokensCall>("invalidate_user_tokens"),
    method<requests::Events>("events"),
    method<requests::Acknowledge>("events_acknowledge"),
};

}  // namespace

std::span<const Method> methods() { return table; }

const Method* find_method(std::string_view name) {
  const auto* const found = std::ranges::find(table, name, &Method::name);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace fairlead::server
