// SPDX-License-Identifier: Apache-2.0
// `fairlead subscribe`: what is published into channels of a running server, as lines.
#include <fairlead/client.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "configuration.h"
#include "connect_options.h"
#include "interruption.h"
#include "json.h"
#include "server_access.h"
#include "subscriber.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

constexpr const char* token_variable = "FAIRLEAD_TOKEN";
constexpr std::size_t longest_frame_bytes = std::size_t{64} * 1024 * 1024;  // a recovery of large publications

struct SubscribeOptions {
  ServerAccess access;
  SubscriberOptions subscriber;
  std::string recover;
  std::string token, token_file;
  std::uint64_t count = 0;
  bool no_reconnect = false;
  bool verbose = false;
};

std::string websocket_url(const ServerAccess& access) {
  std::string url = base_url(access);
  if (url.starts_with("ws")) return url;  // the whole address of the endpoint
  return "ws" + url.substr(4) + "/connection/websocket";
}

// Read for each connection: a program beside us may have put a fresh one into the file.
std::optional<std::string> token_of(const SubscribeOptions& options) {
  if (!options.token.empty()) return options.token;
  if (options.token_file.empty()) {
    const char* const variable = std::getenv(token_variable);  // NOLINT(concurrency-mt-unsafe): nobody sets variables
    return variable != nullptr ? variable : "";
  }
  auto text = read_small_file(options.token_file);
  while (text && (text->ends_with('\n') || text->ends_with('\r'))) text->pop_back();
  return text;
}

// ── Printing ────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string line_of(const SubscribeOptions& options, const std::string& channel, std::string_view publication) {
  if (options.access.json) return fmt::format(R"({{"channel":{},"pub":{}}})", json_string(channel), publication);
  const auto value = server::parse_json(publication);
  const auto members = value ? server::members_of(*value) : std::nullopt;
  const auto* const data = members ? server::find(*members, "data") : nullptr;
  const std::string text(data != nullptr ? data->text : std::string_view());
  return options.subscriber.channels.size() == 1 ? text : fmt::format("{} {}", channel, text);
}

class Printer {
 public:
  explicit Printer(const SubscribeOptions& options) : options_(options) {}

  // False: it was the last one that is wanted, or the output cannot be written any more.
  bool print(const std::string& channel, std::string_view publication) {
    broken_ = !print_line(line_of(options_, channel, publication));
    ++printed_;
    return !broken_ && (options_.count == 0 || printed_ < options_.count);
  }
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  const SubscribeOptions& options_;
  std::uint64_t printed_ = 0;
  bool broken_ = false;
};

void remark(const std::string& sentence) {
  (void)write_all(STDERR_FILENO, styled(harmless(sentence), Style::dim, wants_colour(STDERR_FILENO)) + "\n");
}

// ── Running ─────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Subscribing {
  explicit Subscribing(const SubscribeOptions& wanted)
      : options(wanted),
        printer(wanted),
        subscriber(wanted.subscriber,
                   {.publication = [this](const std::string& channel,
                                          std::string_view it) { return printer.print(channel, it); },
                    .remark =
                        [this](const std::string& sentence) {
                          if (options.verbose || !sentence.starts_with("subscribed to")) {
                            remark(sentence);
                          }
                        }}) {}

  const SubscribeOptions& options;
  Interruption interruption;
  Printer printer;
  Subscriber subscriber;
  bool connected = false;             // at least once
  bool ended = false;                 // the subscriber has said so
  std::optional<CloseInfo> close;     // of the last connection
  std::optional<ConnectError> error;  // of the last attempt
};

// Until the connection is over: true when the subscriber wants another one.
Task<bool> follow(Subscribing& run, Connection& ws) {
  while (true) {
    const CallOptions patience =
        run.subscriber.patience() == Duration::max() ? CallOptions() : run.subscriber.patience();
    const Result<Message> message = co_await ws.receive(patience);
    if (!message && message.error().code == Errc::timed_out) remark("the server has gone silent");
    if (!message) co_return true;
    std::string answer;
    const Subscriber::Next next = run.subscriber.receive(message->payload, answer);
    if (next != Subscriber::Next::go_on) co_return next == Subscriber::Next::again;
    if (!answer.empty()) co_await ws.send(answer);
  }
}

Task<bool> session(Subscribing& run, Connection& ws) {
  run.interruption.attach(ws.handle());
  run.connected = true;
  const auto token = token_of(run.options);
  if (!token) {
    run.ended = true;
    co_return false;
  }
  co_await ws.send(run.subscriber.opening(*token));
  run.ended = !co_await follow(run, ws);
  (void)ws.close();
  run.close = co_await ws.closed();
  if (run.interruption.happened() || run.ended) co_return false;
  if (run.options.no_reconnect || !comes_back_after(run.close->code)) co_return false;
  remark(fmt::format("closed: {}; connecting again", describe(run.close->code)));
  co_return true;
}

// The first connection must come about; after that a server may be away for a while.
bool worth_another_attempt(const Subscribing& run, const ConnectError& error) {
  if (!run.connected || run.options.no_reconnect || run.interruption.happened()) return false;
  switch (status_of(error.code)) {
    case ExitStatus::certificate:
    case ExitStatus::host_mismatch:
    case ExitStatus::bad_url:
      return false;
    default:
      return error.status < 400 || error.status >= 500 || error.status == 408 || error.status == 429;
  }
}

ClientOptions client_of(const ServerAccess& access, PemSource ca) {
  ClientOptions client;
  client.tls.ca = std::move(ca);
  client.limits.message_bytes = client.limits.frame_bytes = longest_frame_bytes;
  client.limits.messages_per_second = unlimited;
  client.dangerously_allow_cleartext = access.cleartext;
  return client;
}

Task<> keep_subscribed(Subscribing& run, ClientOptions client) {
  ReconnectOptions reconnect;
  reconnect.should_retry = [&run](const ConnectError* error, const CloseInfo*) {
    return error == nullptr || worth_another_attempt(run, *error);
  };
  auto body = [&run](Connection& ws) { return session(run, ws); };
  auto over = co_await connect_persistently(websocket_url(run.options.access), body, std::move(client), reconnect,
                                            run.interruption.token());
  if (!over) run.error = std::move(over.error());
}

// ── How it ended ────────────────────────────────────────────────────────────────────────────────────────────────────

ExitStatus tell_failure(const ConnectError& error) {
  complain(fmt::format("cannot connect: {}{}", harmless(to_string(error)),
                       error.status != 0 ? fmt::format(" (HTTP {})", error.status) : ""));
  if (const std::string hint = advice(error, error.status); !hint.empty()) complain(hint);
  return status_of(error.code);
}

ExitStatus tell(const Subscribing& run) {
  if (run.interruption.happened()) return run.connected ? ExitStatus::ok : ExitStatus::interrupted;
  if (run.printer.broken()) {
    complain("the output cannot be written");
    return ExitStatus::local_io;
  }
  if (run.error) return tell_failure(*run.error);
  if (run.ended && run.subscriber.status() == ExitStatus::ok && run.options.count != 0) return ExitStatus::ok;
  if (run.ended && !run.subscriber.complaint().empty()) {
    complain(harmless(run.subscriber.complaint()));
    return run.subscriber.status();
  }
  if (!run.close) return ExitStatus::local_io;  // the token's file; it has been complained about
  complain(fmt::format("the server closed with {} {}", describe(run.close->code), harmless(run.close->reason)));
  const ExitStatus status = status_of(*run.close);
  return status == ExitStatus::ok ? ExitStatus::closed : status;
}

ExitStatus subscribe(SubscribeOptions& options) {
  if (!options.recover.empty()) {
    options.subscriber.recover = parse_position(options.recover);
    if (!options.subscriber.recover || options.subscriber.channels.size() != 1) {
      complain("--recover wants OFFSET,EPOCH, and one channel");
      return ExitStatus::usage;
    }
  }
  if (!usable_url(options.access)) return ExitStatus::bad_url;
  const Result<PemSource> ca = ca_named(options.access.ca);
  if (!ca) {
    complain(to_string(ca.error()));
    return status_of(ca.error().code);
  }
  if (!token_of(options)) return ExitStatus::local_io;
  Subscribing run(options);
  const ClientOptions client = client_of(options.access, *ca);
  fairlead::run([&]() -> Task<> { return keep_subscribed(run, client); });
  return tell(run);
}

void add_subscribe_options(Verb verb, SubscribeOptions& options) {
  verb.option("CHANNEL", options.subscriber.channels, "The channels").required();
  const Option file = verb.option("--token-file", options.token_file,
                                  "The token that says who we are is in this file, which is read for each connection");
  const Option token = verb.option("--token", options.token, "The token; every user of the machine can see it there");
  file.type_name("FILE");
  token.type_name("TOKEN").excludes(file);
  const Option recover =
      verb.option("--recover", options.recover, "First what came after this position of the channel");
  recover.type_name("OFFSET,EPOCH");
  verb.option("--history", options.subscriber.history, "First so many of the newest publications")
      .type_name("N")
      .range(1, 1'000'000)
      .excludes(recover);
  verb.option("-n,--count", options.count, "End after so many publications").type_name("N");
  verb.flag("--no-reconnect", options.no_reconnect, "End when the connection does");
  verb.flag("-v,--verbose", options.verbose, "Say on stderr when a subscription has been made");
  add_server_options(verb, options.access);
}

}  // namespace

void add_subscribe(Program& program) {
  auto options = std::make_shared<SubscribeOptions>();
  const Verb verb = program.verb(
      "subscribe", "Print what is published into channels of a running server",
      {.paragraphs =
           {"A client of the server like any other, over WebSocket. Each publication is one line: its data, after the "
            "channel's name when there are several, or with --json all that came with it. When the connection breaks "
            "it is opened again, and what was missed in the meantime is recovered if the channel keeps a history; what "
            "cannot be is told on standard error. SIGINT ends it with status 0.",
            "The token is read from --token-file, or from FAIRLEAD_TOKEN in the environment; without one the server "
            "decides whether a stranger may connect. With --token every user of the machine can see it. `fairlead "
            "token create` makes one."},
       .examples = {{"fairlead subscribe news --ca dev", "of a server to develop with"},
                    {"fairlead subscribe news --history 10 --token-file token.txt", "the newest ten, and what follows"},
                    {"fairlead subscribe news alerts --json | jq .pub.data", "of two channels, for a program"},
                    {"fairlead subscribe news --recover 42,bXyz", "from a position on that `fairlead history` named"}},
       .exit_statuses = true});
  add_subscribe_options(verb, *options);
  program.run(verb, [options] { return subscribe(*options); });
}

}  // namespace fairlead::cli
