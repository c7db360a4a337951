// SPDX-License-Identifier: Apache-2.0
#include "cert_show.h"

#include <fairlead/certificate.h>
#include <fairlead/client.h>
#include <fairlead/inspect.h>
#include <fairlead/url.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include "connect_options.h"
#include "json.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

using std::chrono::days;
using std::chrono::system_clock;

constexpr days soon{14};  // the least time in which a person renews by hand

// What is shown: a file's certificates, and of a server also the handshake.
struct Shown {
  std::vector<CertificateDetails> chain;
  std::vector<std::string> warnings;
  std::optional<ServerCertificates> server;
};

std::vector<std::string> names_of(const CertificateInfo& info) {
  std::vector<std::string> names = info.dns_names;
  names.insert(names.end(), info.ip_addresses.begin(), info.ip_addresses.end());
  names.insert(names.end(), info.uris.begin(), info.uris.end());
  return names;
}

Style style_of(days left) { return left < days{0} ? Style::red : left < soon ? Style::yellow : Style::green; }

std::string left_text(days left) {
  return left < days{0} ? fmt::format("expired {} days ago", -left.count()) : fmt::format("{} days left", left.count());
}

// ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string row(std::string_view name, std::string_view value, Style style = Style::plain) {
  if (value.empty()) return {};
  return fmt::format("  {:<12} {}\n", name, styled(harmless(value), style, wants_colour(STDOUT_FILENO)));
}

std::string text_of(const CertificateDetails& one, std::size_t number, system_clock::time_point now) {
  const days left = one.days_left(now);
  const std::string kind = one.is_ca ? "CA" : "certificate";
  std::string out = styled(fmt::format("{}. {}", number, kind), Style::bold, wants_colour(STDOUT_FILENO)) + "\n";
  out += row("subject", one.info.subject) + row("names", fmt::format("{}", fmt::join(names_of(one.info), ", ")));
  out += row("issuer", one.self_signed ? "itself" : one.info.issuer);
  out += row("key", fmt::format("{}, {} bits", one.key_type, one.key_bits)) + row("signature", one.signature_algorithm);
  out += row("for", fmt::format("{}", fmt::join(one.extended_key_usages, ", ")));
  out += row("valid", fmt::format("{} – {}", one.info.not_before, one.info.not_after)) + row("", "");
  out += row("left", left_text(left), style_of(left));
  out += row("serial", one.info.serial) + row("sha256", one.info.sha256) + row("pin", one.info.spki_sha256);
  return out;
}

std::string text_of(const ServerCertificates& server) {
  const TlsInfo& tls = server.tls;
  std::string out = styled("handshake", Style::bold, wants_colour(STDOUT_FILENO)) + "\n";
  out += row("protocol", tls.version) + row("cipher", tls.cipher) + row("group", tls.group) + row("alpn", tls.alpn);
  if (server.rejected) return out + row("trusted", "no: " + to_string(*server.rejected), Style::red);
  return out + row("trusted", "yes", Style::green);
}

std::string text_of(const Shown& shown) {
  const auto now = system_clock::now();
  std::string out = shown.server ? text_of(*shown.server) : "";
  for (std::size_t i = 0; i < shown.chain.size(); ++i) out += text_of(shown.chain[i], i + 1, now);
  for (const std::string& warning : shown.warnings) out += row("warning", warning, Style::yellow);
  return out;
}

// ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────

void write_list(JsonWriter& json, std::string_view name, const std::vector<std::string>& list) {
  json.key(name).open('[');
  for (const std::string& entry : list) json.value(entry);
  json.close(']');
}

void write(JsonWriter& json, const CertificateDetails& one, system_clock::time_point now) {
  json.open('{').member("subject", one.info.subject).member("issuer", one.info.issuer);
  write_list(json, "names", names_of(one.info));
  json.member("key_type", one.key_type).member("key_bits", one.key_bits);
  json.member("signature_algorithm", one.signature_algorithm);
  write_list(json, "key_usages", one.key_usages);
  write_list(json, "extended_key_usages", one.extended_key_usages);
  json.member("is_ca", one.is_ca).member("self_signed", one.self_signed);
  json.member("not_before", one.info.not_before).member("not_after", one.info.not_after);
  json.member("days_left", one.days_left(now).count()).member("serial", one.info.serial);
  json.member("sha256", one.info.sha256).member("spki_sha256", one.info.spki_sha256).close('}');
}

void write(JsonWriter& json, const ServerCertificates& server) {
  json.key("handshake").open('{').member("protocol", server.tls.version).member("cipher", server.tls.cipher);
  json.member("group", server.tls.group).member("alpn", server.tls.alpn).member("trusted", !server.rejected);
  if (server.rejected) json.member("reason", to_string(*server.rejected));
  json.close('}');
}

std::string json_of(const Shown& shown) {
  const auto now = system_clock::now();
  JsonWriter json;
  json.open('{');
  if (shown.server) write(json, *shown.server);
  json.key("chain").open('[');
  for (const CertificateDetails& one : shown.chain) write(json, one, now);
  json.close(']');
  write_list(json, "warnings", shown.warnings);
  return json.close('}').text() + "\n";
}

// ── Where it comes from ─────────────────────────────────────────────────────────────────────────────────────────────

ExitStatus failed(const Error& error, ExitStatus status) {
  complain(harmless(to_string(error)));
  if (const std::string hint = advice(error); !hint.empty()) complain(hint);
  return status;
}

ExitStatus print(const CertShowOptions& options, Shown shown) {
  shown.warnings = chain_warnings(shown.chain, system_clock::now());
  if (!print_text(options.json ? json_of(shown) : text_of(shown))) return ExitStatus::local_io;
  const bool rejected = shown.server && shown.server->rejected;
  return rejected ? status_of(shown.server->rejected->code) : ExitStatus::ok;
}

ExitStatus show_file(const CertShowOptions& options) {
  Result<std::vector<CertificateDetails>> chain = inspect_file(options.what);
  if (!chain) {
    complain(harmless(to_string(chain.error())));
    complain("Name a PEM file, or a server as HOST:PORT or wss://HOST: `fairlead cert show example.org:443`.");
    return ExitStatus::local_io;
  }
  return print(options, {.chain = *std::move(chain), .warnings = {}, .server = std::nullopt});
}

ExitStatus show_server(const CertShowOptions& options) {
  const bool has_scheme = options.what.find("://") != std::string::npos;
  const Result<Url> url = parse_url(has_scheme ? options.what : "wss://" + options.what);
  if (!url) return failed(url.error(), ExitStatus::bad_url);
  if (!url->secure()) return failed({Errc::bad_url, "without TLS there is no certificate"}, ExitStatus::bad_url);
  Result<PemSource> ca = ca_named(options.ca);
  if (!ca) return failed(ca.error(), ExitStatus::tls);
  ClientOptions client;
  client.tls.ca = *std::move(ca);
  client.tls.server_name = options.server_name;
  Result<ServerCertificates> server = inspect_server(*url, client);
  if (!server) return failed(server.error(), status_of(server.error().code));
  std::vector<CertificateDetails> chain = server->chain;
  return print(options, {.chain = std::move(chain), .warnings = {}, .server = *std::move(server)});
}

}  // namespace

ExitStatus cert_show(const CertShowOptions& options) {
  std::error_code ignored;
  const bool is_file = std::filesystem::exists(options.what, ignored);
  const bool like_server = options.what.find(':') != std::string::npos;
  return is_file || !like_server ? show_file(options) : show_server(options);
}

}  // namespace fairlead::cli
