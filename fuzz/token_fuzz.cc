// SPDX-License-Identifier: Apache-2.0
// Tokens: whatever a client sends is refused or understood, and never believed without a signature.
#include "auth/jose.h"
#include "auth/tokens.h"
#include "input.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::server;
  fairlead::fuzzing::Input input(data, size);
  TokenSettings settings;
  settings.hmac_secret_key = "the secret of the fuzzer";
  static const auto strict = TokenVerifier::make(settings, {}).value();
  static const auto believing = TokenVerifier::make(settings, {}, true).value();
  const bool sign = (input.byte() & 1U) != 0;
  const std::string text = input.bytes(size);
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
