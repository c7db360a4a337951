// SPDX-License-Identifier: Apache-2.0
#include "auth/tokens.h"

#include "auth/claims.h"
#include "auth/jose.h"
#include "auth/key_set.h"
#include "auth/key_set_address.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

namespace fairlead::server {
namespace {

struct StaticKey {
  VerificationKey key;
  std::int64_t valid_until = 0;  // 0: for ever
};

bool is_file(const std::string& url) { return url.starts_with("file:"); }

// One set for each address that can come about. Nothing is fetched before a token asks for it.
class KeySets {
 public:
  KeySets(KeySetAddress address, std::chrono::milliseconds refresh, const FetchDocument& fetch,
          const KeySetReport& report, const TokenVerifier* previous)
      : address_(std::move(address)) {
    for (const std::string& url : address_.all()) {
      auto set = previous == nullptr || is_file(url) ? nullptr : previous->key_set(url);
      if (set) {
        set->refresh_every(refresh);
      } else {
        set = std::make_shared<KeySet>(url, refresh, fetch, report);
      }
      sets_.emplace(url, std::move(set));
    }
  }

  [[nodiscard]] std::shared_ptr<KeySet> at(const std::string& url) const {
    const auto found = sets_.find(url);
    return found == sets_.end() ? nullptr : found->second;
  }

  // The one with the keys of this token, or null when it comes from nowhere that is known.
  [[nodiscard]] std::shared_ptr<KeySet> of(const ParsedToken& token) const {
    if (!address_.depends_on_token()) return sets_.begin()->second;
    const auto origin = claimed_origin(token.payload);
    const auto url = origin ? address_.of(*origin) : std::nullopt;
    return url ? sets_.at(*url) : nullptr;
  }

 private:
  KeySetAddress address_;
  std::map<std::string, std::shared_ptr<KeySet>> sets_;
};

class Verifier final : public TokenVerifier, public std::enable_shared_from_this<Verifier> {
 public:
  Verifier(ClaimRules rules, std::vector<StaticKey> keys, std::optional<KeySets> sets, bool skip_signatures)
      : rules_(std::move(rules)), keys_(std::move(keys)), sets_(std::move(sets)), skip_signatures_(skip_signatures) {}

  void connection(std::string token, WallTime now,
                  std::function<void(std::expected<ConnectionClaims, TokenFault>)> done, Later later) override {
    judge<ConnectionClaims>(std::move(token), now, std::move(done), std::move(later), &connection_claims);
  }
  void subscription(std::string token, WallTime now,
                    std::function<void(std::expected<SubscriptionClaims, TokenFault>)> done, Later later) override {
    judge<SubscriptionClaims>(std::move(token), now, std::move(done), std::move(later), &subscription_claims);
  }
  [[nodiscard]] std::shared_ptr<KeySet> key_set(const std::string& url) const override {
    return sets_ ? sets_->at(url) : nullptr;
  }

 private:
  template <class Claims>
  using Reader = std::expected<Claims, TokenFault> (*)(std::string_view, const ClaimRules&, WallTime);

  static TokenFault invalid(std::string why) { return {false, std::move(why), false}; }

  template <class Claims>
  void judge(std::string token, WallTime now, std::function<void(std::expected<Claims, TokenFault>)> done, Later later,
             Reader<Claims> reader) {
    auto parsed = parse_token(std::move(token));
    if (!parsed) return done(std::unexpected(invalid(parsed.error())));
    if (skip_signatures_) return done(reader(parsed->payload, rules_, now));
    if (!sets_)
      return done(with_static_key(*parsed, now) ? reader(parsed->payload, rules_, now)
                                                : std::unexpected(invalid("the signature is not valid")));
    const auto set = sets_->of(*parsed);
    if (!set) return done(std::unexpected(invalid("the token comes from nowhere that is known")));
    auto shared = std::make_shared<ParsedToken>(std::move(*parsed));
    const auto call = std::make_shared<Call>();
    set->find(shared->key_id, shared->algorithm, now,
              [self = shared_from_this(), shared, call, now, done = std::move(done), later = std::move(later),
               reader](const auto& key) {
                auto verify = [self, shared, key, now, done, reader] {
                  done(self->with_set_key<Claims>(*shared, key, now, reader));
                };
                call->lasts() || !later ? verify() : later(std::move(verify));
              });
    call->returns = true;
  }

  // Whether a call of `judge` has returned: asked on any thread, changed on its own.
  struct Call {
    [[nodiscard]] bool lasts() const { return std::this_thread::get_id() == thread && !returns; }
    const std::thread::id thread = std::this_thread::get_id();
    bool returns = false;
  };

  template <class Claims>
  std::expected<Claims, TokenFault> with_set_key(const ParsedToken& token,
                                                 const std::expected<VerificationKey, KeySet::Miss>& key, WallTime now,
                                                 Reader<Claims> reader) const {
    if (!key && key.error() == KeySet::Miss::unavailable)
      return std::unexpected(TokenFault{false, "the keys for tokens cannot be had", true});
    if (!key) return std::unexpected(invalid("the key of the token is not known"));
    if (!key->verifies(token)) return std::unexpected(invalid("the signature is not valid"));
    return reader(token.payload, rules_, now);
  }

  [[nodiscard]] bool with_static_key(const ParsedToken& token, WallTime now) const {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    for (const StaticKey& one : keys_) {
      const bool in_time = one.valid_until == 0 || seconds < one.valid_until;
      if (in_time && one.key.verifies(token)) return true;
    }
    return false;
  }

  ClaimRules rules_;
  std::vector<StaticKey> keys_;
  std::optional<KeySets> sets_;
  bool skip_signatures_;
};

// The sentence names the key of the configuration that cannot be read.
Outcome<void> add(std::vector<StaticKey>& keys, std::expected<VerificationKey, std::string> key, std::string_view name,
                  std::int64_t valid_until = 0) {
  if (!key) return std::unexpected(Fault{FaultKind::invalid, std::string(name) + ": " + key.error()});
  keys.push_back({std::move(*key), valid_until});
  return {};
}

Outcome<std::vector<StaticKey>> static_keys(const TokenSettings& settings) {
  std::vector<StaticKey> keys;
  Outcome<void> done;
  const auto pem = [&](const std::string& text, KeyFamily family, std::string_view name) {
    if (done && !text.empty()) done = add(keys, VerificationKey::pem(text, family), name);
  };
  if (!settings.hmac_secret_key.empty())
    done = add(keys, VerificationKey::hmac(settings.hmac_secret_key), "hmac_secret_key");
  if (done && !settings.hmac_previous_secret_key.empty())
    done = add(keys, VerificationKey::hmac(settings.hmac_previous_secret_key), "hmac_previous_secret_key",
               settings.hmac_previous_secret_key_valid_until);
  pem(settings.rsa_public_key, KeyFamily::rsa, "rsa_public_key");
  pem(settings.ecdsa_public_key, KeyFamily::ec, "ecdsa_public_key");
  pem(settings.ed25519_public_key, KeyFamily::ed25519, "ed25519_public_key");
  if (!done) return std::unexpected(done.error());
  return keys;
}

Outcome<std::optional<KeySets>> key_sets(const TokenSettings& settings, const FetchDocument& fetch,
                                         const KeySetReport& report, const TokenVerifier* previous) {
  if (settings.jwks_public_endpoint.empty()) return std::optional<KeySets>();
  auto address = KeySetAddress::make(settings);
  if (!address) return std::unexpected(Fault{FaultKind::invalid, address.error()});
  if (!fetch && !std::ranges::all_of(address->all(), is_file))
    return std::unexpected(Fault{FaultKind::invalid, "jwks_public_endpoint: must be file:…, nothing is fetched here"});
  return std::optional<KeySets>(std::in_place, std::move(*address), settings.jwks_refresh, fetch, report, previous);
}

}  // namespace

Outcome<std::shared_ptr<TokenVerifier>> TokenVerifier::make(const TokenSettings& settings, const FetchDocument& fetch,
                                                            bool skip_signatures, const KeySetReport& report,
                                                            const TokenVerifier* previous) {
  auto rules = ClaimRules::make(settings);
  if (!rules) return std::unexpected(rules.error());
  auto sets = key_sets(settings, fetch, report, previous);
  if (!sets) return std::unexpected(sets.error());
  auto keys = *sets ? Outcome<std::vector<StaticKey>>() : static_keys(settings);
  if (!keys) return std::unexpected(keys.error());
  return std::make_shared<Verifier>(std::move(*rules), std::move(*keys), std::move(*sets), skip_signatures);
}

}  // namespace fairlead::server
