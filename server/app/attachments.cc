// SPDX-License-Identifier: Apache-2.0
#include "app/attachments.h"

#include "api/awaited.h"
#include "api/json_writer.h"
#include "model/json.h"
#include "model/media_type.h"
#include "transport/endpoints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace fairlead::server {
namespace {

// The backend has a limit of its own; this one is for what nobody has foreseen.
constexpr auto answer_time = std::chrono::seconds(60);
constexpr std::size_t longest_id = 128;
constexpr std::size_t answer_room_bytes = 64 * 1024;  // around the picture

struct Refusal {
  int status;
  std::uint32_t code;
  std::string message;
};

Response response_of(const Refusal& refusal) {
  JsonWriter json;
  json.begin_object().key("error").begin_object().field("code", refusal.code).field("message", refusal.message);
  json.end_object().end_object();
  Response response = Response::json(refusal.status, json.take());
  response.headers.set("Cache-Control", "no-store");
  // RFC 9110 15.5.2: it MUST be there.
  if (refusal.status == 401) response.headers.set("WWW-Authenticate", "Bearer");
  if (refusal.status == 429) response.headers.set("Retry-After", "1");
  return response;
}

// ── What the decisions become ───────────────────────────────────────────────────────────────────────────────────────

Refusal refusal_of(const ClientError& error) {
  const auto status = [&error] {
    if (error.temporary) return error.code == client_error::too_many_requests.code ? 429 : 502;
    if (error == client_error::token_expired || error == client_error::expired) return 401;
    if (error.code == client_error::permission_denied.code || error.code == client_error::limit_exceeded.code)
      return 403;
    return error.code == client_error::method_not_found.code || error.code == client_error::not_available.code ? 404
                                                                                                               : 400;
  };
  return {status(), error.code, error.message};
}
Refusal refusal_of(const DisconnectReason& reason) {
  const bool unknown = reason == disconnect_reason::invalid_token || reason == disconnect_reason::bad_request;
  return {unknown ? 401 : 403, reason.code, unknown ? "a token that lets its bearer connect is needed" : reason.reason};
}

const Refusal late{504, client_error::internal.code, "there was no answer in time"};
const Refusal nameless{403, client_error::permission_denied.code, "who has no name has no pictures"};
const Refusal too_many{429, client_error::too_many_requests.code, "too many pictures at a time"};
const Refusal missing{404, client_error::bad_request.code, "there is no such picture"};
const Refusal nothing_named{502, client_error::internal.code, "the backend did not name the picture"};
const Refusal no_picture{502, client_error::internal.code, "the backend sent no picture"};

// The answer, or why there is none.
template <class Answer>
std::variant<Answer, Refusal> settled(std::optional<Verdict<Answer>> verdict) {
  if (!verdict) return late;
  if (const auto* error = std::get_if<ClientError>(&*verdict)) return refusal_of(*error);
  if (const auto* reason = std::get_if<DisconnectReason>(&*verdict)) return refusal_of(*reason);
  return std::move(std::get<Answer>(*verdict));
}

std::string bearer_token(const Request& request) {
  constexpr std::string_view scheme = "bearer ";
  const std::string_view field = request.headers.find("Authorization").value_or("");
  const auto same = [](char left, char right) { return (left | 0x20) == right; };
  if (field.size() < scheme.size() || !std::ranges::equal(field.substr(0, scheme.size()), scheme, same)) return {};
  return std::string(field.substr(scheme.size()));
}

bool is_id(std::string_view id) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !id.empty() && id.size() <= longest_id && id.find_first_not_of(allowed) == std::string_view::npos;
}

// ── The routes ──────────────────────────────────────────────────────────────────────────────────────────────────────

class Attachments : public std::enable_shared_from_this<Attachments> {
 public:
  Attachments(AttachmentSettings settings, AttachmentEnvironment environment)
      : settings_(std::move(settings)), environment_(std::move(environment)) {}

  Task<Response> put(const Request& request) {
    Response response = response_of(late);
    if (auto refused = environment_.refuse(request, "POST")) co_return std::move(*refused);
    auto caller = co_await admitted(request);
    if (const auto* refusal = std::get_if<Refusal>(&caller)) {
      response = response_of(*refusal);
    } else {
      response = co_await kept(std::get<Caller>(std::move(caller)), request.body);
    }
    environment_.add_cors(request, response.headers);
    co_return response;
  }

  Task<Response> get(const Request& request) {
    Response response = response_of(late);
    if (auto refused = environment_.refuse(request, "GET, HEAD")) co_return std::move(*refused);
    const std::string id = request.path.substr(settings_.handler_prefix.size() + 1);
    auto caller = co_await admitted(request);
    if (const auto* refusal = std::get_if<Refusal>(&caller)) {
      response = response_of(*refusal);
    } else {
      response = co_await found(std::get<Caller>(std::move(caller)), id);
    }
    environment_.add_cors(request, response.headers);
    co_return response;
  }

 private:
  // One question to the backend. Bodies on their way in are bounded by the connections that there may be.
  class Place {
   public:
    Place(std::shared_ptr<Attachments> of, std::string user) : of_(std::move(of)), user_(std::move(user)) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { of_->leave(user_); }

   private:
    std::shared_ptr<Attachments> of_;
    std::string user_;
  };
  std::unique_ptr<Place> enter(const std::string& user) {
    const std::scoped_lock lock(mutex_);
    const auto found = of_users_.find(user);
    const std::size_t of_user = found != of_users_.end() ? found->second : 0;
    if (on_their_way_ >= settings_.at_a_time || of_user >= settings_.at_a_time_of_user) return nullptr;
    ++on_their_way_;
    ++of_users_[user];
    return std::make_unique<Place>(shared_from_this(), user);
  }
  void leave(const std::string& user) {
    const std::scoped_lock lock(mutex_);
    --on_their_way_;
    const auto found = of_users_.find(user);
    if (--found->second == 0) of_users_.erase(found);
  }

  Task<std::variant<Caller, Refusal>> admitted(const Request& request) {
    Caller caller = caller_of(request, "http", WireFormat::json);
    ConnectRequest connect;
    connect.token = bearer_token(request);
    Awaited<Verdict<Admitted>> awaited;
    const auto gatekeeper = environment_.gatekeeper();
    gatekeeper->connect(caller, connect, awaited.setter());
    auto verdict = co_await awaited.wait(answer_time);
    auto answer = settled(std::move(verdict));
    if (auto* refusal = std::get_if<Refusal>(&answer)) co_return std::move(*refusal);
    auto& who = std::get<Admitted>(answer);
    if (who.user.empty()) co_return nameless;
    caller.user = std::move(who.user);
    caller.meta = std::move(who.meta);
    co_return caller;
  }

  Task<std::variant<RpcAnswer, Refusal>> ask(Caller caller, std::string method, Payload data) {
    const auto place = enter(caller.user);
    if (!place) co_return too_many;
    RpcQuestion question{.caller = std::move(caller), .method = std::move(method), .data = std::move(data)};
    Awaited<Verdict<RpcAnswer>> awaited;
    environment_.backend->rpc(proxy_name(settings_.proxy_name, "rpc"), std::move(question), awaited.setter());
    auto verdict = co_await awaited.wait(answer_time);
    co_return settled(std::move(verdict));
  }

  [[nodiscard]] bool is_welcome(std::string_view type) const {
    return !type.empty() && std::ranges::find(settings_.types, type) != settings_.types.end();
  }

  Task<Response> kept(Caller caller, std::string bytes) {
    if (!is_welcome(picture_type(bytes))) {
      co_return response_of({415, client_error::bad_request.code,
                             fmt::format("that is no picture of these types: {}", fmt::join(settings_.types, ", "))});
    }
    auto answer = co_await ask(std::move(caller), "attachments.put", std::move(bytes));
    if (const auto* refusal = std::get_if<Refusal>(&answer)) co_return response_of(*refusal);
    std::string told = std::get<RpcAnswer>(std::move(answer)).data;
    if (!is_json(told)) co_return response_of(nothing_named);
    Response response = Response::json(201, std::move(told));
    response.headers.set("Cache-Control", "no-store");
    co_return response;
  }

  Task<Response> found(Caller caller, std::string id) {
    if (!is_id(id)) co_return response_of(missing);
    JsonWriter json;
    json.begin_object().field("id", id).end_object();
    std::string question = json.take();
    auto answer = co_await ask(std::move(caller), "attachments.get", std::move(question));
    if (const auto* refusal = std::get_if<Refusal>(&answer)) co_return response_of(*refusal);
    std::string bytes = std::get<RpcAnswer>(std::move(answer)).data;
    if (bytes.empty()) co_return response_of(missing);
    const std::string_view type = picture_type(bytes);
    if (!is_welcome(type)) co_return response_of(no_picture);
    co_return picture(type, std::move(bytes));
  }

  // What one id names never changes. It is for whoever showed a token, not for caches on the way; and should a browser
  // be led to open it by itself, it is nothing that could run.
  static Response picture(std::string_view type, std::string bytes) {
    Response response;
    response.headers.set("Content-Type", type);
    response.headers.set("X-Content-Type-Options", "nosniff");
    response.headers.set("Content-Security-Policy", "default-src 'none'; sandbox");
    response.headers.set("Content-Disposition", "attachment");
    response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
    response.headers.set("Cache-Control", "private, max-age=31536000, immutable");
    // The next user of the same browser shows a token, or a cookie for the backend, of their own.
    response.headers.add("Vary", "Authorization, Cookie");
    response.body = std::move(bytes);
    return response;
  }

  const AttachmentSettings settings_;
  const AttachmentEnvironment environment_;
  std::mutex mutex_;  // of what follows
  std::size_t on_their_way_ = 0;
  std::map<std::string, std::size_t> of_users_;
};

}  // namespace

void add_attachments(Server& server, const AttachmentSettings& settings, AttachmentEnvironment environment) {
  if (!settings.enabled) return;
  const auto attachments = std::make_shared<Attachments>(settings, std::move(environment));
  const HttpRouteOptions options{.body_bytes = settings.max_bytes, .outgoing_queue_bytes = std::nullopt};
  server.http_async(
      settings.handler_prefix, [attachments](const Request& request) { return attachments->put(request); }, options);
  server.http_async(settings.handler_prefix + "/*",
                    [attachments](const Request& request) { return attachments->get(request); });
}

std::size_t attachment_answer_bytes(const AttachmentSettings& settings) noexcept {
  // base64: four for each three bytes, each of which may be escaped ("\\/"), as some backends write it.
  constexpr std::size_t characters = 8;
  return (settings.max_bytes + 2) / 3 * characters + answer_room_bytes;
}

}  // namespace fairlead::server
