// SPDX-License-Identifier: Apache-2.0
#include "app/node_control.h"

#include "app/node_metrics.h"
#include "app/process.h"
#include "auth/rpc.h"
#include "model/glob.h"

#include <fairlead/version.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace fairlead::server {
namespace {

std::unexpected<ClientError> refused(ClientError error) { return std::unexpected(std::move(error)); }

// Hands on what an engine answered, its faults as codes.
template <class T>
Done<T> answering(Answered<T> answered) {
  return [answered = std::move(answered)](Outcome<T> outcome) {
    if (!outcome) return answered(refused(client_error_of(outcome.error())));
    if constexpr (std::is_void_v<T>) {
      answered({});
    } else {
      answered(std::move(*outcome));
    }
  };
}

struct Known {
  std::shared_ptr<const Settings> settings;
  const ChannelOptions* options = nullptr;
};

// The options of a channel by its name: 107 for what is no name, 102 for a namespace that there is not.
Answer<Known> known(const Node& node, const std::string& channel) {
  Known found{.settings = node.settings()};
  const ChannelSettings& settings = found.settings->channel;
  if (!is_channel_name(channel, settings)) return refused(client_error::bad_request);
  found.options = options_of(parse_channel(channel, settings), settings);
  if (found.options == nullptr) return refused(client_error::unknown_channel);
  return found;
}

bool fits_format(const ChannelOptions& options, const PublishCall& call) {
  const std::string& format = options.publication_data_format;
  if (format.empty()) return true;
  if (format == "binary") return !call.json;
  if (format == "json_object") return call.json && call.data.starts_with('{');
  return call.json;
}

PublishOptions publish_options(const ChannelOptions& options, const PublishCall& call) {
  PublishOptions wanted;
  if (options.has_history() && !call.skip_history) {
    wanted.history_size = options.history_size;
    wanted.history_ttl = options.history_ttl;
  }
  wanted.history_meta_ttl = options.history_meta_ttl;
  wanted.keep_latest = options.keep_latest_publication;
  wanted.want_previous = call.delta || options.delta_publish;
  wanted.idempotency_key = call.idempotency_key;
  wanted.version = call.version;
  wanted.version_epoch = call.version_epoch;
  return wanted;
}

Publication publication_of(PublishCall call) {
  Publication publication;
  publication.data = std::move(call.data);
  publication.json = call.json;
  publication.tags = std::move(call.tags);
  publication.time_ms = unix_ms(std::chrono::system_clock::now());
  publication.key = std::move(call.key);
  publication.version = call.version;
  return publication;
}

void add(SessionMetrics& sum, const SessionMetrics& more) {
  for (auto member :
       {&SessionMetrics::connected, &SessionMetrics::disconnected, &SessionMetrics::commands, &SessionMetrics::errors,
        &SessionMetrics::subscribed, &SessionMetrics::unsubscribed, &SessionMetrics::publications,
        &SessionMetrics::recovered, &SessionMetrics::unrecovered, &SessionMetrics::gaps, &SessionMetrics::filtered,
        &SessionMetrics::dropped, &SessionMetrics::sampled, &SessionMetrics::conflated, &SessionMetrics::slow,
        &SessionMetrics::deltas}) {
    sum.*member += more.*member;
  }
}

std::uint64_t uptime_seconds(const Node& node) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - node.started_at()).count());
}

// Something that several loops write into, one after the other.
template <class T>
struct Gathered {
  std::mutex mutex;
  T value;
};

}  // namespace

NodeControl::NodeControl(Node& node, Revocations& revocations, Backend& backend, std::function<ServerStats()> library,
                         std::function<std::vector<MetricFamily>()> more_metrics)
    : node_(node),
      revocations_(revocations),
      backend_(backend),
      library_(std::move(library)),
      more_metrics_(std::move(more_metrics)) {}

// ── Channels ────────────────────────────────────────────────────────────────────────────────────────────────────────

void NodeControl::publish(const std::string& channel, PublishCall call, Answered<StreamPosition> answered) {
  const auto found = known(node_, channel);
  if (!found) return answered(refused(found.error()));
  if (!fits_format(*found->options, call)) return answered(refused(client_error::bad_request));
  const bool versioned_without_history = call.version > 0 && !found->options->has_history();
  if (versioned_without_history) return answered(refused(client_error::bad_request));
  PublishOptions options = publish_options(*found->options, call);
  node_.broker().publish(channel, publication_of(std::move(call)), std::move(options),
                         [answered = std::move(answered)](Outcome<PublishOutcome> outcome) {
                           if (!outcome) return answered(refused(client_error_of(outcome.error())));
                           answered(std::move(outcome->position));
                         });
}

void NodeControl::broadcast(std::vector<std::string> channels, PublishCall call,
                            Answered<std::vector<Answer<StreamPosition>>> answered) {
  struct All {
    std::mutex mutex;
    std::vector<Answer<StreamPosition>> answers;
    std::size_t left;
    Answered<std::vector<Answer<StreamPosition>>> answered;
  };
  if (channels.empty()) return answered(std::vector<Answer<StreamPosition>>{});
  auto all = std::make_shared<All>();
  all->answers.resize(channels.size());
  all->left = channels.size();
  all->answered = std::move(answered);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    publish(channels.at(i), call, [all, i](Answer<StreamPosition> answer) {
      bool last = false;
      {
        const std::scoped_lock lock(all->mutex);
        all->answers.at(i) = std::move(answer);
        last = --all->left == 0;
      }
      if (last) all->answered(std::move(all->answers));
    });
  }
}

void NodeControl::presence(const std::string& channel, Answered<Presence> answered) {
  const auto found = known(node_, channel);
  if (!found) return answered(refused(found.error()));
  if (!found->options->presence) return answered(refused(client_error::not_available));
  node_.broker().presence(channel, answering(std::move(answered)));
}

void NodeControl::presence_stats(const std::string& channel, Answered<PresenceStats> answered) {
  const auto found = known(node_, channel);
  if (!found) return answered(refused(found.error()));
  if (!found->options->presence) return answered(refused(client_error::not_available));
  node_.broker().presence_stats(channel, answering(std::move(answered)));
}

void NodeControl::history(HistoryCall call, Answered<HistoryAnswer> answered) {
  const auto found = known(node_, call.channel);
  if (!found) return answered(refused(found.error()));
  if (!found->options->has_history()) return answered(refused(client_error::not_available));
  const std::size_t most = found->settings->session.history_max_publication_limit;
  HistoryQuery query;
  query.since = call.since;
  query.limit = call.limit < 0 ? most : std::min(static_cast<std::size_t>(call.limit), most);
  query.reverse = call.reverse;
  query.history_ttl = found->options->history_ttl;
  query.history_meta_ttl = found->options->history_meta_ttl;
  node_.broker().history(call.channel, query,
                         [since = call.since, answered = std::move(answered)](Outcome<History> outcome) {
                           if (!outcome) return answered(refused(client_error_of(outcome.error())));
                           const bool other_life = since && !since->epoch.empty() && since->epoch != outcome->top.epoch;
                           if (other_life) return answered(refused(client_error::unrecoverable_position));
                           answered(HistoryAnswer{std::move(outcome->publications), std::move(outcome->top)});
                         });
}

void NodeControl::history_remove(const std::string& channel, Answered<void> answered) {
  const auto found = known(node_, channel);
  if (!found) return answered(refused(found.error()));
  if (!found->options->has_history()) return answered(refused(client_error::not_available));
  node_.broker().remove_history(channel, answering(std::move(answered)));
}

void NodeControl::channels(const std::string& pattern, Answered<std::map<std::string, ChannelSummary>> answered) {
  auto gathered = std::make_shared<Gathered<std::map<std::string, ChannelSummary>>>();
  for (std::string& name : node_.channels().channels()) {
    if (pattern.empty() || matches_glob(pattern, name, LetterCase::matters))
      gathered->value.emplace(std::move(name), ChannelSummary{});
  }
  node_.on_each_loop(
      [gathered](NodeLoop& loop) {
        const std::scoped_lock lock(gathered->mutex);
        for (auto& [name, summary] : gathered->value) {
          summary.num_clients += static_cast<std::uint32_t>(loop.hub.subscribers(name));
        }
      },
      [gathered, answered = std::move(answered)] { answered(std::move(gathered->value)); });
}

// ── Connections ─────────────────────────────────────────────────────────────────────────────────────────────────────

void NodeControl::on_sessions(const Whom& whom, std::function<void(Session&)> work, Answered<void> answered) {
  if (whom.user.empty() && whom.client.empty() && whom.session.empty()) {
    return answered(refused(client_error::bad_request));
  }
  const NodeLoop::Wanted wanted{.user = whom.user, .client = whom.client, .secret = whom.session};
  node_.on_each_loop(
      [wanted, work = std::move(work)](NodeLoop& loop) {
        for (const auto& session : loop.find(wanted)) work(*session);
      },
      [answered = std::move(answered)] { answered({}); });
}

void NodeControl::subscribe(SubscribeCall call, Answered<void> answered) {
  if (const auto found = known(node_, call.channel); !found) return answered(refused(found.error()));
  const std::int64_t expire_at = call.subscription.expire_at;
  const bool is_over = expire_at != 0 && expire_at <= unix_ms(std::chrono::system_clock::now()) / 1'000;
  if (is_over) return answered(refused(client_error::expired));
  const Whom whom = call.whom;
  on_sessions(
      whom,
      [call = std::move(call)](Session& session) {
        session.subscribe(call.channel, call.subscription, call.recover_since, Clock::now());
      },
      std::move(answered));
}

void NodeControl::unsubscribe(UnsubscribeCall call, Answered<void> answered) {
  if (const auto found = known(node_, call.channel); !found) return answered(refused(found.error()));
  const Whom whom = call.whom;
  on_sessions(
      whom,
      [call = std::move(call)](Session& session) { session.unsubscribe(call.channel, call.reason, Clock::now()); },
      std::move(answered));
}

void NodeControl::disconnect(DisconnectCall call, Answered<void> answered) {
  const Whom whom = call.whom;
  on_sessions(
      whom,
      [call = std::move(call)](Session& session) {
        const bool stays = std::ranges::find(call.whitelist, session.client()) != call.whitelist.end();
        if (!stays) session.disconnect(call.reason, Clock::now());
      },
      std::move(answered));
}

void NodeControl::refresh(RefreshCall call, Answered<void> answered) {
  const Whom whom = call.whom;
  on_sessions(
      whom, [answer = std::move(call.answer)](Session& session) { session.refresh(answer, Clock::now()); },
      std::move(answered));
}

void NodeControl::connections(ConnectionsCall call, Answered<Connections> answered) {
  auto gathered = std::make_shared<Gathered<Connections>>();
  node_.on_each_loop(
      [gathered, call](NodeLoop& loop) {
        const bool all = call.user.empty() && call.client.empty();
        const auto sessions =
            all ? loop.sessions() : loop.find({.user = call.user, .client = call.client, .secret = {}});
        for (const auto& session : sessions) {
          std::vector<std::string> channels = session->channels();
          if (!call.channel.empty() && std::ranges::find(channels, call.channel) == channels.end()) continue;
          const std::scoped_lock lock(gathered->mutex);
          if (gathered->value.connections.size() >= call.limit) {
            gathered->value.more = true;
            return;
          }
          const Caller who = session->caller();
          gathered->value.connections.push_back({.client = session->client(),
                                                 .user = session->user(),
                                                 .transport = who.transport,
                                                 .protocol = who.protocol,
                                                 .peer_ip = who.peer_ip,
                                                 .connected_at_ms = loop.connected_at_ms(*session),
                                                 .channels = std::move(channels)});
        }
      },
      [gathered, answered = std::move(answered)] { answered(std::move(gathered->value)); });
}

// ── Trust ───────────────────────────────────────────────────────────────────────────────────────────────────────────

namespace {
// Long after every token that a sane issuer gave has ended.
constexpr auto longest_revocation = std::chrono::hours(24 * 366);

// Past the year 2262 nanoseconds are too many for a WallTime: the last one is late enough.
WallTime from_unix(std::int64_t seconds) {
  const auto last = std::chrono::floor<std::chrono::seconds>(WallTime::max()).time_since_epoch();
  return WallTime(std::min(std::chrono::seconds(seconds), last));
}
}  // namespace

void NodeControl::end_revoked(Answered<void> answered) {
  node_.on_each_loop(
      [this](NodeLoop& loop) {
        const WallTime now = std::chrono::system_clock::now();
        for (const auto& session : loop.sessions()) {
          const Admitted* admitted = session->admitted();
          if (admitted != nullptr && revocations_.is_revoked(*admitted, now)) {
            session->disconnect(disconnect_reason::invalid_token, Clock::now());
            continue;
          }
          const auto is_revoked = [&](const TokenIdentity& token) {
            return revocations_.is_revoked(session->user(), token.id, token.issued_at, now);
          };
          session->unsubscribe_revoked(is_revoked, Clock::now());
        }
      },
      [answered = std::move(answered)] { answered({}); });
}

void NodeControl::revoke_token(RevokeTokenCall call, Answered<void> answered) {
  if (call.id.empty()) return answered(refused(client_error::bad_request));
  const WallTime until =
      call.expire_at > 0 ? from_unix(call.expire_at) : std::chrono::system_clock::now() + longest_revocation;
  revocations_.revoke_token(call.id, until, [this, answered = std::move(answered)](const Outcome<void>& outcome) {
    if (!outcome) return answered(refused(client_error_of(outcome.error())));
    end_revoked(answered);
  });
}

void NodeControl::invalidate_user_tokens(InvalidateUserTokensCall call, Answered<void> answered) {
  if (call.user.empty()) return answered(refused(client_error::bad_request));
  const WallTime now = std::chrono::system_clock::now();
  const WallTime before = call.issued_before > 0 ? from_unix(call.issued_before) : now;
  const WallTime until = call.expire_at > 0 ? from_unix(call.expire_at) : now + longest_revocation;
  revocations_.revoke_user(call.user, before, until,
                           [this, answered = std::move(answered)](const Outcome<void>& outcome) {
                             if (!outcome) return answered(refused(client_error_of(outcome.error())));
                             end_revoked(answered);
                           });
}

// ── The node ────────────────────────────────────────────────────────────────────────────────────────────────────────

// As a client's call, but from nobody. What would send a client away tells the API that it may not.
void NodeControl::rpc(RpcCall call, Answered<Payload> answered) {
  Caller caller;
  caller.transport = "api";
  caller.protocol = caller.encoding = "json";
  ask_rpc(node_.settings()->auth.rpc, &backend_, {std::move(caller), std::move(call.method), std::move(call.params)},
          [answered = std::move(answered)](Verdict<RpcAnswer> verdict) {
            if (auto* answer = std::get_if<RpcAnswer>(&verdict)) return answered(std::move(answer->data));
            if (auto* error = std::get_if<ClientError>(&verdict)) return answered(refused(std::move(*error)));
            answered(refused(client_error::permission_denied));
          });
}

void NodeControl::count(std::function<void(const Counted&)> done) {
  auto gathered = std::make_shared<Gathered<Counted>>();
  node_.on_each_loop(
      [gathered](NodeLoop& loop) {
        const std::scoped_lock lock(gathered->mutex);
        add(gathered->value.sessions, loop.metrics);
        gathered->value.connections += loop.size();
        gathered->value.subscriptions += loop.hub.subscriptions();
      },
      [gathered, done = std::move(done)] { done(gathered->value); });
}

void NodeControl::info(Answered<std::vector<NodeInfo>> answered) {
  count([this, answered = std::move(answered)](const Counted& counted) {
    const ProcessUsage usage = process_usage();
    NodeInfo node;
    node.uid = node_.node_id();
    node.name = node_.settings()->name;
    node.version = std::string(fairlead::version());
    node.num_clients = static_cast<std::uint32_t>(counted.connections);
    node.num_users = static_cast<std::uint32_t>(node_.users().users());
    node.num_channels = static_cast<std::uint32_t>(node_.channels().size());
    node.num_subs = static_cast<std::uint32_t>(counted.subscriptions);
    node.uptime_seconds = uptime_seconds(node_);
    node.process = {.cpu_percent = usage.cpu_percent, .resident_bytes = usage.resident_bytes};
    answered(std::vector<NodeInfo>{std::move(node)});
  });
}

// Who is subscribed now and of whom no beginning is remembered has been so all the time.
void NodeControl::why(TraceQuery query, Answered<TraceAnswer> answered) {
  const auto subscribed = std::make_shared<Gathered<std::vector<std::string>>>();
  // Copies first: which of two arguments is made first is nobody's promise.
  const NodeLoop::Wanted wanted{.user = query.user, .client = query.client, .secret = {}};
  const std::string channel = query.channel;
  node_.on_each_loop(
      [subscribed, wanted, channel](NodeLoop& loop) {
        if (channel.empty()) return;
        for (const auto& session : loop.find(wanted)) {
          const auto channels = session->channels();
          if (std::ranges::find(channels, channel) == channels.end()) continue;
          const std::scoped_lock lock(subscribed->mutex);
          subscribed->value.push_back(session->client());
        }
      },
      [this, subscribed, query = std::move(query), answered = std::move(answered)]() mutable {
        query.subscribed_now = std::move(subscribed->value);
        answered(node_.trace().why(query));
      });
}

void NodeControl::events(std::uint64_t after, std::size_t limit, Answered<LifecycleEvents> answered) {
  if (!node_.settings()->events.enabled) return answered(refused(client_error::not_available));
  node_.events().read(after, limit, answering(std::move(answered)));
}

void NodeControl::acknowledge_events(std::uint64_t sequence, Answered<void> answered) {
  if (!node_.settings()->events.enabled) return answered(refused(client_error::not_available));
  node_.events().acknowledge(sequence, answering(std::move(answered)));
}

void NodeControl::stats(Answered<NodeStats> answered) {
  count([this, answered = std::move(answered)](const Counted& counted) {
    const ServerStats library = library_();
    NodeStats stats;
    stats.connections = counted.connections;
    stats.users = node_.users().users();
    stats.channels = node_.channels().size();
    stats.subscriptions = counted.subscriptions;
    stats.messages_in = library.messages_in;
    stats.messages_out = library.messages_out;
    stats.bytes_in = library.bytes_in;
    stats.bytes_out = library.bytes_out;
    stats.resident_bytes = process_usage().resident_bytes;
    stats.uptime_seconds = uptime_seconds(node_);
    stats.publish_seconds_p50 = node_.latencies().percentile(0.5);
    stats.publish_seconds_p99 = node_.latencies().percentile(0.99);
    answered(stats);
  });
}

void NodeControl::metrics(Answered<std::vector<MetricFamily>> answered) {
  count([this, answered = std::move(answered)](const Counted& counted) {
    std::vector<MetricFamily> families = node_metrics(
        node_,
        {.sessions = counted.sessions, .connections = counted.connections, .subscriptions = counted.subscriptions},
        library_());
    for (MetricFamily& more : more_metrics_()) families.push_back(std::move(more));
    answered(std::move(families));
  });
}

}  // namespace fairlead::server
