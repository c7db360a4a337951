// SPDX-License-Identifier: Apache-2.0
// `fairlead publish`: messages into a channel of a running server, from the command line or from a pipe.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/json.h"
#include "configuration.h"
#include "json.h"
#include "model/json.h"
#include "server_access.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

struct PublishOptions {
  ServerAccess access;
  std::string channel;
  std::string data;
  std::vector<std::string> tags;
  std::string idempotency_key;
  bool data_given = false;
  bool base64 = false;
  bool text = false;
  bool delta = false;
};

// Longer lines are no messages that a server takes.
constexpr std::size_t longest_line_bytes = std::size_t{16} * 1024 * 1024;

// Nothing when one of them is no pair.
std::optional<std::string> tags_of(const std::vector<std::string>& tags) {
  std::string text;
  for (const std::string& tag : tags) {
    const std::size_t equals = tag.find('=');
    if (equals == 0 || equals == std::string::npos) return std::nullopt;
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", json_string(tag.substr(0, equals)),
                        json_string(tag.substr(equals + 1)));
  }
  return "{" + text + "}";
}

// What is JSON is sent as it stands, everything else as a string.
std::string data_field(const PublishOptions& options, const std::string& data) {
  if (options.base64) return fmt::format(R"("b64data":{})", json_string(data));
  const bool as_it_stands = !options.text && server::is_json(data);
  return fmt::format(R"("data":{})", as_it_stands ? data : json_string(data));
}

std::string request_of(const PublishOptions& options, const std::string& tags, const std::string& data,
                       const std::string& idempotency_key) {
  std::string body = fmt::format(R"({{"channel":{},{})", json_string(options.channel), data_field(options, data));
  if (!options.tags.empty()) body += fmt::format(R"(,"tags":{})", tags);
  if (!idempotency_key.empty()) body += fmt::format(R"(,"idempotency_key":{})", json_string(idempotency_key));
  if (options.delta) body += R"(,"delta":true)";
  return body + "}";
}

std::string as_text(const std::string& result) {
  const auto value = server::parse_json(result);
  const auto members = value ? server::members_of(*value) : std::nullopt;
  const auto* const offset = members ? server::find(*members, "offset") : nullptr;
  const auto* const epoch = members ? server::find(*members, "epoch") : nullptr;
  if (offset == nullptr || epoch == nullptr) return "published";
  return fmt::format("published at offset {} of epoch {}", offset->text, server::string_of(*epoch).value_or(""));
}

class Publisher {
 public:
  Publisher(const PublishOptions& options, ApiClient& client, std::string tags)
      : options_(options), client_(client), tags_(std::move(tags)) {}

  ExitStatus publish(const std::string& data, const std::string& idempotency_key, bool print) {
    const auto result = client_.call("publish", request_of(options_, tags_, data, idempotency_key));
    if (!result) return result.error();
    if (!print) return ExitStatus::ok;
    return print_line(options_.access.json ? *result : as_text(*result)) ? ExitStatus::ok : ExitStatus::local_io;
  }

  // Each line at once, in their order; the first that is refused ends it, and its number says what has been published.
  ExitStatus publish_lines() {
    std::uint64_t number = 0;
    for (std::string line; std::getline(std::cin, line);) {
      ++number;
      if (line.ends_with('\r')) line.pop_back();
      if (line.empty()) continue;
      // Each line is a message of its own: run again with the same key, what has arrived is not doubled.
      const std::string key =
          options_.idempotency_key.empty() ? "" : fmt::format("{}:{}", options_.idempotency_key, number);
      const ExitStatus status =
          line.size() > longest_line_bytes ? ExitStatus::over_limit : publish(line, key, options_.access.json);
      if (status == ExitStatus::ok) continue;
      complain(fmt::format("line {} was not published, nor what follows it", number));
      return status;
    }
    return std::cin.bad() ? ExitStatus::local_io : ExitStatus::ok;
  }

 private:
  const PublishOptions& options_;
  ApiClient& client_;
  std::string tags_;
};

std::string without_line_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

ExitStatus publish(const PublishOptions& options) {
  const auto tags = tags_of(options.tags);
  if (!tags) {
    complain("a tag is written NAME=VALUE");
    return ExitStatus::usage;
  }
  if (options.access.key_file == "-" && (!options.data_given || options.data == "-")) {
    complain("standard input cannot be the key and the message");
    return ExitStatus::usage;
  }
  auto client = ApiClient::open(options.access);
  if (!client) return client.error();
  Publisher publisher(options, *client, *tags);
  if (options.data_given && options.data == "-") return publisher.publish_lines();
  if (options.data_given) return publisher.publish(options.data, options.idempotency_key, true);
  const auto input = read_small_file("-");
  if (!input) return ExitStatus::local_io;
  return publisher.publish(without_line_end(*input), options.idempotency_key, true);
}

}  // namespace

void add_publish(Program& program) {
  auto options = std::make_shared<PublishOptions>();
  const Verb verb = program.verb(
      "publish", "Publish into a channel of a running server",
      {.paragraphs =
           {"DATA that is JSON is published as it stands, and everything else as a JSON string; --text makes a string "
            "of JSON too, --b64 takes base64 and publishes the bytes. Without DATA all of standard input is one "
            "message; with - each of its lines is one, published as soon as it is there, and empty lines are left out. "
            "The first line that is refused ends it, and its number is named.",
            "The key of the API is read from --key-file, or from FAIRLEAD_HTTP_API_KEY in the environment. With --key "
            "every user of the machine can see it."},
       .examples = {{"fairlead publish news '{\"text\":\"hello\"}' --ca dev --key-file api.key", "one message"},
                    {"tail -F app.log | fairlead publish log - --key-file api.key", "each line as it comes"},
                    {"fairlead publish news hello --tag lang=en --idempotency-key 42 --key-file api.key",
                     "with a tag; repeated within five minutes it is published once"}},
       .exit_statuses = true});
  verb.option("CHANNEL", options->channel, "The channel").required();
  verb.option(
          "DATA",
          [options](const std::string& text) {
            options->data = text;
            options->data_given = true;
            return std::string();
          },
          "The message, or - for a message from each line of standard input")
      .type_name("");
  verb.option("--tag", options->tags, "A tag, which subscribers may filter by; repeatable").type_name("NAME=VALUE");
  verb.option("--idempotency-key", options->idempotency_key,
              "Publish this once only, however often it is asked for; with - the line's number is added")
      .type_name("KEY");
  const Option base64 = verb.flag("--b64", options->base64, "DATA is base64, and its bytes are published");
  verb.flag("--text", options->text, "Publish DATA as a string, also when it is JSON").excludes(base64);
  verb.flag("--delta", options->delta, "Send differences to the subscribers that asked for them");
  add_api_options(verb, options->access);
  program.run(verb, [options] { return publish(*options); });
}

}  // namespace fairlead::cli
