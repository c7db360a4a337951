// SPDX-License-Identifier: Apache-2.0
#include "config/check.h"

#include "auth/key_set_address.h"
#include "auth/pattern.h"
#include "auth/public_key.h"
#include "config/keys.h"
#include "model/media_type.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

namespace fairlead::server::config {
namespace {

class Checker {
 public:
  explicit Checker(const Settings& settings) : s_(settings) {}

  std::vector<Problem> run() {
    sessions();
    trust();
    channels();
    calls();
    backends();
    attachments();
    ways_in();
    return std::move(problems_);
  }

 private:
  void expect(bool rule, std::string key, std::string sentence) {
    if (!rule) problems_.push_back({"", std::move(key), std::move(sentence)});
  }
  void expect_pattern(const std::string& pattern, const std::string& key) {
    if (!pattern.empty()) expect(Pattern::make(pattern).has_value(), key, "is no regular expression of the RE2 syntax");
  }

  void sessions() {
    const SessionSettings& session = s_.session;
    const bool pings = session.ping_interval.count() > 0;  // without pings there are no answers to wait for
    expect(!pings || session.ping_interval > session.pong_timeout, "client.pong_timeout",
           "must be less than client.ping_interval");
    expect(session.presence_ttl > session.presence_update_interval, "client.presence_ttl",
           "must be more than client.presence_update_interval");
  }

  void trust() {
    const AuthSettings& auth = s_.auth;
    expect(auth.insecure || !auth.insecure_skip_token_signature_verify, "client.insecure_skip_token_signature_verify",
           "is allowed together with client.insecure alone");
    token(auth.token, "client.token");
    if (auth.subscription_token_enabled) token(auth.subscription_token, "client.subscription_token");
    const auto& personal = auth.personal_channel.personal_channel_namespace;
    expect(personal.empty() || s_.channel.namespaces.contains(personal),
           "client.subscribe_to_user_personal_channel.personal_channel_namespace", "is not one of channel.namespaces");
    expect(!auth.personal_channel.enabled || !s_.channel.user_boundary.empty(), "channel.user_boundary",
           "must not be empty: personal channels need it");
  }

  void token(const TokenSettings& token, const std::string& at) {
    expect_pattern(token.audience_regex, at + ".audience_regex");
    expect_pattern(token.issuer_regex, at + ".issuer_regex");
    expect(token.audience.empty() || token.audience_regex.empty(), at + ".audience_regex",
           "excludes " + at + ".audience");
    expect(token.issuer.empty() || token.issuer_regex.empty(), at + ".issuer_regex", "excludes " + at + ".issuer");
    key_set(token, at);
    expect(!looks_like_public_key(token.hmac_secret_key), at + ".hmac_secret_key",
           "is a public key, or any key in PEM or JWK form, which is no secret for HMAC");
    expect(!looks_like_public_key(token.hmac_previous_secret_key), at + ".hmac_previous_secret_key",
           "is a public key, or any key in PEM or JWK form, which is no secret for HMAC");
  }

  // What is wrong begins with the name of its key.
  void key_set(const TokenSettings& token, const std::string& at) {
    if (token.jwks_public_endpoint.empty()) return;
    const auto address = KeySetAddress::make(token);
    if (address) return;
    const std::size_t colon = std::min(address.error().find(": "), address.error().size());
    expect(false, at + "." + address.error().substr(0, colon),
           address.error().substr(std::min(colon + 2, address.error().size())));
  }

  void channels() {
    channel(s_.channel.without_namespace, "channel.without_namespace");
    for (const auto& [name, options] : s_.channel.namespaces)
      channel(options, fmt::format("{}[{}]", namespaces_path, name));
  }

  void channel(const ChannelOptions& options, const std::string& at) {
    expect(!options.has_history() || options.history_ttl < options.history_meta_ttl, at + ".history_ttl",
           "must be less than history_meta_ttl");
    expect((options.history_size > 0) == (options.history_ttl.count() > 0), at + ".history_size",
           "keeps a history only together with history_ttl");
    const bool recovers = options.force_recovery || options.allow_recovery;
    expect(!recovers || options.has_history() || options.keep_latest_publication, at + ".force_recovery",
           "needs a history: history_size and history_ttl");
    expect_pattern(options.channel_regex, at + ".channel_regex");
    for (const std::string& type : options.allowed_delta_types)
      expect(type == "fossil", at + ".allowed_delta_types", "may hold \"fossil\" alone");
    proxy(options.subscribe_proxy_enabled, options.subscribe_proxy_name, default_subscribe_proxy,
          at + ".subscribe_proxy_name");
    proxy(options.publish_proxy_enabled, options.publish_proxy_name, default_publish_proxy, at + ".publish_proxy_name");
    proxy(options.sub_refresh_proxy_enabled, options.sub_refresh_proxy_name, default_sub_refresh_proxy,
          at + ".sub_refresh_proxy_name");
  }

  void proxy(bool enabled, const std::string& name, std::string_view standard, const std::string& key) {
    if (!enabled) return;
    const bool is_default = name == "default" || name.empty();
    expect(s_.backend.named.contains(is_default ? std::string(standard) : name), key,
           is_default ? fmt::format("is \"default\", but {} has no endpoint", proxy_key(standard))
                      : "is not one of proxies");
  }

  void calls() {
    const RpcSettings& rpc = s_.auth.rpc;
    proxy(rpc.without_namespace.proxy_enabled, rpc.without_namespace.proxy_name, default_rpc_proxy,
          "rpc.without_namespace.proxy_name");
    for (const auto& [name, options] : rpc.namespaces)
      proxy(options.proxy_enabled, options.proxy_name, default_rpc_proxy,
            fmt::format("{}[{}].proxy_name", rpc_namespaces_path, name));
  }

  void backends() {
    endpoint(s_.auth.connect_proxy_enabled, s_.backend.connect, "client.proxy.connect.endpoint");
    endpoint(s_.auth.refresh_proxy_enabled, s_.backend.refresh, "client.proxy.refresh.endpoint");
    for (const auto& [name, proxy] : s_.backend.named) endpoint(false, proxy, proxy_key(name) + ".endpoint");
    url(s_.events.endpoint, "events.endpoint");
    expect(s_.events.retry_delay <= s_.events.retry_delay_max, "events.retry_delay",
           "must not be more than events.retry_delay_max");
    static constexpr std::array<std::string_view, 8> kinds{"connected",    "disconnected",     "subscribed",
                                                           "unsubscribed", "channel_occupied", "channel_vacated",
                                                           "node_started", "events_lost"};
    for (const std::string& kind : s_.events.kinds)
      expect(std::ranges::find(kinds, kind) != kinds.end(), "events.kinds",
             fmt::format("may hold {}", fmt::join(kinds, ", ")));
  }

  void attachments() {
    const AttachmentSettings& attachments = s_.attachments;
    proxy(attachments.enabled, attachments.proxy_name, default_rpc_proxy, "attachments.proxy_name");
    expect(attachments.handler_prefix.starts_with('/') && !attachments.handler_prefix.ends_with('/'),
           "attachments.handler_prefix", "must begin with / and not end with it");
    expect(std::ranges::all_of(attachments.types, is_picture_type), "attachments.types",
           "may hold image/jpeg, image/png, image/webp, image/gif, image/avif: nothing that a browser would run");
  }

  static std::string proxy_key(std::string_view name) {
    constexpr std::string_view standard = "default:";
    if (name == default_rpc_proxy) return "rpc.proxy";
    if (name.starts_with(standard)) return fmt::format("channel.proxy.{}", name.substr(standard.size()));
    return fmt::format("{}[{}]", proxies_path, name);
  }

  void url(const std::string& url, const std::string& key) {
    expect(url.empty() || url.starts_with("https://") || url.starts_with("http://"), key,
           "must be https://… or http://…: the backend is asked by HTTP");
  }

  void endpoint(bool needed, const ProxySettings& proxy, const std::string& key) {
    expect(!needed || !proxy.endpoint.empty(), key, "is missing");
    url(proxy.endpoint, key);
    for (const StatusTransform& one : proxy.status_to_code_transforms) {
      const bool error = one.error_code >= 400 && one.error_code < 2000;
      const bool disconnect = one.disconnect_code >= 4000 && one.disconnect_code < 5000;
      expect(error || disconnect, key, "has a transform to a code that is not an application's: 400–1999, 4000–4999");
    }
  }

  void ways_in() {
    const TransportSettings& t = s_.transport;
    using Named = std::pair<const char*, const TransportSettings::Endpoint*>;
    for (const auto& [name, way] :
         {Named{"websocket", &t.websocket}, Named{"http_stream", &t.http_stream}, Named{"sse", &t.sse},
          Named{"emulation", &t.emulation}, Named{"uni_websocket", &t.uni_websocket}, Named{"uni_sse", &t.uni_sse},
          Named{"uni_http_stream", &t.uni_http_stream}})
      expect(way->handler_prefix.starts_with('/'), fmt::format("{}.handler_prefix", name), "must begin with /");
    // Below it not even a connect command would fit.
    constexpr std::size_t least = 128;
    constexpr const char* body = "max_request_body_size";
    using Sized = std::tuple<const char*, const char*, const TransportSettings::Endpoint*>;
    for (const auto& [name, size, way] :
         {Sized{"http_stream", body, &t.http_stream}, Sized{"sse", body, &t.sse},
          Sized{"emulation", body, &t.emulation}, Sized{"uni_websocket", "message_size_limit", &t.uni_websocket},
          Sized{"uni_sse", body, &t.uni_sse}, Sized{"uni_http_stream", body, &t.uni_http_stream}})
      expect(way->size_limit == 0 || way->size_limit >= least, fmt::format("{}.{}", name, size),
             fmt::format("must be 0, or at least {}", least));
    expect(s_.http_api.handler_prefix.starts_with('/'), "http_api.handler_prefix", "must begin with /");
    expect(s_.metrics_prefix.starts_with('/'), "prometheus.handler_prefix", "must begin with /");
    expect(s_.health_prefix.starts_with('/') && s_.health_prefix != "/ready", "health.handler_prefix",
           "must begin with / and not be /ready");
    expect(s_.listen.certificate_file.empty() == s_.listen.key_file.empty(), "listen.key_file",
           "belongs to listen.certificate_file: one without the other is of no use");
    expect(s_.engine.type != "sqlite" || !s_.engine.path.empty(), "engine.path", "is missing: engine.type is sqlite");
    expect(!s_.admin.enabled || !s_.admin.password.empty() || s_.development, "admin.password",
           "is missing: admin.enabled is true");
  }

  const Settings& s_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> check(const Settings& settings) { return Checker(settings).run(); }

std::vector<Problem> hints(const Settings& settings) {
  std::vector<Problem> all;
  const AuthSettings& auth = settings.auth;
  const bool without_token = auth.insecure || auth.allow_anonymous_connect_without_token || auth.connect_proxy_enabled;
  if (!without_token && !auth.token.has_keys())
    all.push_back({"", "client.token", "has no key, so no client can connect"});
  const HttpApiSettings& api = settings.http_api;
  if (!api.disabled && !api.insecure && api.key.empty())
    all.push_back({"", "http_api.key", "is empty, so the HTTP API lets nobody in"});
  return all;
}

}  // namespace fairlead::server::config
