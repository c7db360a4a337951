// SPDX-License-Identifier: Apache-2.0
#include "api/http_api.h"

#include "api/awaited.h"
#include "metrics/prometheus.h"

#include <chrono>

namespace fairlead::server {
namespace {

// Engines and backends have shorter limits of their own; this one is for what nobody has foreseen.
constexpr auto answer_time = std::chrono::seconds(60);
constexpr std::string_view description_path = "openapi.json";

Response only(std::string_view method) {
  auto response = Response::text(405, "this path takes " + std::string(method) + "\n");
  response.headers.set("Allow", method);
  return response;
}

Response json_response(ApiReply reply) {
  auto response = Response::json(reply.status, std::move(reply.body));
  response.headers.set("Cache-Control", "no-store");
  if (reply.status == 401) response.headers.set("WWW-Authenticate", "apikey");  // RFC 9110 15.5.2: it MUST be there
  return response;
}

Response description(const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return only("GET");
  return Response::json(200, std::string(openapi_json()));
}

Task<Response> serve(std::shared_ptr<const ApiCore> core, std::string method, const Request& request) {
  if (request.method != "POST") co_return only("POST");
  Awaited<ApiReply> reply;
  core->handle(method, request.headers, request.query_parameter("api_key"), request.body, reply.setter());
  auto answer = co_await reply.wait(answer_time);
  if (!answer) co_return Response::text(504, "the node did not answer in time\n");
  co_return json_response(std::move(*answer));
}

Task<Response> serve_metrics(Control& control, const Request& request) {
  if (request.method != "GET" && request.method != "HEAD") co_return only("GET");
  Awaited<Answer<std::vector<MetricFamily>>> awaited;
  control.metrics(awaited.setter());
  const auto families = co_await awaited.wait(answer_time);
  if (!families || !*families) co_return Response::text(503, "the node did not answer\n");
  Response response;
  response.headers.set("Content-Type", prometheus_content_type);
  response.body = write_prometheus(**families);
  co_return response;
}

std::string without_slash(std::string prefix) {
  while (prefix.ends_with('/')) prefix.pop_back();
  return prefix;
}

}  // namespace

std::shared_ptr<ApiCore> add_api(Server& server, const HttpApiSettings& settings, Control& control) {
  if (settings.disabled) return nullptr;
  const auto core = std::make_shared<ApiCore>(control, settings);
  const std::string prefix = without_slash(settings.handler_prefix);
  const HttpRouteOptions options{.body_bytes = settings.max_body_bytes, .outgoing_queue_bytes = std::nullopt};
  server.http_async(
      prefix.empty() ? "/" : prefix, [core](const Request& request) { return serve(core, std::string(), request); },
      options);
  server.http_async(
      prefix + "/*",
      [core, skip = prefix.size() + 1](const Request& request) {
        return serve(core, request.path.substr(skip), request);
      },
      options);
  server.http(prefix + "/" + std::string(description_path), description);
  return core;
}

void add_metrics(Server& server, Control& control, const std::string& path) {
  server.http_async(path, [&control](const Request& request) { return serve_metrics(control, request); });
}

void add_health(Server& server, Control& control, const std::string& path) {
  server.http(path, [](const Request&) { return Response::json(200, "{}"); });
  server.http("/ready", [&control](const Request&) {
    return control.ready() ? Response::json(200, "{}") : Response::json(503, R"({"error":"not ready"})");
  });
}

}  // namespace fairlead::server
