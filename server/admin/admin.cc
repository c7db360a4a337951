// SPDX-License-Identifier: Apache-2.0
#include "admin/admin.h"

#include "api/awaited.h"
#include "api/json.h"
#include "api/json_writer.h"
#include "api/secrets.h"
#include "transport/origins.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

namespace fairlead::server {
namespace {

constexpr auto answer_time = std::chrono::seconds(60);
constexpr std::int64_t day_seconds = 24 * 60 * 60;
constexpr std::size_t login_bytes = 4 * 1024;
constexpr std::string_view secure_cookie = "__Host-fairlead-admin";
constexpr std::string_view loopback_cookie = "fairlead-admin";

bool is_loopback(const PeerAddress& peer) {
  return peer.is_unix() || peer.ip == "::1" || peer.ip.starts_with("127.") || peer.ip.starts_with("::ffff:127.");
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

// The last address of X-Forwarded-For, which the nearest proxy has seen; those before it anybody may have written. Some
// proxies add a port.
std::optional<std::string> forwarded_for(const Request& request) {
  std::string_view last;
  for (const std::string_view field : request.headers.all("X-Forwarded-For")) last = field;
  last.remove_prefix(last.rfind(',') == std::string_view::npos ? 0 : last.rfind(',') + 1);
  last.remove_prefix(std::min(last.find_first_not_of(" \t"), last.size()));
  last = last.substr(0, last.find_first_of(" \t"));
  const bool has_port = std::ranges::count(last, ':') == 1;
  if (last.starts_with('[')) {
    last = last.substr(1, last.find(']') - 1);
  } else if (has_port) {
    last = last.substr(0, last.find(':'));
  }
  std::string address(last);
  return is_address(address) ? std::optional(std::move(address)) : std::nullopt;
}

bool may_sign_in(const Request& request) { return request.secure() || is_loopback(request.peer); }

std::string_view cookie_name(const Request& request) { return request.secure() ? secure_cookie : loopback_cookie; }

Response answer(int status, std::string json) {
  auto response = Response::json(status, std::move(json));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Response refuse(int status, std::string_view why) {
  return answer(status, JsonWriter().begin_object().field("error", why).end_object().take());
}

Response only(std::string_view method) {
  auto response = refuse(405, "this path takes another method");
  response.headers.set("Allow", method);
  return response;
}

// RFC 6265 5.4: name=value pairs, separated by "; ".
std::optional<std::string_view> cookie_of(const Request& request) {
  for (std::string_view field : request.headers.all("Cookie")) {
    while (!field.empty()) {
      const auto pair = field.substr(0, field.find(';'));
      field.remove_prefix(std::min(field.size(), pair.size() + 1));
      const auto name = pair.substr(std::min(pair.size(), pair.find_first_not_of(' ')));
      if (name.starts_with(cookie_name(request)) && name.substr(cookie_name(request).size()).starts_with('=')) {
        return name.substr(cookie_name(request).size() + 1);
      }
    }
  }
  return std::nullopt;
}

std::string cookie_field(const Request& request, std::string_view value, std::chrono::seconds lifetime) {
  std::string field(cookie_name(request));
  field.append("=").append(value).append("; Path=/; HttpOnly; SameSite=Strict; Max-Age=");
  field.append(std::to_string(lifetime.count()));
  const bool by_tls = request.secure() || request.origin().value_or("").starts_with("https://");  // of a proxy
  if (by_tls) field.append("; Secure");
  return field;
}

// A page of another site cannot say that it is this one. Programs, which send no Origin, have no cookie by accident.
bool comes_from_these_pages(const Request& request) {
  const auto origin = request.origin();
  if (!origin) return true;
  return request.headers.count("Origin") == 1 && is_own_origin(*origin, request);
}

bool is_forged(const Request& request, const AdminSession& session) {
  const auto shown = request.headers.find("X-Fairlead-CSRF");
  return !comes_from_these_pages(request) || !shown || !equal_secrets(*shown, session.csrf);
}

Response session_response(const AdminSession& session) {
  return answer(200, JsonWriter().begin_object().field("csrf", session.csrf).end_object().take());
}

std::optional<std::string> password_of(const Request& request) {
  if (request.body.size() > login_bytes) return std::nullopt;
  const auto root = parse_json(request.body);
  const auto members = root ? members_of(*root) : std::nullopt;
  const auto* const password = members ? find(*members, "password") : nullptr;
  return password == nullptr ? std::nullopt : string_of(*password);
}

void write_stats(JsonWriter& json, const NodeStats& stats) {
  json.field("connections", stats.connections).field("users", stats.users).field("channels", stats.channels);
  json.field("subscriptions", stats.subscriptions).field("messages_in", stats.messages_in);
  json.field("messages_out", stats.messages_out).field("bytes_in", stats.bytes_in);
  json.field("bytes_out", stats.bytes_out).field("resident_bytes", stats.resident_bytes);
  json.field("uptime", stats.uptime_seconds);
  if (stats.publish_seconds_p50) json.field("publish_seconds_p50", *stats.publish_seconds_p50);
  if (stats.publish_seconds_p99) json.field("publish_seconds_p99", *stats.publish_seconds_p99);
}

std::int64_t days_left(const AdminCertificate& certificate, std::int64_t now) {
  return (certificate.not_after - now) / day_seconds;
}

// The pages' calls have been let in by cookie and token: the API's own key is not asked for.
HttpApiSettings trusted() {
  HttpApiSettings settings;
  settings.insecure = true;
  settings.error_mode = "";  // the pages read errors in the body, whatever http_api.error_mode is for others
  return settings;
}

}  // namespace

Admin::Admin(Control& control, AdminEnvironment environment)
    : control_(&control),
      environment_(std::move(environment)),
      sign_in_(environment_.password),
      core_(control, trusted()) {}

std::int64_t Admin::now_seconds() const {
  if (environment_.unix_seconds) return environment_.unix_seconds();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

Response Admin::login(const Request& request) {
  if (request.method != "POST") return only("POST");
  if (!may_sign_in(request)) {
    return refuse(
        403,
        "over cleartext the password could be read on its way: sign in over TLS. A proxy that ends TLS has to "
        "run on this machine, or reach a listener of listen.secure or unix:PATH in listen.insecure_cleartext");
  }
  if (!comes_from_these_pages(request)) return refuse(403, "another site's page cannot sign in");
  const auto password = password_of(request);
  if (!password) return refuse(400, "a body {\"password\":…} is needed");
  // Behind a proxy of this machine every client of the Internet has the same peer.
  const auto seen_by_proxy = is_loopback(request.peer) ? forwarded_for(request) : std::nullopt;
  const auto attempt = seen_by_proxy
                           ? sign_in_.attempt(*password, *seen_by_proxy, environment_.clock(), request.peer.ip)
                           : sign_in_.attempt(*password, request.peer.ip, environment_.clock());
  if (!attempt.session && attempt.refusal == SignIn::Refusal::too_many_attempts) {
    auto response = refuse(429, "too many attempts: wait a minute");
    response.headers.set("Retry-After", "60");
    return response;
  }
  if (!attempt.session) return refuse(401, "the password is wrong");
  auto response = session_response(*attempt.session);
  response.headers.add("Set-Cookie", cookie_field(request, attempt.session->token, SignIn::lifetime));
  return response;
}

Response Admin::logout(const Request& request, const AdminSession& session) {
  sign_in_.end(session.token);
  auto response = Response::empty(204);
  response.headers.add("Set-Cookie", cookie_field(request, "", std::chrono::seconds(0)));
  return response;
}

void Admin::overview(Done done) const {
  std::optional<std::int64_t> days;
  if (environment_.certificates) {
    for (const auto& certificate : environment_.certificates()) {
      const auto left = days_left(certificate, now_seconds());
      days = days ? std::min(*days, left) : left;
    }
  }
  control_->stats([done = std::move(done), days](const Answer<NodeStats>& stats) {
    if (!stats) return done(refuse(503, "the node did not answer"));
    JsonWriter json;
    json.begin_object();
    write_stats(json, *stats);
    if (days) json.field("certificate_days_left", *days);
    done(answer(200, json.end_object().take()));
  });
}

Response Admin::limits() const {
  JsonWriter json;
  json.begin_object().key("limits").begin_array();
  if (environment_.limits) {
    for (const auto& limit : environment_.limits()) {
      json.begin_object().field("name", limit.name).field("value", limit.value).end_object();
    }
  }
  return answer(200, json.end_array().end_object().take());
}

Response Admin::certificates() const {
  JsonWriter json;
  json.begin_object().key("certificates").begin_array();
  const auto all = environment_.certificates ? environment_.certificates() : std::vector<AdminCertificate>{};
  for (const auto& certificate : all) {
    json.begin_object().field("subject", certificate.subject).field("issuer", certificate.issuer);
    json.field("file", certificate.file).field("not_after", certificate.not_after);
    json.field("days_left", days_left(certificate, now_seconds())).key("names").begin_array();
    for (const auto& name : certificate.names) json.text(name);
    json.end_array().end_object();
  }
  return answer(200, json.end_array().end_object().take());
}

void Admin::handle(std::string_view path, const Request& request, Done done) {
  if (path == "login") return done(login(request));
  constexpr std::string_view call = "call/";
  constexpr std::array<std::string_view, 4> readings{"session", "overview", "limits", "certificates"};
  const bool reads = std::ranges::find(readings, path) != readings.end();
  if (!reads && path != "logout" && !path.starts_with(call)) return done(refuse(404, "there is nothing here"));
  // A secure cookie never comes in cleartext; the other one counts on loopback alone.
  const auto token = may_sign_in(request) ? cookie_of(request) : std::nullopt;
  const auto session = token ? sign_in_.find(*token, environment_.clock()) : std::nullopt;
  if (!session) return done(refuse(401, "nobody is signed in"));
  if (reads) {
    if (request.method != "GET") return done(only("GET"));
    if (path == "session") return done(session_response(*session));
    if (path == "overview") return overview(std::move(done));
    return done(path == "limits" ? limits() : certificates());
  }
  if (request.method != "POST") return done(only("POST"));
  if (is_forged(request, *session)) return done(refuse(403, "the request does not come from these pages"));
  if (path == "logout") return done(logout(request, *session));
  core_.handle_trusted(path.substr(call.size()), request.headers, request.body,
                       [done = std::move(done)](ApiReply reply) { done(answer(reply.status, std::move(reply.body))); });
}

namespace {

Task<Response> serve(std::shared_ptr<Admin> admin, std::string path, const Request& request) {
  Awaited<Response> awaited;
  admin->handle(path, request, awaited.setter());
  auto response = co_await awaited.wait(answer_time);
  if (!response) co_return refuse(504, "the node did not answer in time");
  co_return std::move(*response);
}

}  // namespace

std::shared_ptr<Admin> add_admin(Server& server, Control& control, AdminEnvironment environment) {
  const std::string base = environment.handler_prefix + "/api/";
  const auto admin = std::make_shared<Admin>(control, std::move(environment));
  const HttpRouteOptions options{.body_bytes = HttpApiSettings{}.max_body_bytes, .outgoing_queue_bytes = std::nullopt};
  server.http_async(
      base + "*",
      [admin, skip = base.size()](const Request& request) {
        return serve(admin, request.path.substr(std::min(skip, request.path.size())), request);
      },
      options);
  return admin;
}

}  // namespace fairlead::server
