// SPDX-License-Identifier: Apache-2.0
#include "api/core.h"

#include "api/batch.h"
#include "api/json.h"
#include "api/json_writer.h"
#include "api/methods.h"
#include "api/results.h"
#include "api/secrets.h"
#include "model/json.h"
#include "model/json_cursor.h"

#include <algorithm>
#include <cctype>
#include <ranges>
#include <utility>

namespace fairlead::server {
namespace {

constexpr std::string_view spaces = " \t\r\n";

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](unsigned char c) { return std::tolower(c); }, [](unsigned char c) { return std::tolower(c); });
}

ClientError bad_request(std::string sentence) { return {client_error::bad_request.code, std::move(sentence), false}; }

std::string error_body(const ClientError& error) {
  return JsonWriter().begin_object().raw_field("error", results::write(error)).end_object().take();
}

std::string answer_body(const Answer<std::string>& answer) {
  if (!answer) return error_body(answer.error());
  return JsonWriter().begin_object().raw_field("result", *answer).end_object().take();
}

// {"publish":{…}} or {"error":{…}}
std::string batch_reply(const BatchCommand& command, const Answer<std::string>& answer) {
  if (!answer) return error_body(answer.error());
  return JsonWriter().begin_object().raw_field(command.method, *answer).end_object().take();
}

std::string line_reply(const BatchCommand& /*command*/, const Answer<std::string>& answer) {
  return answer_body(answer);
}

BatchCommand refused(std::string sentence) { return {{}, {}, bad_request(std::move(sentence))}; }

constexpr JsonValue no_params{JsonType::object, "{}"};

JsonValue params_of(const JsonValue& value) { return value.type == JsonType::null ? no_params : value; }

// {"publish":{…}}: of several known names the first counts, as with the client protocol. Nothing when the value where
// the cursor stands, which is read in any case, is no such object.
std::optional<BatchCommand> read_batch_command(JsonCursor& cursor) {
  std::optional<BatchCommand> command;
  bool known = false;
  const bool is_object = cursor.object([&](std::string_view name) {
    const auto value = cursor.raw();
    if (!value) return false;
    if (known) return true;
    known = find_method(name) != nullptr;
    if (known) {
      command = {std::string(name), params_of(json_value(*value)), std::nullopt};
    } else if (!command) {
      command = {std::string(name), no_params, client_error::method_not_found};
    }
    return true;
  });
  if (!is_object && !cursor.skip()) return std::nullopt;
  return command;
}

// One walk through all of them: a batch is large. One more than there may be is enough to tell.
std::optional<std::vector<BatchCommand>> read_batch_commands(const JsonValue& array) {
  if (array.type != JsonType::array) return std::nullopt;
  std::vector<BatchCommand> commands;
  JsonCursor cursor(array.text, json_depth_limit);
  const bool read = cursor.array([&] {
    auto command = read_batch_command(cursor);
    commands.push_back(command ? std::move(*command) : refused("a command must be an object that names a method"));
    return commands.size() <= api_limits::batch_commands;
  });
  if (!read && commands.size() <= api_limits::batch_commands) return std::nullopt;
  return commands;
}

// {"method":"publish","params":{…}}
BatchCommand line_command(std::string_view line) {
  const auto value = parse_json(line);
  const auto members = value ? members_of(*value) : std::nullopt;
  if (!members) return refused("a line must be an object");
  const auto* const method = find(*members, "method");
  const auto name = method == nullptr ? std::nullopt : string_of(*method);
  if (!name) return refused("field \"method\" must be a string");
  const auto* const params = find(*members, "params");
  return {*name, params == nullptr ? no_params : params_of(*params), std::nullopt};
}

struct BatchRequest {
  std::vector<BatchCommand> commands;
  bool parallel = false;
};

Answer<BatchRequest> batch_request(const JsonValue& root) {
  const auto members = members_of(root);
  if (!members) return std::unexpected(bad_request("the request must be an object"));
  BatchRequest request;
  if (const auto* parallel = find(*members, "parallel"); parallel != nullptr && parallel->type != JsonType::null) {
    if (parallel->type != JsonType::boolean) {
      return std::unexpected(bad_request("field \"parallel\" must be true or false"));
    }
    request.parallel = boolean_of(*parallel).value_or(false);
  }
  const auto* const commands = find(*members, "commands");
  auto read = commands == nullptr ? std::nullopt : read_batch_commands(*commands);
  if (!read) return std::unexpected(bad_request("field \"commands\" must be an array"));
  if (read->size() > api_limits::batch_commands) {
    return std::unexpected(
        bad_request("field \"commands\" has more than " + std::to_string(api_limits::batch_commands) + " items"));
  }
  request.commands = std::move(*read);
  return request;
}

std::string replies_body(const std::vector<std::string>& replies) {
  JsonWriter json;
  json.begin_object().key("replies").begin_array();
  for (const auto& reply : replies) json.raw(reply);
  return json.end_array().end_object().take();
}

void run_batch(Control& control, std::shared_ptr<const std::string> text, const JsonValue& root, Replied replied) {
  auto request = batch_request(root);
  if (!request) return replied(std::unexpected(std::move(request.error())));
  const auto batch = std::make_shared<Batch>(
      control, std::move(text), std::move(request->commands), batch_reply,
      [replied = std::move(replied)](const std::vector<std::string>& replies) { replied(replies_body(replies)); });
  request->parallel ? batch->run_at_once() : batch->run_in_order();
}

void run_lines(Control& control, std::shared_ptr<const std::string> text, ApiDone done) {
  std::vector<BatchCommand> commands;
  for (const auto part : std::views::split(std::string_view(*text), '\n')) {
    const std::string_view line(part.begin(), part.end());
    if (line.find_first_not_of(spaces) == std::string_view::npos) continue;
    if (commands.size() == api_limits::batch_commands) {
      return done({200, error_body(bad_request("there are too many commands"))});
    }
    commands.push_back(line_command(line));
  }
  if (commands.empty()) return done({200, error_body(bad_request("there is no command"))});
  std::make_shared<Batch>(control, std::move(text), std::move(commands), line_reply,
                          [done = std::move(done)](const std::vector<std::string>& replies) {
                            std::string body;
                            for (const auto& reply : replies) body.append(reply).append("\n");
                            done({200, std::move(body)});
                          })
      ->run_in_order();
}

// What turns an answer into a reply, by the mode that the caller asked for, or else the configured one.
Replied replying(const Headers& headers, const std::string& standard_mode, ApiDone done) {
  const auto mode = headers.find("X-Centrifugo-Error-Mode");
  const bool by_status = equal_ignoring_case(mode.value_or(standard_mode), "transport");
  return [by_status, done = std::move(done)](const Answer<std::string>& answer) {
    if (!answer && by_status) return done({http_status_of(answer.error()), results::write(answer.error())});
    done({200, answer_body(answer)});
  };
}

}  // namespace

ClientError client_error_of(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::invalid:
      return client_error::bad_request;
    case FaultKind::unsupported:
      return client_error::not_available;
    default:
      return client_error::internal;
  }
}

int http_status_of(const ClientError& error) {
  switch (error.code) {
    case 101:
      return 401;
    case 102:
    case 104:
      return 404;
    case 103:
      return 403;
    case 111:
      return 429;
    case 112:
      return 416;
    case 113:
      return 409;
    case 100:
      return 500;
    default:
      return 400;
  }
}

ApiCore::ApiCore(Control& control, HttpApiSettings settings)
    : control_(&control), settings_(std::make_shared<const HttpApiSettings>(std::move(settings))) {}

std::shared_ptr<const HttpApiSettings> ApiCore::settings() const {
  const std::scoped_lock lock(mutex_);
  return settings_;
}

void ApiCore::reconfigure(HttpApiSettings settings) {
  auto replacement = std::make_shared<const HttpApiSettings>(std::move(settings));
  const std::scoped_lock lock(mutex_);
  settings_ = std::move(replacement);
}

bool ApiCore::authorized(const Headers& headers, const std::optional<std::string>& query_key) const {
  const auto configured = settings();
  if (configured->insecure) return true;
  if (configured->key.empty()) return false;
  const auto is_key = [&](std::string_view shown) { return equal_secrets(shown, configured->key); };
  if (const auto shown = headers.find("X-API-Key")) return is_key(*shown);
  if (const auto shown = headers.find("Authorization")) {
    constexpr std::string_view scheme = "apikey ";
    return shown->size() > scheme.size() && equal_ignoring_case(shown->substr(0, scheme.size()), scheme) &&
           is_key(shown->substr(scheme.size()));
  }
  return query_key && is_key(*query_key);
}

void ApiCore::handle(std::string_view method, const Headers& headers, const std::optional<std::string>& query_key,
                     std::string body, ApiDone done) const {
  if (!authorized(headers, query_key)) return done({401, error_body(client_error::unauthorized)});
  handle_trusted(method, headers, std::move(body), std::move(done));
}

void ApiCore::handle_trusted(std::string_view method, const Headers& headers, std::string body, ApiDone done) const {
  if (body.size() > settings()->max_body_bytes) return done({413, error_body(bad_request("the body is too large"))});
  const auto text = std::make_shared<const std::string>(std::move(body));
  if (method.empty()) return run_lines(*control_, text, std::move(done));
  const auto* const known = find_method(method);
  if (known == nullptr && method != "batch") return done({404, error_body(client_error::method_not_found)});
  auto replied = replying(headers, settings()->error_mode, std::move(done));
  // Methods without fields are called without a body as well.
  const bool nothing = text->find_first_not_of(spaces) == std::string::npos;
  const auto root = nothing ? std::optional(no_params) : parse_json(*text);
  if (!root) return replied(std::unexpected(bad_request("the body is not valid JSON")));
  if (known == nullptr) return run_batch(*control_, text, *root, std::move(replied));
  known->run(*control_, *root, std::move(replied));
}

}  // namespace fairlead::server
