// SPDX-License-Identifier: Apache-2.0
// `fairlead presence`, `history`, `info`, `disconnect`: looking into a running server, and sending a user away.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/json.h"
#include "json.h"
#include "server_access.h"
#include "stream_position.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

using server::JsonMember;
using server::JsonValue;
using Members = std::vector<JsonMember>;

constexpr std::string_view key_paragraph =
    "The key of the API is read from --key-file, or from FAIRLEAD_HTTP_API_KEY in the environment. With --key every "
    "user of the machine can see it.";

// ── Reading results ─────────────────────────────────────────────────────────────────────────────────────────────────

Members members(const JsonValue& value) { return server::members_of(value).value_or(Members{}); }

Members members(const std::string& text) {
  const auto value = server::parse_json(text);
  return value ? members(*value) : Members{};
}

// A string without its quotes, everything else as it is written; empty when there is none.
std::string shown(const Members& object, std::string_view name) {
  const JsonValue* const value = server::find(object, name);
  if (value == nullptr) return {};
  const auto text = server::string_of(*value);
  return text ? *text : std::string(value->text);
}

std::string shown_or(const Members& object, std::string_view name, std::string_view otherwise) {
  std::string text = shown(object, name);
  return text.empty() ? std::string(otherwise) : text;
}

ExitStatus ask(const ServerAccess& access, std::string_view method, std::string body,
               const std::function<bool(const std::string&)>& print) {
  auto client = ApiClient::open(access);
  if (!client) return client.error();
  const auto result = client->call(method, std::move(body));
  if (!result) return result.error();
  return (access.json ? print_line(*result) : print(*result)) ? ExitStatus::ok : ExitStatus::local_io;
}

std::string channel_request(const std::string& channel) {
  return fmt::format(R"({{"channel":{}}})", json_string(channel));
}

// ── fairlead presence ───────────────────────────────────────────────────────────────────────────────────────────────

struct PresenceOptions {
  ServerAccess access;
  std::string channel;
  bool stats = false;
};

bool print_presence(const std::string& result) {
  const Members answer = members(result);
  const JsonValue* const presence = server::find(answer, "presence");
  if (presence == nullptr) return true;
  for (const JsonMember& one : members(*presence)) {
    const Members info = members(one.value);
    std::string line = fmt::format("{}  {}", one.name, shown_or(info, "user", "-"));
    for (const char* const name : {"conn_info", "chan_info"}) {
      if (const JsonValue* const more = server::find(info, name)) line += fmt::format("  {}={}", name, more->text);
    }
    if (!print_line(line)) return false;
  }
  return true;
}

bool print_presence_stats(const std::string& result) {
  const Members stats = members(result);
  return print_line(fmt::format("{} clients, {} users", shown(stats, "num_clients"), shown(stats, "num_users")));
}

void add_presence(Program& program) {
  auto options = std::make_shared<PresenceOptions>();
  const Verb verb = program.verb(
      "presence", "Print who is subscribed to a channel of a running server",
      {.paragraphs = {"One line for each client: its id, its user (- is nobody), and what is known about it.",
                      std::string(key_paragraph)},
       .examples = {{"fairlead presence news --ca dev --key-file api.key", "who is there"},
                    {"fairlead presence news --stats --key-file api.key", "how many"}},
       .exit_statuses = true});
  verb.option("CHANNEL", options->channel, "The channel").required();
  verb.flag("--stats", options->stats, "Only how many clients and users");
  add_api_options(verb, options->access);
  program.run(verb, [options] {
    return ask(options->access, options->stats ? "presence_stats" : "presence", channel_request(options->channel),
               options->stats ? print_presence_stats : print_presence);
  });
}

// ── fairlead history ────────────────────────────────────────────────────────────────────────────────────────────────

struct HistoryOptions {
  ServerAccess access;
  std::string channel;
  std::string since;
  int limit = 100;
  bool reverse = false;
};

// The publications on standard output, the position beside them: what reads the lines wants lines alone.
bool print_history(const std::string& result) {
  const Members answer = members(result);
  const JsonValue* const list = server::find(answer, "publications");
  for (const JsonValue& publication :
       list ? server::elements_of(*list).value_or(std::vector<JsonValue>{}) : std::vector<JsonValue>{}) {
    const Members fields = members(publication);
    const JsonValue* const data = server::find(fields, "data");
    if (!print_line(data != nullptr ? std::string(data->text) : shown(fields, "b64data"))) return false;
  }
  const std::string position = fmt::format("{},{}", shown(answer, "offset"), shown(answer, "epoch"));
  return write_all(STDERR_FILENO, fmt::format("position {}\n", harmless(position)));
}

ExitStatus history(const HistoryOptions& options) {
  std::string body = fmt::format(R"({{"channel":{},"limit":{})", json_string(options.channel), options.limit);
  if (!options.since.empty()) {
    const auto position = parse_position(options.since);
    if (!position) {
      complain("--since wants OFFSET,EPOCH");
      return ExitStatus::usage;
    }
    body += fmt::format(R"(,"since":{{"offset":{},"epoch":{}}})", position->offset, json_string(position->epoch));
  }
  body += options.reverse ? R"(,"reverse":true})" : "}";
  return ask(options.access, "history", std::move(body), print_history);
}

void add_history(Program& program) {
  auto options = std::make_shared<HistoryOptions>();
  const Verb verb = program.verb(
      "history", "Print what was published into a channel of a running server",
      {.paragraphs = {"One line for each publication, and the channel's position OFFSET,EPOCH on standard error: "
                      "`--since` of a later call, or `fairlead subscribe --recover`, goes on from there.",
                      std::string(key_paragraph)},
       .examples = {{"fairlead history news --ca dev --key-file api.key", "the oldest 100"},
                    {"fairlead history news --reverse --limit 10 --key-file api.key", "the newest 10, newest first"},
                    {"fairlead history news --since 42,bXyz --json --key-file api.key", "what came after"}},
       .exit_statuses = true});
  verb.option("CHANNEL", options->channel, "The channel").required();
  verb.option("-n,--limit", options->limit, "At most so many; 0: only the position; -1: as many as the server allows")
      .type_name("N")
      .capture_default_str();
  verb.option("--since", options->since, "Only what came after this position").type_name("OFFSET,EPOCH");
  verb.flag("--reverse", options->reverse, "The newest first");
  add_api_options(verb, options->access);
  program.run(verb, [options] { return history(*options); });
}

// ── fairlead info ───────────────────────────────────────────────────────────────────────────────────────────────────

bool print_info(const std::string& result) {
  const Members answer = members(result);
  const JsonValue* const nodes = server::find(answer, "nodes");
  for (const JsonValue& one :
       nodes ? server::elements_of(*nodes).value_or(std::vector<JsonValue>{}) : std::vector<JsonValue>{}) {
    const Members node = members(one);
    const JsonValue* const process = server::find(node, "process");
    const Members usage = process != nullptr ? members(*process) : Members{};
    const std::string line = fmt::format(
        "{} ({}) {}: {} clients, {} users, {} channels, {} subscriptions, up {} s, {} bytes", shown(node, "name"),
        shown(node, "uid"), shown(node, "version"), shown(node, "num_clients"), shown(node, "num_users"),
        shown(node, "num_channels"), shown(node, "num_subs"), shown(node, "uptime"), shown(usage, "rss"));
    if (!print_line(line)) return false;
  }
  return true;
}

void add_info(Program& program) {
  auto access = std::make_shared<ServerAccess>();
  const Verb verb = program.verb("info", "Print what a running server is doing",
                                 {.paragraphs = {"One line for each node.", std::string(key_paragraph)},
                                  .examples = {{"fairlead info --ca dev --key-file api.key", "for a person"},
                                               {"fairlead info --json --key-file api.key", "with all of its metrics"}},
                                  .exit_statuses = true});
  add_api_options(verb, *access);
  program.run(verb, [access] { return ask(*access, "info", "{}", print_info); });
}

// ── fairlead disconnect ─────────────────────────────────────────────────────────────────────────────────────────────

struct DisconnectOptions {
  ServerAccess access;
  std::string user, client, reason;
  std::vector<std::string> whitelist;
  unsigned code = 3503;  // force disconnect
};

std::string disconnect_request(const DisconnectOptions& options) {
  JsonWriter json;
  json.open('{').member("user", options.user);
  if (!options.client.empty()) json.member("client", options.client);
  if (!options.whitelist.empty()) {
    json.key("whitelist").open('[');
    for (const std::string& client : options.whitelist) json.value(client);
    json.close(']');
  }
  json.key("disconnect").open('{').member("code", options.code);
  json.member("reason", options.reason.empty() ? "force disconnect" : options.reason).close('}').close('}');
  return json.text();
}

void add_disconnect(Program& program) {
  auto options = std::make_shared<DisconnectOptions>();
  const Verb verb = program.verb(
      "disconnect", "Disconnect a user from a running server",
      {.paragraphs =
           {"All connections of the user are closed, or the one that --client names; no connection is no "
            "error. A code of 3500 up to 3999 or of 4500 up to 4999 tells the client to stay away, the others "
            "to come back.",
            std::string(key_paragraph)},
       .examples = {{"fairlead disconnect 42 --ca dev --key-file api.key", "and do not come back"},
                    {"fairlead disconnect 42 --code 4000 --reason 'sign in again' --key-file api.key",
                     "and come back"}},
       .exit_statuses = true});
  verb.option("USER", options->user, "The user").required();
  verb.option("--client", options->client, "Only this connection of the user").type_name("ID");
  verb.option("--keep", options->whitelist, "Leave this connection alone; repeatable").type_name("ID");
  verb.option("--code", options->code, "What the client is told, 3000 up to 4999")
      .type_name("CODE")
      .capture_default_str()
      .range(3000, 4999);
  verb.option("--reason", options->reason, "A word to the client, of at most 123 bytes").type_name("TEXT");
  add_api_options(verb, options->access);
  program.run(verb, [options] {
    return ask(options->access, "disconnect", disconnect_request(*options), [](const std::string&) { return true; });
  });
}

}  // namespace

void add_channels(Program& program) {
  add_presence(program);
  add_history(program);
  add_info(program);
  add_disconnect(program);
}

}  // namespace fairlead::cli
