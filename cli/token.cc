// SPDX-License-Identifier: Apache-2.0
// `fairlead token`: tokens for connections and subscriptions, made and looked at.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>

#include "auth/jose.h"
#include "auth/policy.h"
#include "configuration.h"
#include "json.h"
#include "program.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

struct CreateOptions {
  std::string user, channel, key_file, config_file, algorithm = "HS256", key_id;
  std::vector<std::string> claims;
  double expires = 3600;
  bool no_expiry = false;
};
struct InspectOptions {
  std::string token, config_file;
};

std::int64_t unix_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::floor<std::chrono::seconds>(now).count();
}

std::string without_line_end(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::optional<server::Settings> settings_of(const std::string& file) {
  const auto sources = configuration_sources(file);
  if (!sources) return std::nullopt;
  auto settings = server::config::load(*sources);
  if (settings) return std::move(*settings);
  complain(harmless(settings.error().sentence));
  return std::nullopt;
}

// The key that signs: of a file, or the secret that the server has.
std::optional<std::string> signing_key(const CreateOptions& options) {
  if (!options.key_file.empty()) {
    auto text = read_small_file(options.key_file);
    return text ? std::optional(without_line_end(std::move(*text))) : std::nullopt;
  }
  const auto settings = settings_of(options.config_file);
  if (!settings) return std::nullopt;
  const auto& auth = settings->auth;
  const bool own = !options.channel.empty() && auth.subscription_token_enabled;
  const std::string& secret = own ? auth.subscription_token.hmac_secret_key : auth.token.hmac_secret_key;
  if (!secret.empty()) return secret;
  complain("there is no key: give --key FILE, or a --config with hmac_secret_key");
  return std::nullopt;
}

// {"sub":…,"iat":…,"exp":…} and what was given by --claim NAME=JSON; nothing when one of these is no such pair.
std::optional<std::string> claims_of(const CreateOptions& options) {
  const std::int64_t now = unix_now();
  std::string text = fmt::format(R"({{"sub":{},"iat":{})", json_string(options.user), now);
  if (!options.channel.empty()) text += fmt::format(R"(,"channel":{})", json_string(options.channel));
  if (!options.no_expiry) text += fmt::format(R"(,"exp":{})", now + static_cast<std::int64_t>(options.expires));
  for (const std::string& claim : options.claims) {
    const std::size_t equals = claim.find('=');
    if (equals == 0 || equals == std::string::npos) return std::nullopt;
    text += fmt::format(",{}:{}", json_string(claim.substr(0, equals)), claim.substr(equals + 1));
  }
  return text + "}";
}

ExitStatus create(const CreateOptions& options) {
  const auto algorithm = server::algorithm_of(options.algorithm);
  const auto claims = claims_of(options);
  if (!algorithm || !claims) {
    complain(algorithm ? "a claim is written NAME=JSON"
                       : "there is no such algorithm; see `fairlead token create --help`");
    return ExitStatus::usage;
  }
  const auto key = signing_key(options);
  if (!key) return ExitStatus::failed;
  const auto token = server::sign_token(*algorithm, *key, *claims, options.key_id);
  if (!token) {
    complain(token.error().sentence);
    return ExitStatus::failed;
  }
  // What a server would not read is not handed out.
  const auto readable = [&] {
    server::TokenSettings any;
    const auto verifier = server::TokenVerifier::make(any, {}, true);
    std::string why;
    const auto note = [&](const auto& result) { why = result || result.error().expired ? "" : result.error().why; };
    const auto now = std::chrono::system_clock::now();
    if (options.channel.empty()) {
      (*verifier)->connection(*token, now, note);
    } else {
      (*verifier)->subscription(*token, now, note);
    }
    return why;
  }();
  if (!readable.empty()) {
    complain("the claims are refused: " + readable);
    return ExitStatus::usage;
  }
  return print_text(*token + "\n") ? ExitStatus::ok : ExitStatus::local_io;
}

// The server's own judgement, with the keys of its configuration.
std::string judgement(const server::Settings& settings, const server::ParsedToken& token) {
  const server::FetchDocument nothing = [](const std::string&, const server::Done<std::string>& done) {
    done(std::unexpected(server::Fault{server::FaultKind::unavailable, "not fetched"}));
  };
  const auto policy = server::make_policy(settings.auth, settings.channel, nothing);
  if (!policy) return policy.error().sentence;
  std::string text = "no answer";
  const auto note = [&](const auto& result) {
    text = result ? "valid" : result.error().expired ? "expired" : "invalid: " + result.error().why;
  };
  const auto now = std::chrono::system_clock::now();
  (*policy)->connection_tokens->connection(token.text, now, note);
  if (text == "valid" || text == "expired") return text + " for a connection";
  const std::string as_connection = text;
  (*policy)->subscription_tokens->subscription(token.text, now, note);
  return text == "valid" || text == "expired" ? text + " for a subscription" : as_connection;
}

ExitStatus inspect(const InspectOptions& options) {
  std::string text = options.token;
  if (text == "-") {
    auto read = read_small_file("-");
    if (!read) return ExitStatus::local_io;
    text = *read;
  }
  const auto token = server::parse_token(without_line_end(std::move(text)));
  if (!token) {
    complain(token.error());
    return ExitStatus::failed;
  }
  std::string out = fmt::format("header     {}\nclaims     {}\n", harmless(token->header), harmless(token->payload));
  std::string verdict = "not checked: give the server's --config";
  if (!options.config_file.empty()) {
    const auto settings = settings_of(options.config_file);
    if (!settings) return ExitStatus::failed;
    verdict = judgement(*settings, *token);
  }
  out += fmt::format("signature  {}, {}\n", server::name(token->algorithm), verdict);
  if (!print_text(out)) return ExitStatus::local_io;
  return options.config_file.empty() || verdict.starts_with("valid") ? ExitStatus::ok : ExitStatus::failed;
}

void add_create(Program& program, Verb parent) {
  auto options = std::make_shared<CreateOptions>();
  const Verb verb = program.verb(
      "create", "Make a token",
      {.paragraphs = {"Signed with the secret of the server's configuration (a file, or FAIRLEAD_CLIENT_TOKEN_HMAC_"
                      "SECRET_KEY in the environment), or with a key of one's own. A secret is never given as an "
                      "argument: arguments can be seen by every user of the machine."},
       .examples =
           {{"fairlead token create --config fairlead.toml --user 42", "for a connection, for an hour"},
            {"fairlead token create --config fairlead.toml --user 42 --channel '$secret'", "for a channel"},
            {"fairlead token create --key ed25519.pem --algorithm EdDSA --user 42 \\\n"
             "  --claim 'caps=[{\"channels\":[\"room:*\"],\"match\":\"wildcard\",\"allow\":[\"sub\",\"pub\"]}]'",
             "with a private key, and with capabilities"}}},
      &parent);
  verb.option("--user", options->user, "The claim sub; empty: nobody").type_name("USER");
  verb.option("--channel", options->channel, "Make a token for this channel").type_name("CHANNEL");
  add_seconds(verb, "--expires", options->expires, "For how long it is good");
  verb.flag("--no-expiry", options->no_expiry, "It is good for ever");
  verb.option("--claim", options->claims, "Another claim").type_name("NAME=JSON");
  verb.option("--config", options->config_file, "The server's configuration").type_name("FILE");
  verb.option("--key", options->key_file, "The secret, or a private key in PEM").type_name("FILE");
  verb.option("--algorithm", options->algorithm, "HS256 RS256 ES256 (also 384, 512), EdDSA")
      .type_name("NAME")
      .capture_default_str();
  verb.option("--kid", options->key_id, "The id of the key").type_name("ID");
  program.run(verb, [options] { return create(*options); });
}

void add_inspect(Program& program, Verb parent) {
  auto options = std::make_shared<InspectOptions>();
  const Verb verb = program.verb(
      "inspect", "Print what a token says, and whether the server would believe it",
      {.paragraphs = {"Keys that the server would fetch are not fetched here."},
       .examples = {{"fairlead token inspect - --config fairlead.toml < token.txt", "without showing it to `ps`"}}},
      &parent);
  verb.option("token", options->token, "The token, or - for standard input").type_name("TOKEN").required();
  verb.option("--config", options->config_file, "The server's configuration").type_name("FILE");
  program.run(verb, [options] { return inspect(*options); });
}

}  // namespace

void add_token(Program& program) {
  const Verb verb = program.verb("token", "Make and look at tokens of clients", {});
  add_create(program, verb);
  add_inspect(program, verb);
}

}  // namespace fairlead::cli
