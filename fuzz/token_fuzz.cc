// SPDX-License-Identifier: Apache-2.0
// Tokens: whatever a client sends is refused or understood, and never believed without a signature. Sets of keys: any
// document is read or refused. Addresses of sets: a token chooses one that is known, or none.
#include "auth/claims.h"
#include "auth/jose.h"
#include "auth/key_set.h"
#include "auth/key_set_address.h"
#include "auth/tokens.h"
#include "input.h"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace fairlead::server;

void read_key_set(const std::string& text) {
  const auto keys = KeySet::parse(text);
  if (keys && (keys->empty() || keys->size() > key_set_limit_keys)) std::abort();
}

void choose_address(const std::string& claims) {
  static const auto address = [] {
    TokenSettings settings;
    settings.jwks_public_endpoint = "https://{{tenant}}.example/{{realm}}";
    settings.issuer_regex = "https://sso/(?P<realm>one|two).*";
    settings.audience_regex = "(?i)(?P<tenant>a|b)?-app";
    return KeySetAddress::make(settings).value();
  }();
  const auto origin = claimed_origin(claims);
  const auto url = origin ? address.of(*origin) : std::nullopt;
  if (url && std::ranges::find(address.all(), *url) == address.all().end()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fairlead::fuzzing::Input input(data, size);
  TokenSettings settings;
  settings.hmac_secret_key = "the secret of the fuzzer";
  static const auto strict = TokenVerifier::make(settings, {}).value();
  static const auto believing = TokenVerifier::make(settings, {}, true).value();
  const unsigned choice = input.byte();
  const bool sign = (choice & 1U) != 0;
  const std::string text = input.bytes(size);
  if ((choice & 2U) != 0) {
    read_key_set(text);
    choose_address(text);
    return 0;
  }
  const WallTime now{std::chrono::seconds(1'700'000'000)};
  const auto nothing = [](const auto&) {};
  if (sign) {
    const auto token =
        text.empty() ? Outcome<std::string>() : sign_token(Algorithm::hs256, settings.hmac_secret_key, text);
    if (!token) return 0;
    strict->connection(*token, now, nothing);
    strict->subscription(*token, now, nothing);
    return 0;
  }
  believing->connection(text, now, nothing);
  believing->subscription(text, now, nothing);
  strict->connection(text, now, [](const auto& claims) {
    if (claims) std::abort();  // nobody knows the secret
  });
  return 0;
}
