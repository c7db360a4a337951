// SPDX-License-Identifier: Apache-2.0
#include "auth/claims.h"

#include "auth/jose.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace fairlead::server {
namespace {

namespace dom = simdjson::dom;
using Members = std::map<std::string_view, dom::element>;

constexpr std::size_t claims_depth = 32;
constexpr double latest_seconds = 9e12;  // beyond it arithmetic in milliseconds would not be exact

// A broken rule; caught where the claims are read, so that reading them needs no branch after every step.
struct Broken {
  const char* rule;
};
void require(bool rule, const char* sentence) {
  if (!rule) throw Broken{sentence};
}

Members members_of(dom::element element, const char* rule) {
  dom::object object;
  require(element.get(object) == simdjson::SUCCESS, rule);
  Members members;
  for (const auto& [key, value] : object)
    // RFC 7519 4: claim names MUST be unique.
    require(members.emplace(key, value).second, "a claim is there twice");
  return members;
}

// The claim, unless it is missing or null.
const dom::element* find(const Members& members, std::string_view name) {
  const auto found = members.find(name);
  return found == members.end() || found->second.is_null() ? nullptr : &found->second;
}
std::string text_of(dom::element element, const char* rule) {
  std::string_view text;
  require(element.get(text) == simdjson::SUCCESS, rule);
  return std::string(text);
}
std::string text(const Members& members, std::string_view name, const char* rule) {
  const auto* found = find(members, name);
  return found == nullptr ? std::string() : text_of(*found, rule);
}
// RFC 7519 2: a NumericDate is seconds, perhaps with a fraction.
std::optional<double> date(const Members& members, std::string_view name) {
  const auto* found = find(members, name);
  if (found == nullptr) return std::nullopt;
  double seconds = 0;
  require(found->get(seconds) == simdjson::SUCCESS, "a time is no number");
  require(seconds >= 0 && seconds <= latest_seconds, "a time is out of range");
  return seconds;
}
std::int64_t whole_date(const Members& members, std::string_view name) {
  return static_cast<std::int64_t>(std::floor(date(members, name).value_or(0)));
}

// "info" is any JSON, "b64info" bytes in base64; the latter goes before.
Payload payload(const Members& members, const char* name, const char* encoded_name) {
  if (const std::string encoded = text(members, encoded_name, "base64 is no string"); !encoded.empty()) {
    auto bytes = decode_base64(encoded);
    require(bytes.has_value(), "base64 is malformed");
    return std::move(*bytes);
  }
  const auto* found = find(members, name);
  return found == nullptr ? Payload() : Payload(simdjson::minify(*found));
}

std::vector<std::string> texts(dom::element element, const char* rule) {
  dom::array array;
  require(element.get(array) == simdjson::SUCCESS, rule);
  std::vector<std::string> result;
  for (const dom::element one : array) result.push_back(text_of(one, rule));
  return result;
}

// {"presence": {"value": true}, "slow_policy": {"value": "conflate"}, …}
class Overrides {
 public:
  explicit Overrides(dom::element from) : members_(members_of(from, "override is no object")) {}

  void read(const char* name, std::optional<bool>& target) const {
    read_as<bool>(name, target, [](bool) { return true; });
  }
  void read(const char* name, std::optional<std::size_t>& target) const {
    read_as<std::uint64_t>(name, target, [](auto count) { return count >= 1 && count <= slow_queue_messages_most; });
  }
  void read(const char* name, std::optional<double>& target) const {
    read_as<double>(name, target, [](double rate) { return rate >= slow_samples_least && rate <= slow_samples_most; });
  }
  void read(const char* name, std::optional<SlowPolicy>& target) const {
    std::optional<std::string_view> policy;
    read_as<std::string_view>(name, policy, [](auto text) { return slow_policy_of(text).has_value(); });
    if (policy) target = slow_policy_of(*policy);
  }

 private:
  template <class T>
  void read_as(const char* name, auto& target, auto is_allowed) const {
    const auto* one = find(members_, name);
    if (one == nullptr) return;
    const Members inner = members_of(*one, "an override is no object");
    const auto* value = find(inner, "value");
    T read{};
    require(value != nullptr && value->get(read) == simdjson::SUCCESS, "an override has no value");
    require(is_allowed(read), "the value of an override is out of range");
    target = read;
  }
  Members members_;
};

SubscriptionOverride overrides(const Members& from) {
  SubscriptionOverride result;
  const auto* found = find(from, "override");
  if (found == nullptr) return result;
  const Overrides overrides(*found);
  overrides.read("presence", result.presence);
  overrides.read("join_leave", result.join_leave);
  overrides.read("force_push_join_leave", result.force_push_join_leave);
  overrides.read("force_positioning", result.force_positioning);
  overrides.read("force_recovery", result.force_recovery);
  overrides.read("slow_policy", result.slow_policy);
  overrides.read("slow_queue_messages", result.slow_queue_messages);
  overrides.read("slow_sample_per_second", result.slow_sample_per_second);
  return result;
}

std::map<std::string, ServerSubscription> subscriptions(const Members& claims) {
  std::map<std::string, ServerSubscription> result;
  const auto* found = find(claims, "subs");
  if (found == nullptr) return result;
  for (const auto& [channel, element] : members_of(*found, "subs is no object")) {
    const Members one = members_of(element, "a member of subs is no object");
    result.emplace(std::string(channel),
                   ServerSubscription{payload(one, "info", "b64info"), payload(one, "data", "b64data"), overrides(one),
                                      whole_date(one, "expire_at")});
  }
  return result;
}

Capability capability(dom::element element) {
  const Members members = members_of(element, "a capability is no object");
  Capability result;
  const auto* channels = find(members, "channels");
  const auto* allow = find(members, "allow");
  require(channels != nullptr && allow != nullptr, "a capability lacks channels or allow");
  result.channels = texts(*channels, "channels of a capability are no strings");
  result.match = text(members, "match", "match of a capability is no string");
  require(result.match.empty() || result.match == "wildcard" || result.match == "regex", "match is unknown");
  for (const std::string& word : texts(*allow, "allow of a capability holds no strings")) {
    // What is unknown grants nothing: a token for a newer server must not fail here.
    if (word == "sub") result.subscribe = true;
    if (word == "pub") result.publish = true;
    if (word == "prs") result.presence = true;
    if (word == "hst") result.history = true;
  }
  return result;
}

std::vector<Capability> capabilities(const Members& claims) {
  std::vector<Capability> result;
  const auto* found = find(claims, "caps");
  if (found == nullptr) return result;
  dom::array array;
  require(found->get(array) == simdjson::SUCCESS, "caps is no list");
  for (const dom::element one : array) result.push_back(capability(one));
  return result;
}

// ── Rules ───────────────────────────────────────────────────────────────────────────────────────────────────────────

bool is_asked_for(const std::string& value, const std::string& exact, const std::optional<Pattern>& pattern) {
  return (exact.empty() || value == exact) && (!pattern || pattern->matches(value));
}

// RFC 7519 4.1.3: one string, or a list of them.
std::vector<std::string> audiences(const Members& claims) {
  const auto* found = find(claims, "aud");
  if (found == nullptr) return {};
  return found->is<std::string_view>() ? std::vector{text_of(*found, "")} : texts(*found, "aud is malformed");
}

void check_audience(const Members& claims, const ClaimRules& rules) {
  if (rules.audience.empty() && !rules.audience_pattern) return;
  const auto values = audiences(claims);
  require(!values.empty(), "the audience is missing");
  const auto fits = [&](const std::string& one) { return is_asked_for(one, rules.audience, rules.audience_pattern); };
  require(std::ranges::any_of(values, fits), "the audience is another one");
}

void check_issuer(const Members& claims, const ClaimRules& rules) {
  if (rules.issuer.empty() && !rules.issuer_pattern) return;
  require(find(claims, "iss") != nullptr, "the issuer is missing");
  require(is_asked_for(text(claims, "iss", "iss is no string"), rules.issuer, rules.issuer_pattern),
          "the issuer is another one");
}

// RFC 7519 4.1.4, 4.1.5: the time must be before exp, and not before nbf.
bool is_in_time(const Members& claims, const ClaimRules& rules, WallTime now) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const auto leeway = static_cast<double>(rules.leeway.count());
  const auto time = static_cast<double>(milliseconds);
  const auto until = date(claims, "exp");
  const auto from = date(claims, "nbf");
  return (!until || time < *until * 1000 + leeway) && (!from || time + leeway >= *from * 1000);
}

// expire_at goes before exp, 0 in it is for ever.
std::int64_t end_of(const Members& claims) {
  return whole_date(claims, find(claims, "expire_at") != nullptr ? "expire_at" : "exp");
}

std::string user_of(const Members& claims, const ClaimRules& rules) {
  return text(claims, rules.user_claim.empty() ? "sub" : rules.user_claim, "the user is no string");
}

ConnectionClaims read_connection(const Members& claims, const ClaimRules& rules) {
  // A token for a subscription is none for a connection, or one that leaked would open more than it was made for.
  require(!claims.contains("channel"), "the token is for a subscription");
  ConnectionClaims result;
  result.user = user_of(claims, rules);
  result.expire_at = end_of(claims);
  result.issued_at = whole_date(claims, "iat");
  result.id = text(claims, "jti", "jti is no string");
  result.info = payload(claims, "info", "b64info");
  if (const auto* meta = find(claims, "meta")) {
    require(meta->is<dom::object>(), "meta is no object");
    result.meta = simdjson::minify(*meta);
  }
  if (const auto* channels = find(claims, "channels")) result.channels = texts(*channels, "channels are no strings");
  result.subs = subscriptions(claims);
  result.capabilities = capabilities(claims);
  return result;
}

SubscriptionClaims read_subscription(const Members& claims, const ClaimRules& rules) {
  SubscriptionClaims result;
  result.channel = text(claims, "channel", "the channel is no string");
  require(!result.channel.empty(), "the channel is missing");
  result.user = user_of(claims, rules);
  result.client = text(claims, "client", "the client is no string");
  result.expire_at = end_of(claims);
  result.issued_at = whole_date(claims, "iat");
  result.id = text(claims, "jti", "jti is no string");
  result.info = payload(claims, "info", "b64info");
  result.data = payload(claims, "data", "b64data");
  result.overrides = overrides(claims);
  return result;
}

// What `body` makes of the claims.
template <class Result, class Body>
std::expected<Result, TokenFault> with_claims(std::string_view text, Body body) {
  try {
    dom::parser parser;
    dom::element root;
    require(parser.allocate(text.size() + 1, claims_depth) == simdjson::SUCCESS, "there is no memory for the claims");
    require(parser.parse(text.data(), text.size()).get(root) == simdjson::SUCCESS, "the claims are no JSON");
    return body(members_of(root, "the claims are no object"));
  } catch (const Broken& broken) {
    return std::unexpected(TokenFault{false, broken.rule, false});
  }
}

template <class Claims>
std::expected<Claims, TokenFault> read(std::string_view text, const ClaimRules& rules, WallTime now,
                                       Claims (*body)(const Members&, const ClaimRules&)) {
  return with_claims<Claims>(text, [&](const Members& claims) -> std::expected<Claims, TokenFault> {
    check_audience(claims, rules);
    check_issuer(claims, rules);
    Claims result = body(claims, rules);
    if (!is_in_time(claims, rules, now)) return std::unexpected(TokenFault{true, "the token has expired", false});
    return result;
  });
}

Outcome<std::optional<Pattern>> pattern_of(const std::string& pattern) {
  if (pattern.empty()) return std::optional<Pattern>();
  auto made = Pattern::make(pattern);
  if (!made) return std::unexpected(Fault{FaultKind::invalid, made.error()});
  return std::optional(std::move(*made));
}

}  // namespace

Outcome<ClaimRules> ClaimRules::make(const TokenSettings& settings) {
  ClaimRules rules{settings.audience, settings.issuer, settings.user_id_claim, {}, {}, settings.leeway};
  auto audience = pattern_of(settings.audience_regex);
  auto issuer = pattern_of(settings.issuer_regex);
  if (!audience) return std::unexpected(audience.error());
  if (!issuer) return std::unexpected(issuer.error());
  rules.audience_pattern = std::move(*audience);
  rules.issuer_pattern = std::move(*issuer);
  return rules;
}

std::expected<ConnectionClaims, TokenFault> connection_claims(std::string_view payload, const ClaimRules& rules,
                                                              WallTime now) {
  return read(payload, rules, now, &read_connection);
}

std::expected<ClaimedOrigin, TokenFault> claimed_origin(std::string_view payload) {
  return with_claims<ClaimedOrigin>(payload, [](const Members& claims) -> std::expected<ClaimedOrigin, TokenFault> {
    return ClaimedOrigin{text(claims, "iss", "iss is no string"), audiences(claims)};
  });
}

std::expected<SubscriptionClaims, TokenFault> subscription_claims(std::string_view payload, const ClaimRules& rules,
                                                                  WallTime now) {
  return read(payload, rules, now, &read_subscription);
}

}  // namespace fairlead::server
