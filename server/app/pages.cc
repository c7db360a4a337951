// SPDX-License-Identifier: Apache-2.0
#include "app/pages.h"

#include "admin/admin.h"
#include "api/json_writer.h"
#include "auth/jose.h"
#include "config/keys.h"

#include <fairlead/certificate.h>
#include <fairlead/version.h>

#include <fmt/format.h>

#include <chrono>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace fairlead::server {
namespace {

// A page of ours loads nothing from elsewhere and talks to nobody but this server. A page that is isolated from other
// origins may read a finer clock, so its round-trip times are not whole milliseconds.
Headers page_headers() {
  return {{"Content-Security-Policy",
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
           "manifest-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Embedder-Policy", "require-corp"}};
}

Response text_page(const Request&) {
  return Response::text(200,
                        "fairlead serve: its pages were not built (--web DIR). Clients connect here:\n\n"
                        "  /connection/websocket   the Centrifuge client protocol\n"
                        "  /api                    the HTTP API, with its description at /api/openapi.json\n");
}

// ── What the pages ask first ────────────────────────────────────────────────────────────────────────────────────────

std::string facts_json(const Settings& settings) {
  const TransportSettings& transport = settings.transport;
  const std::string& api = settings.http_api.handler_prefix;
  JsonWriter json;
  json.begin_object().field("version", fairlead::version()).field("development", settings.development);
  json.field("admin", settings.admin.enabled).field("admin_prefix", settings.admin.handler_prefix);
  json.field("api", !settings.http_api.disabled).field("api_prefix", api);
  json.field("health", settings.health_enabled);
  json.field("http_stream", !transport.http_stream.disabled).field("sse", !transport.sse.disabled);
  if (const AttachmentSettings& attachments = settings.attachments; attachments.enabled) {
    json.key("attachments").begin_object().field("prefix", attachments.handler_prefix);
    json.field("max_size", attachments.max_bytes).end_object();
  }
  return json.end_object().take();
}

// A name that a visitor of a development server calls himself.
bool is_visitor_name(std::string_view name) {
  constexpr std::size_t longest = 64;
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !name.empty() && name.size() <= longest && name.find_first_not_of(allowed) == std::string_view::npos;
}

// In development whoever asks is who he says he is. A page of another origin cannot ask: it could not read the answer,
// and it could not even send the header that is wanted here.
Response development_token(const Settings& settings, const Request& request) {
  if (!request.headers.contains("X-Fairlead-Development"))
    return Response::text(403, "X-Fairlead-Development is missing\n");
  const auto name = request.query_parameter("user");
  if (!name || !is_visitor_name(*name)) {
    return Response::text(400, "user must be 1 to 64 letters, digits, '-', '_' or '.'\n");
  }
  constexpr auto lifetime = std::chrono::hours(1);
  const auto ends = std::chrono::duration_cast<std::chrono::seconds>(
      (std::chrono::system_clock::now() + lifetime).time_since_epoch());
  const std::string claims = fmt::format(R"({{"sub":"{0}","exp":{1},"info":{{"name":"{0}"}}}})", *name, ends.count());
  const auto token = sign_token(Algorithm::hs256, settings.auth.token.hmac_secret_key, claims);
  if (!token) return Response::text(500, token.error().sentence + "\n");
  Response response = Response::json(200, fmt::format(R"({{"token":"{}"}})", *token));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

// ── The admin pages ─────────────────────────────────────────────────────────────────────────────────────────────────

std::string text_of(const config::Slot& slot) {
  return std::visit(
      [](const auto* value) -> std::string {
        using T = std::decay_t<decltype(*value)>;
        if constexpr (std::is_same_v<T, std::chrono::milliseconds>) {
          return value->count() < 0 ? "never" : fmt::format("{} ms", value->count());
        } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
          return fmt::format("{}", *value);
        } else {
          return {};
        }
      },
      slot);
}

// Every number and every duration that is configured.
std::vector<AdminLimit> limits_of(Settings settings) {
  std::vector<AdminLimit> limits;
  for (const config::Key& key : config::keys()) {
    std::string value = key.traits.secret ? std::string() : text_of(key.slot(settings));
    if (!value.empty()) limits.push_back({.name = key.path, .value = std::move(value)});
  }
  return limits;
}

std::vector<AdminCertificate> certificates_of(const Settings& settings) {
  std::string file = settings.listen.certificate_file;
  if (file.empty()) {
    const auto development = ensure_development_certificate();
    if (development) file = development->chain_file;
  }
  std::vector<AdminCertificate> certificates;
  const auto chain = inspect_file(file);
  if (!chain) return certificates;
  for (const CertificateDetails& one : *chain) {
    const auto ends = std::chrono::duration_cast<std::chrono::seconds>(one.valid_until.time_since_epoch());
    certificates.push_back({.subject = one.info.subject,
                            .issuer = one.info.issuer,
                            .file = file,
                            .names = one.info.dns_names,
                            .not_after = ends.count()});
  }
  return certificates;
}

std::shared_ptr<Admin> add_admin_pages(Server& server, const PagesOptions& options) {
  AdminEnvironment environment;
  environment.password = options.settings->admin.password;
  environment.handler_prefix = options.settings->admin.handler_prefix;
  environment.limits = [newest = options.newest_settings] { return limits_of(*newest()); };
  environment.certificates = [newest = options.newest_settings] { return certificates_of(*newest()); };
  return add_admin(server, *options.control, std::move(environment));
}

}  // namespace

std::shared_ptr<Admin> add_pages(Server& server, const PagesOptions& options) {
  const auto settings = options.settings;
  server.http("/facts.json", [facts = facts_json(*settings)](const Request&) { return Response::json(200, facts); });
  if (settings->development) {
    server.http("/development/token", [newest = options.newest_settings](const Request& request) {
      return development_token(*newest(), request);
    });
  }
  std::shared_ptr<Admin> admin;
  if (settings->admin.enabled) admin = add_admin_pages(server, options);
  if (options.web.empty()) {
    server.http("/", text_page);
  } else {
    server.files(options.web, page_headers());
  }
  return admin;
}

}  // namespace fairlead::server
