// SPDX-License-Identifier: Apache-2.0
#include "server_access.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "api/http_client.h"
#include "api/json.h"
#include "configuration.h"
#include "connect_options.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

using server::HttpAnswer;
using server::HttpFailure;

constexpr const char* key_variable = "FAIRLEAD_HTTP_API_KEY";
constexpr std::size_t longest_answer_bytes = std::size_t{64} * 1024 * 1024;  // a long history of large publications

std::string without_line_end(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

// Nothing when the file that should hold it cannot be read.
std::optional<std::string> key_of(const ServerAccess& access) {
  if (!access.key.empty()) return access.key;
  if (!access.key_file.empty()) {
    auto text = read_small_file(access.key_file);
    return text ? std::optional(without_line_end(std::move(*text))) : std::nullopt;
  }
  const char* const variable = std::getenv(key_variable);  // NOLINT(concurrency-mt-unsafe): nobody sets variables
  return variable != nullptr ? variable : "";
}

// A field's value is one line of visible characters (RFC 9110 5.5).
bool fits_into_a_field(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

ExitStatus status_of_failure(HttpFailure failure) {
  switch (failure) {
    case HttpFailure::resolve:
      return ExitStatus::dns;
    case HttpFailure::connect:
      return ExitStatus::unreachable;
    case HttpFailure::timed_out:
      return ExitStatus::timed_out;
    case HttpFailure::certificate:
      return ExitStatus::certificate;
    case HttpFailure::tls:
      return ExitStatus::tls;
    case HttpFailure::too_large:
      return ExitStatus::over_limit;
    case HttpFailure::invalid:
      return ExitStatus::bad_url;
    default:
      return ExitStatus::abnormal;
  }
}

std::string advice_on(ExitStatus status) {
  switch (status) {
    case ExitStatus::unreachable:
      return "Check --url, that `fairlead serve` runs, and that no firewall is between.";
    case ExitStatus::timed_out:
      return "The server is slow or does not answer; --timeout SECONDS waits longer.";
    case ExitStatus::certificate:
      return "If you know its issuer: --ca FILE, or --ca dev for the development certificate; the certificate must "
             "hold the name in --url.";
    default:
      return {};
  }
}

ExitStatus tell_failure(const std::string& url, const HttpAnswer& answer) {
  const ExitStatus status = status_of_failure(answer.failure);
  complain(fmt::format("cannot ask {}: {}", harmless(url), answer.sentence));
  if (const std::string hint = advice_on(status); !hint.empty()) complain(hint);
  return status;
}

ExitStatus tell_status(int status) {
  complain(fmt::format("the server answered with HTTP {}", status));
  if (status == 401) {
    complain(fmt::format("The key is wrong or missing: --key-file FILE, or {} in the environment.", key_variable));
  } else if (status == 404) {
    complain("There is no HTTP API at this place: check --url.");
  } else if (status == 413) {
    complain("The message is larger than the server takes.");
  }
  return ExitStatus::refused;
}

// {"result":…} or {"error":{"code":…,"message":…}}
std::expected<std::string, ExitStatus> result_of(const std::string& body) {
  const auto reply = server::parse_json(body);
  const auto members = reply ? server::members_of(*reply) : std::nullopt;
  if (members) {
    if (const auto* const result = server::find(*members, "result")) return std::string(result->text);
    const auto* const error = server::find(*members, "error");
    const auto parts = error != nullptr ? server::members_of(*error) : std::nullopt;
    const auto* const code = parts ? server::find(*parts, "code") : nullptr;
    const auto* const message = parts ? server::find(*parts, "message") : nullptr;
    if (code != nullptr && message != nullptr) {
      complain(fmt::format("the server refuses: {} {}", code->text,
                           harmless(server::string_of(*message).value_or("unknown"))));
      return std::unexpected(ExitStatus::failed);
    }
  }
  complain("what answers there is no API of a real-time server");
  return std::unexpected(ExitStatus::handshake);
}

}  // namespace

void add_server_options(Verb verb, ServerAccess& access) {
  const std::string group = "Server";
  verb.option("--url", access.url, "Where the server is").type_name("URL").capture_default_str().group(group);
  verb.option("--ca", access.ca, "Trust this CA alone; `dev` is the development CA of this user")
      .type_name("FILE")
      .group(group);
  verb.flag("--allow-cleartext", access.cleartext, "Allow http:// URLs: everybody between reads the key").group(group);
  verb.flag("--json", access.json, "Print JSON, one value a line");
}

void add_api_options(Verb verb, ServerAccess& access) {
  const std::string group = "Server";
  add_server_options(verb, access);
  const Option file = verb.option("--key-file", access.key_file, "The API's key is in this file; - is standard input");
  const Option key = verb.option("--key", access.key, "The API's key; every user of the machine can see it there");
  file.type_name("FILE").group(group);
  key.type_name("KEY").group(group).excludes(file);
  add_seconds(verb, "--timeout", access.timeout_seconds, "Wait at most so long for an answer").group(group);
}

bool usable_url(const ServerAccess& access) {
  if (access.url.starts_with("https://") || access.url.starts_with("wss://")) return true;
  const bool cleartext = access.url.starts_with("http://") || access.url.starts_with("ws://");
  if (cleartext && access.cleartext) return true;
  complain(cleartext ? "a URL in the clear needs --allow-cleartext: everybody between reads the key and the messages"
                     : "a URL of a server looks like https://example.org");
  return false;
}

std::string base_url(const ServerAccess& access) {
  std::string url = access.url;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

ApiClient::ApiClient(Place place) : place_(std::move(place)), client_(std::make_unique<server::BlockingHttpClient>()) {}
ApiClient::ApiClient(ApiClient&&) noexcept = default;
ApiClient& ApiClient::operator=(ApiClient&&) noexcept = default;
ApiClient::~ApiClient() = default;

std::expected<ApiClient, ExitStatus> ApiClient::open(const ServerAccess& access) {
  if (!usable_url(access)) return std::unexpected(ExitStatus::bad_url);
  const auto key = key_of(access);
  if (!key) return std::unexpected(ExitStatus::local_io);
  if (!fits_into_a_field(*key)) {
    complain("the key holds a character that no key has");
    return std::unexpected(ExitStatus::usage);
  }
  const Result<PemSource> ca = ca_named(access.ca);
  if (!ca) {
    complain(to_string(ca.error()));
    return std::unexpected(status_of(ca.error().code));
  }
  return ApiClient({base_url(access), *key, ca->file, access.timeout_seconds});
}

std::expected<std::string, ExitStatus> ApiClient::call(std::string_view method, std::string body) {
  server::HttpExchange exchange;
  exchange.url = fmt::format("{}/api/{}", place_.base, method);
  exchange.post = std::move(body);
  exchange.headers = {{"Content-Type", "application/json"}, {"X-Centrifugo-Error-Mode", "body"}};
  if (!place_.key.empty()) exchange.headers.emplace_back("X-API-Key", place_.key);
  exchange.repeatable = false;
  exchange.timeout = milliseconds(place_.timeout_seconds);
  exchange.response_bytes = longest_answer_bytes;
  exchange.tls_ca_file = place_.ca_file;
  const std::string url = exchange.url;
  const HttpAnswer answer = client_->ask(std::move(exchange));
  if (answer.status == 0) return std::unexpected(tell_failure(url, answer));
  if (answer.status != 200) return std::unexpected(tell_status(answer.status));
  return result_of(answer.body);
}

bool print_line(std::string_view line) {
  const std::string text(line);
  return print_text((::isatty(STDOUT_FILENO) != 0 ? harmless(text) : text) + "\n");
}

}  // namespace fairlead::cli
