// SPDX-License-Identifier: Apache-2.0
#include "config/keys.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace fairlead::server::config {
namespace {

using std::chrono::milliseconds;
constexpr double second = 1000;  // milliseconds
constexpr double minute = 60 * second;
constexpr double day = 24 * 60 * minute;

template <class Owner, class T>
Field<Owner> field(std::string_view name, T Owner::* member, std::string_view doc, Traits traits = {}) {
  return {name, [member](Owner& owner) -> Slot { return &(owner.*member); }, doc, std::move(traits)};
}

std::vector<Field<ChannelOptions>> channel_history_fields() {
  using O = ChannelOptions;
  return {
      field("presence", &O::presence, "Who is in the channel can be asked."),
      field("join_leave", &O::join_leave, "Coming and going is announced to subscribers who ask for it."),
      field("force_push_join_leave", &O::force_push_join_leave, "It is announced to all of them."),
      field("history_size", &O::history_size, "Publications kept; 0 keeps none.", {.maximum = 1'000'000}),
      field("history_ttl", &O::history_ttl, "How long publications are kept; 0 keeps none."),
      field("history_meta_ttl", &O::history_meta_ttl, "How long the position outlives the last publication.",
            {.minimum = second}),
      field("force_positioning", &O::force_positioning, "Every subscription notices when it has missed something."),
      field("allow_positioning", &O::allow_positioning, "Clients may ask for that."),
      field("force_recovery", &O::force_recovery, "Every subscription gets what it missed when it comes back."),
      field("allow_recovery", &O::allow_recovery, "Clients may ask for that."),
      field("force_recovery_mode", &O::force_recovery_mode, "What is recovered: all that was missed, or the newest.",
            {.choices = {"", "stream", "cache"}}),
      field("auto_cache_recover", &O::auto_cache_recover, "In the mode cache also for clients that do not ask."),
      field("delta_publish", &O::delta_publish, "Publications are sent as deltas to those who agreed on it."),
      field("allowed_delta_types", &O::allowed_delta_types, "Deltas that clients may agree on: \"fossil\"."),
      field("allow_tags_filter", &O::allow_tags_filter, "Clients may filter publications by their tags."),
      field("allow_channel_compaction", &O::allow_channel_compaction,
            "Pushes in JSON may name the channel by a number."),
      field("keep_latest_publication", &O::keep_latest_publication, "The newest one is kept also without a history."),
  };
}

std::vector<Field<ChannelOptions>> channel_permission_fields() {
  using O = ChannelOptions;
  return {
      field("allow_subscribe_for_client", &O::allow_subscribe_for_client, "Any user may subscribe."),
      field("allow_subscribe_for_anonymous", &O::allow_subscribe_for_anonymous, "So may who has no name."),
      field("allow_publish_for_client", &O::allow_publish_for_client, "Any user may publish."),
      field("allow_publish_for_subscriber", &O::allow_publish_for_subscriber, "Any subscriber may publish."),
      field("allow_publish_for_anonymous", &O::allow_publish_for_anonymous, "So may who has no name."),
      field("allow_history_for_client", &O::allow_history_for_client, "Any user may read the history."),
      field("allow_history_for_subscriber", &O::allow_history_for_subscriber, "Any subscriber may read the history."),
      field("allow_history_for_anonymous", &O::allow_history_for_anonymous, "So may who has no name."),
      field("allow_presence_for_client", &O::allow_presence_for_client, "Any user may ask who is there."),
      field("allow_presence_for_subscriber", &O::allow_presence_for_subscriber, "Any subscriber may ask who is there."),
      field("allow_presence_for_anonymous", &O::allow_presence_for_anonymous, "So may who has no name."),
      field("allow_user_limited_channels", &O::allow_user_limited_channels,
            "\"dialog#42,43\" is for these users alone."),
      field("channel_regex", &O::channel_regex, "What the name after the namespace must match, for clients."),
      field("publication_data_format", &O::publication_data_format, "What clients may publish.",
            {.choices = {"", "json", "json_object", "binary"}}),
      field("subscribe_proxy_enabled", &O::subscribe_proxy_enabled, "The backend is asked about subscriptions."),
      field("subscribe_proxy_name", &O::subscribe_proxy_name, "Which of `proxies` is asked."),
      field("publish_proxy_enabled", &O::publish_proxy_enabled, "The backend is asked about publications."),
      field("publish_proxy_name", &O::publish_proxy_name, "Which of `proxies` is asked."),
      field("sub_refresh_proxy_enabled", &O::sub_refresh_proxy_enabled, "The backend prolongs subscriptions."),
      field("sub_refresh_proxy_name", &O::sub_refresh_proxy_name, "Which of `proxies` is asked."),
      field("slow_policy", &O::slow_policy,
            "What happens to a client that takes its messages too slowly; who grants a subscription may choose "
            "otherwise.",
            {.choices = {slow_policy_names.begin(), slow_policy_names.end()}}),
      field("slow_queue_messages", &O::slow_queue_messages,
            "Publications that wait by the other policies; disconnect goes by client.queue_max_size alone.",
            {.minimum = 1, .maximum = slow_queue_messages_most}),
      field("slow_sample_per_second", &O::slow_sample_per_second, "The rate of the policy sample.",
            {.minimum = slow_samples_least, .maximum = slow_samples_most}),
      field("conflate_tag", &O::conflate_tag, "The tag that is the key of the policy conflate; empty: their own key."),
      field("state_events", &O::state_events, "Becoming occupied and vacated goes into the event stream."),
  };
}

std::vector<Field<TokenSettings>> token_fields() {
  using T = TokenSettings;
  return {
      field("hmac_secret_key", &T::hmac_secret_key, "Verifies HS256, HS384 and HS512.", {.secret = true}),
      field("hmac_previous_secret_key", &T::hmac_previous_secret_key, "Still accepted after a change of the key.",
            {.secret = true}),
      field("hmac_previous_secret_key_valid_until", &T::hmac_previous_secret_key_valid_until,
            "Until when, in Unix seconds; 0: for ever."),
      field("rsa_public_key", &T::rsa_public_key, "Verifies RS256, RS384 and RS512; PEM."),
      field("ecdsa_public_key", &T::ecdsa_public_key, "Verifies ES256, ES384 or ES512, by its curve; PEM."),
      field("ed25519_public_key", &T::ed25519_public_key, "Verifies EdDSA; PEM."),
      field("jwks_public_endpoint", &T::jwks_public_endpoint,
            "A set of keys, https://… or file:…, instead of these; {{name}} is what that group of a regex lists."),
      field("jwks_refresh", &T::jwks_refresh, "How often it is read again.", {.minimum = second, .maximum = 30 * day}),
      field("audience", &T::audience, "What the claim aud must be or hold."),
      field("audience_regex", &T::audience_regex, "What it, or one of its values, must match as a whole."),
      field("issuer", &T::issuer, "What the claim iss must be."),
      field("issuer_regex", &T::issuer_regex, "What it must match as a whole."),
      field("user_id_claim", &T::user_id_claim, "The claim that names the user, instead of sub."),
      field("leeway", &T::leeway, "Forgiven to clocks that disagree.", {.maximum = 10 * minute}),
  };
}

std::vector<Field<AuthSettings>> auth_fields() {
  using A = AuthSettings;
  return {
      field("insecure", &A::insecure, "Every permission for everybody: for development and tests."),
      field("insecure_skip_token_signature_verify", &A::insecure_skip_token_signature_verify,
            "Tokens are believed as they are; only together with `insecure`."),
      field("allow_anonymous_connect_without_token", &A::allow_anonymous_connect_without_token,
            "Who brings no token may connect, without a name."),
      field("disallow_anonymous_connection_tokens", &A::disallow_anonymous_connection_tokens,
            "Tokens without a user are refused."),
  };
}

std::vector<Field<PersonalChannelSettings>> personal_fields() {
  using P = PersonalChannelSettings;
  return {
      field("enabled", &P::enabled, "Each user is subscribed to a channel of their own."),
      field("personal_channel_namespace", &P::personal_channel_namespace, "Its namespace; empty: none."),
      field("single_connection", &P::single_connection, "A new connection of a user ends their others."),
  };
}

std::vector<Field<SessionSettings>> session_fields() {
  using S = SessionSettings;
  const Traits soon{.minimum = 100, .maximum = day};
  const Traits or_never{.never = true, .minimum = 100, .maximum = day};
  const Traits many{.maximum = 10'000'000};
  return {
      field("ping_interval", &S::ping_interval, "How often the server pings; -1: never.", or_never),
      field("pong_timeout", &S::pong_timeout, "How long it waits for the answer; shorter than that. -1: for ever.",
            or_never),
      field("stale_close_delay", &S::stale_close_delay, "A client must have connected by then.", soon),
      field("expired_close_delay", &S::expired_close_delay, "Grace after a connection has expired.", {.maximum = day}),
      field("expired_sub_close_delay", &S::expired_sub_close_delay, "Grace after a subscription has.",
            {.maximum = day}),
      field("channel_position_check_delay", &S::channel_position_check_delay, "How often a position is compared.",
            soon),
      field("presence_update_interval", &S::presence_update_interval, "How often presence is renewed.", soon),
      field("presence_ttl", &S::presence_ttl, "When presence that is not renewed ends.", soon),
      field("channel_limit", &S::channel_limit, "Subscriptions of one client.", {.minimum = 1, .maximum = 1'000'000}),
      field("queue_max_size", &S::queue_max_bytes, "What may wait for one client.",
            {.restart = true, .bytes = true, .minimum = 4096, .maximum = 1024.0 * 1024 * 1024}),
      field("connection_limit", &S::connection_limit,
            "Clients of this node; 0: listen.connections alone. Who comes later is told to come back (3001).", many),
      field("connection_rate_limit", &S::connections_per_second,
            "New clients of this node per second; 0: any. Who comes too early is told to come back (3001).", many),
      field("user_connection_limit", &S::user_connection_limit, "Connections of one user on this node; 0: any.", many),
      field("history_max_publication_limit", &S::history_max_publication_limit, "The longest answer about a history.",
            {.minimum = 1, .maximum = 100'000}),
      field("recovery_max_publication_limit", &S::recovery_max_publication_limit, "The most that is recovered.",
            {.minimum = 1, .maximum = 100'000}),
      field("commands_in_flight", &S::commands_in_flight, "Commands of one client that wait for an answer.",
            {.minimum = 1, .maximum = 100'000}),
      field("commands_per_second", &S::commands_per_second, "Commands of one client; 0: any.", many),
      field("publishes_per_second", &S::publishes_per_second, "Publications of one client; 0: any.", many),
      field("subscribes_per_second", &S::subscribes_per_second, "Subscriptions of one client; 0: any.", many),
      field("rpcs_per_second", &S::rpcs_per_second, "Calls of one client; 0: any.", many),
      field("user_commands_per_second", &S::user_commands_per_second,
            "Commands of all connections of one user on this node; 0: any.", many),
      field("user_publishes_per_second", &S::user_publishes_per_second, "Publications of one user; 0: any.", many),
      field("user_subscribes_per_second", &S::user_subscribes_per_second, "Subscriptions of one user; 0: any.", many),
      field("user_rpcs_per_second", &S::user_rpcs_per_second, "Calls of one user; 0: any.", many),
      field("max_errors", &S::max_errors, "Errors after which a client is sent away; 0: any.", many),
      field("connect_include_server_time", &S::include_server_time, "The answer to connect tells the time."),
  };
}

std::vector<Field<ChannelSettings>> channel_settings_fields() {
  using C = ChannelSettings;
  return {
      field("publication_data_format", &C::publication_data_format,
            "What clients may publish where a channel's own options do not say.",
            {.choices = {"", "json", "json_object", "binary"}}),
      field("max_length", &C::max_length, "The longest name, in bytes.", {.minimum = 1, .maximum = 4096}),
      field("private_prefix", &C::private_prefix, "Begins the names that need a token; empty: none do."),
      field("namespace_boundary", &C::namespace_boundary, "Ends the namespace in a name."),
      field("user_boundary", &C::user_boundary, "Begins the users in the name of a user-limited channel."),
      field("user_separator", &C::user_separator, "Stands between them."),
  };
}

std::vector<Field<TransportSettings::Endpoint>> endpoint_fields(bool by_default, std::string_view size_name) {
  using E = TransportSettings::Endpoint;
  Field<E> on = by_default ? field("disabled", &E::disabled, "Not served.", {.restart = true})
                           : field("enabled", &E::disabled, "Served.", {.restart = true, .inverted = true});
  std::vector<Field<E>> fields{on, field("handler_prefix", &E::handler_prefix, "Its path.", {.restart = true})};
  if (size_name.empty()) return fields;
  fields.push_back(field(size_name, &E::size_limit, "The longest request or message; 0: websocket.message_size_limit.",
                         {.restart = true, .bytes = true, .maximum = 256.0 * 1024 * 1024}));
  return fields;
}

std::vector<Field<HttpApiSettings>> api_fields() {
  using A = HttpApiSettings;
  return {
      field("key", &A::key, "What X-API-Key must be; empty: nobody is let in.", {.secret = true}),
      field("insecure", &A::insecure, "No key is asked for."),
      field("disabled", &A::disabled, "Not served.", {.restart = true}),
      field("handler_prefix", &A::handler_prefix, "Its path.", {.restart = true}),
      field("error_mode", &A::error_mode,
            "Errors by status instead of in the body of a 200, unless a request says X-Centrifugo-Error-Mode.",
            {.choices = {"", "transport"}}),
      field("max_body_size", &A::max_body_bytes, "The longest request.",
            {.restart = true, .bytes = true, .minimum = 1024, .maximum = 1024.0 * 1024 * 1024}),
  };
}

std::vector<Field<EventDeliverySettings>> event_fields() {
  using V = EventDeliverySettings;
  return {
      field("enabled", &V::enabled, "Lifecycle events are kept for the backend.", {.restart = true}),
      field("kinds", &V::kinds, "Which; empty: all."),
      field("batch", &V::batch, "Events in one delivery.", {.minimum = 1, .maximum = 10'000}),
      field("retry_delay", &V::retry_delay, "The pause after a first failure.", {.minimum = 10, .maximum = day}),
      field("retry_delay_max", &V::retry_delay_max, "The longest pause.", {.minimum = 10, .maximum = day}),
      field("endpoint", &V::endpoint, "Where they are delivered; empty: they are read by API."),
  };
}

std::vector<Field<AttachmentSettings>> attachment_fields() {
  using A = AttachmentSettings;
  return {
      field("enabled", &A::enabled, "Pictures go to the backend and come from it by HTTP.", {.restart = true}),
      field("handler_prefix", &A::handler_prefix, "Their path.", {.restart = true}),
      field("max_size", &A::max_bytes, "The largest.",
            {.restart = true, .bytes = true, .minimum = 1024, .maximum = 64.0 * 1024 * 1024}),
      field("types", &A::types, "Which: image/jpeg, image/png, image/webp, image/gif, image/avif.", {.restart = true}),
      field("proxy_name", &A::proxy_name, "Which of `proxies` is asked; default: `rpc.proxy`.", {.restart = true}),
      field("at_a_time", &A::at_a_time, "On their way at a time, in all.",
            {.restart = true, .minimum = 1, .maximum = 10'000}),
      field("at_a_time_of_user", &A::at_a_time_of_user, "And of one user.",
            {.restart = true, .minimum = 1, .maximum = 10'000}),
  };
}

std::vector<Field<ListenSettings>> listen_fields() {
  using L = ListenSettings;
  const Traits places{.restart = true, .minimum = 1, .maximum = 100'000'000};
  return {
      field("secure", &L::secure, "HOST:PORT or unix:PATH, with TLS.", {.restart = true}),
      field("insecure_cleartext", &L::insecure_cleartext, "HOST:PORT without TLS: everybody on the way can read along.",
            {.restart = true}),
      field("certificate_file", &L::certificate_file, "The chain, PEM; empty: the development certificate."),
      field("key_file", &L::key_file, "Its key, PEM."),
      field("threads", &L::threads, "Loops; 0: one per core.", {.restart = true, .maximum = 1024}),
      field("system_calls", &L::system_calls,
            "automatic: sockets that are ready together are read and written by io_uring, where the system allows it.",
            {.restart = true, .choices = {"automatic", "one_by_one"}}),
      field("connections", &L::connections, "Connections in all.", places),
      field("connections_per_address", &L::connections_per_address,
            "Connections of one address, of IPv6 of one /64; all that come through a proxy have its address.", places),
  };
}

std::vector<Field<Settings>> other_fields() {
  using S = Settings;
  return {
      field("prometheus.enabled", &S::metrics_enabled, "Serves the metrics.", {.restart = true}),
      field("prometheus.handler_prefix", &S::metrics_prefix, "Its path.", {.restart = true}),
      field("health.enabled", &S::health_enabled, "Serves /health and /ready.", {.restart = true}),
      field("health.handler_prefix", &S::health_prefix, "The path of /health; that of /ready stays.",
            {.restart = true}),
      field("shutdown.timeout", &S::drain, "Over which clients are told to come back.", {.maximum = 60 * minute}),
      field("node.name", &S::name, "Shown in answers and on pages; empty: host and the first listener's port.",
            {.restart = true}),
  };
}

// The keys of one struct, at their place.
template <class Owner, class Reach>
void mount(std::vector<Key>& all, std::string_view prefix, const std::vector<Field<Owner>>& fields, Reach reach) {
  for (const Field<Owner>& one : fields) {
    const auto slot = one.slot;
    all.push_back({std::string(prefix) + std::string(one.name),
                   [slot, reach](Settings& settings) { return slot(reach(settings)); }, one.doc, one.traits});
  }
}

void mount_client(std::vector<Key>& all) {
  mount(all, "client.", auth_fields(), [](Settings& s) -> AuthSettings& { return s.auth; });
  mount(all, "client.",
        std::vector{field("allowed_origins", &TransportSettings::allowed_origins,
                          "Pages of other origins that may connect; globs, \"*\" for all.")},
        [](Settings& s) -> TransportSettings& { return s.transport; });
  mount(all, "client.", session_fields(), [](Settings& s) -> SessionSettings& { return s.session; });
  mount(all, "client.token.", token_fields(), [](Settings& s) -> TokenSettings& { return s.auth.token; });
  mount(all, "client.subscription_token.",
        std::vector{field("enabled", &AuthSettings::subscription_token_enabled,
                          "Tokens of subscriptions have keys of their own.")},
        [](Settings& s) -> AuthSettings& { return s.auth; });
  mount(all, "client.subscription_token.", token_fields(),
        [](Settings& s) -> TokenSettings& { return s.auth.subscription_token; });
  mount(all, "client.subscribe_to_user_personal_channel.", personal_fields(),
        [](Settings& s) -> PersonalChannelSettings& { return s.auth.personal_channel; });
  const auto switches = [&all](std::string_view prefix, std::string_view name, bool AuthSettings::* member) {
    mount(all, prefix, std::vector{field(name, member, "The backend is asked.")},
          [](Settings& s) -> AuthSettings& { return s.auth; });
  };
  switches("client.proxy.connect.", "enabled", &AuthSettings::connect_proxy_enabled);
  mount(all, "client.proxy.connect.", proxy_fields(), [](Settings& s) -> ProxySettings& { return s.backend.connect; });
  switches("client.proxy.refresh.", "enabled", &AuthSettings::refresh_proxy_enabled);
  mount(all, "client.proxy.refresh.", proxy_fields(), [](Settings& s) -> ProxySettings& { return s.backend.refresh; });
}

void mount_rpc(std::vector<Key>& all) {
  using R = RpcSettings;
  const auto rpc = [](Settings& s) -> R& { return s.auth.rpc; };
  mount(all, "rpc.",
        std::vector{field("namespace_boundary", &R::namespace_boundary, "Ends the namespace in the name of a method.")},
        rpc);
  mount(all, "rpc.without_namespace.", rpc_fields(),
        [](Settings& s) -> RpcOptions& { return s.auth.rpc.without_namespace; });
  mount(all, "rpc.proxy.", proxy_fields(),
        [](Settings& s) -> ProxySettings& { return s.backend.named[std::string(default_rpc_proxy)]; });
  mount(all, "rpc.ping.",
        std::vector{field("enabled", &R::ping_enabled, "The server itself answers a method, with nothing."),
                    field("method", &R::ping_method, "Which.")},
        rpc);
}

void mount_channel(std::vector<Key>& all) {
  all.push_back({std::string(meta_ttl_path),
                 [](Settings& s) -> Slot { return &s.channel.without_namespace.history_meta_ttl; },
                 "What `history_meta_ttl` is where nothing else is said.",
                 {.minimum = second}});
  mount(all, "channel.", channel_settings_fields(), [](Settings& s) -> ChannelSettings& { return s.channel; });
  mount(all, "channel.without_namespace.", channel_fields(),
        [](Settings& s) -> ChannelOptions& { return s.channel.without_namespace; });
  const auto standard = [&all](std::string_view prefix, std::string_view name) {
    mount(all, prefix, proxy_fields(),
          [name](Settings& s) -> ProxySettings& { return s.backend.named[std::string(name)]; });
  };
  standard("channel.proxy.subscribe.", default_subscribe_proxy);
  standard("channel.proxy.publish.", default_publish_proxy);
  standard("channel.proxy.sub_refresh.", default_sub_refresh_proxy);
}

void mount_transport(std::vector<Key>& all) {
  using T = TransportSettings;
  const auto transport = [](Settings& s) -> T& { return s.transport; };
  const auto endpoint = [&all](std::string_view prefix, T::Endpoint T::* member, bool by_default,
                               std::string_view size_name) {
    mount(all, prefix, endpoint_fields(by_default, size_name),
          [member](Settings& s) -> T::Endpoint& { return s.transport.*member; });
  };
  endpoint("websocket.", &T::websocket, true, "");
  mount(all, "websocket.",
        std::vector{field("message_size_limit", &T::message_size_limit, "The longest message of a client.",
                          {.restart = true, .bytes = true, .minimum = 128, .maximum = 256.0 * 1024 * 1024}),
                    field("compression", &T::compression, "permessage-deflate is agreed on with clients that offer it.",
                          {.restart = true})},
        transport);
  constexpr std::string_view body = "max_request_body_size";
  endpoint("http_stream.", &T::http_stream, false, body);
  endpoint("sse.", &T::sse, false, body);
  endpoint("emulation.", &T::emulation, true, body);
  endpoint("uni_websocket.", &T::uni_websocket, false, "message_size_limit");
  endpoint("uni_sse.", &T::uni_sse, false, body);
  endpoint("uni_http_stream.", &T::uni_http_stream, false, body);
}

void mount_node(std::vector<Key>& all) {
  mount(all, "listen.", listen_fields(), [](Settings& s) -> ListenSettings& { return s.listen; });
  using E = EngineSettings;
  mount(all, "engine.",
        std::vector{field("type", &E::type, "Where channels live.", {.restart = true, .choices = {"memory", "sqlite"}}),
                    field("path", &E::path, "The file of the engine sqlite.", {.restart = true})},
        [](Settings& s) -> E& { return s.engine; });
  using A = AdminSettings;
  mount(all, "admin.",
        std::vector{field("enabled", &A::enabled, "Serves the admin pages.", {.restart = true}),
                    field("password", &A::password, "What they are entered with.", {.secret = true}),
                    field("handler_prefix", &A::handler_prefix, "Their path.", {.restart = true})},
        [](Settings& s) -> A& { return s.admin; });
  using L = LogSettings;
  mount(all, "log.",
        std::vector{field("level", &L::level, "What is logged. debug at the start: each WebSocket, too.",
                          {.choices = {"trace", "debug", "info", "warn", "error", "none"}}),
                    field("format", &L::format, "For people or for programs.", {.choices = {"text", "json"}})},
        [](Settings& s) -> L& { return s.log; });
  mount(all, "", other_fields(), [](Settings& s) -> Settings& { return s; });
}

std::vector<Key> all_keys() {
  std::vector<Key> all;
  mount_node(all);
  mount_client(all);
  mount_rpc(all);
  mount_channel(all);
  mount_transport(all);
  mount(all, "http_api.", api_fields(), [](Settings& s) -> HttpApiSettings& { return s.http_api; });
  mount(all, "events.", event_fields(), [](Settings& s) -> EventDeliverySettings& { return s.events; });
  mount(all, "attachments.", attachment_fields(), [](Settings& s) -> AttachmentSettings& { return s.attachments; });
  mount(all, "events.webhook.", proxy_fields(), [](Settings& s) -> ProxySettings& { return s.events.webhook; });
  return all;
}

}  // namespace

const std::vector<Field<ChannelOptions>>& channel_fields() {
  static const auto fields = [] {
    auto all = channel_history_fields();
    for (auto& one : channel_permission_fields()) all.push_back(std::move(one));
    return all;
  }();
  return fields;
}

const std::vector<Field<ProxySettings>>& proxy_fields() {
  using P = ProxySettings;
  static const std::vector<Field<P>> fields{
      field("endpoint", &P::endpoint, "The URL that is asked, https://… or http://…"),
      field("timeout", &P::timeout, "How long an answer may take.", {.minimum = 1, .maximum = 10 * minute}),
      field("http_headers", &P::http_headers, "Headers of the client's request that are passed on."),
      field("emulated_headers", &P::emulated_headers, "The same of headers that its connect command holds."),
      field("binary_encoding", &P::binary_encoding, "Payloads travel as base64."),
      field("include_connection_meta", &P::include_connection_meta, "The meta of the connection is told."),
      field("http.static_headers", &P::static_headers, "Sent with every question.", {.secret = true}),
      field("http.status_to_code_transforms", &P::status_to_code_transforms, "What the backend's statuses mean."),
      field("http.tls.ca_file", &P::tls_ca_file,
            "Who signs the backend's certificate, instead of the system's. Read for each new connection: name the few "
            "authorities that are needed."),
      field("signing_secret", &P::signing_secret, "Signs every question.", {.secret = true}),
      field("retries", &P::retries, "Repetitions of what changes nothing.", {.maximum = 10}),
      field("breaker_failures", &P::breaker_failures, "Failures in a row after which it is left alone.",
            {.minimum = 1, .maximum = 10'000}),
      field("breaker_pause", &P::breaker_pause, "For how long.", {.minimum = 10, .maximum = day}),
      field("connections", &P::connections, "Questions at a time.", {.minimum = 1, .maximum = 10'000}),
  };
  return fields;
}

const std::vector<Field<RpcOptions>>& rpc_fields() {
  static const std::vector<Field<RpcOptions>> fields{
      field("proxy_enabled", &RpcOptions::proxy_enabled, "The backend is asked."),
      field("proxy_name", &RpcOptions::proxy_name, "Which of `proxies` is asked; default: `rpc.proxy`."),
  };
  return fields;
}

const std::vector<Key>& keys() {
  static const std::vector<Key> all = all_keys();
  return all;
}

const Key* find_key(std::string_view path) {
  static const auto index = [] {
    std::map<std::string, const Key*, std::less<>> by_path;
    for (const Key& key : keys()) by_path.emplace(key.path, &key);
    return by_path;
  }();
  const auto found = index.find(path);
  return found == index.end() ? nullptr : found->second;
}

std::string environment_name(std::string_view path) {
  std::string name = "FAIRLEAD_";
  for (const char c : path) name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

}  // namespace fairlead::server::config
