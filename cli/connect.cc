// SPDX-License-Identifier: Apache-2.0
// `fairlead connect`: a WebSocket for people and for pipes.
#include <fairlead/client.h>
#include <fairlead/url.h>
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "connect_options.h"
#include "conversation.h"
#include "interruption.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

constexpr std::size_t read_bytes = std::size_t{64} * 1024;  // as much as a pipe holds

// Everything that outlives a single connection.
struct Run {
  explicit Run(const ConnectOptions& wanted)
      : options(wanted),
        input(STDIN_FILENO, splitter_for(wanted), read_bytes),
        output(STDOUT_FILENO, wanted.binary, ::isatty(STDOUT_FILENO) != 0 && !wanted.binary,
               wants_colour(STDOUT_FILENO) && !wanted.binary) {}

  const ConnectOptions& options;
  Interruption interruption;  // blocks the signals before the input's thread starts
  Input input;
  Output output;
  Traffic traffic;
  std::optional<Ending> ending;        // of the last connection
  std::optional<ConnectError> failed;  // why the last attempt did not open
};

void remark(std::string_view text) {
  (void)write_all(STDERR_FILENO, styled(text, Style::dim, wants_colour(STDERR_FILENO)) + "\n");
}

bool talkative(const ConnectOptions& options) { return options.verbose || ::isatty(STDIN_FILENO) != 0; }

std::string agreed(const Connection& ws) {
  const TlsInfo tls = ws.tls();
  std::string text =
      tls.version.empty() ? "connected without TLS" : fmt::format("connected: {} {}", tls.version, tls.cipher);
  if (!tls.group.empty()) text += " " + tls.group;
  if (tls.resumed) text += ", resumed";
  if (!ws.subprotocol().empty()) text += fmt::format(", subprotocol {}", ws.subprotocol());
  if (!ws.extensions().empty()) text += fmt::format(", {}", ws.extensions());
  return harmless(text);
}

std::string text_of(const CloseInfo& close) {
  std::string text = describe(close.code);
  if (!close.reason.empty()) text += fmt::format(" ({})", harmless(close.reason));
  return text;
}

Task<> converse(Run& run, Connection& ws) {
  run.interruption.attach(ws.handle());
  if (talkative(run.options)) remark(agreed(ws));
  Conversation conversation(ws, run.input, run.output, run.traffic, run.options);
  run.ending = co_await conversation.talk();
  run.failed.reset();
}

Task<> connect_once(Run& run, ClientOptions client) {
  auto ws = co_await connect(run.options.url, std::move(client), run.interruption.token());
  if (!ws) {
    run.failed = std::move(ws.error());
    co_return;
  }
  co_await converse(run, *ws);
}

// One session of a connection that is opened again and again: true to go on.
Task<bool> converse_again(Run& run, Connection& ws) {
  co_await converse(run, ws);
  const bool said_all = run.input.ended() && !run.options.exit_on_close;
  const bool done = said_all || run.interruption.happened() || run.ending->local_error.has_value();
  if (!done) remark(fmt::format("closed: {}; connecting again", text_of(run.ending->close)));
  co_return !done;
}

Task<> connect_again(Run& run, ClientOptions client) {
  ReconnectOptions reconnect;
  reconnect.attempts = run.options.attempts;
  auto session = [&run](Connection& ws) { return converse_again(run, ws); };
  auto ended =
      co_await connect_persistently(run.options.url, session, std::move(client), reconnect, run.interruption.token());
  // What ended is told by the last connection, unless the last attempt did not open one.
  if (!ended && ended.error().code != Errc::closed) run.failed = std::move(ended.error());
}

// ── How it ended ────────────────────────────────────────────────────────────────────────────────────────────────────

ExitStatus tell_failure(const ConnectError& error) {
  std::string line = fmt::format("cannot connect: {}", harmless(to_string(error)));
  if (error.status != 0) line += fmt::format(" (HTTP {} {})", error.status, reason_phrase(error.status));
  if (!error.location.empty()) line += fmt::format(", see {}", harmless(error.location));
  complain(line);
  if (const std::string hint = advice(error, error.status); !hint.empty()) complain(hint);
  return status_of(error.code);
}

ExitStatus tell_error(const Error& error, ExitStatus status) {
  complain(harmless(to_string(error)));
  if (const std::string hint = advice(error); !hint.empty()) complain(hint);
  return status;
}

ExitStatus tell_ending(const Ending& ending, const ConnectOptions& options) {
  if (ending.local_error) {
    complain(harmless(to_string(*ending.local_error)));
    if (ending.local_error->code == Errc::invalid_utf8) complain("Input that is not text goes with --binary.");
    return ExitStatus::local_io;
  }
  // Many servers leave without TLS's goodbye once both close frames have crossed: nothing can be missing then.
  if (ending.error && !ending.close.clean) return tell_error(*ending.error, status_of(ending.error->code));
  const ExitStatus status = status_of(ending.close);
  if (status == ExitStatus::abnormal) return tell_error({Errc::unexpected_eof, "no close handshake (1006)"}, status);
  if (status != ExitStatus::ok) complain(fmt::format("the server closed with {}", text_of(ending.close)));
  if (status == ExitStatus::ok && talkative(options)) remark(fmt::format("closed: {}", text_of(ending.close)));
  return status;
}

void tell_traffic(const Traffic& traffic) {
  const double rtt = std::chrono::duration<double, std::milli>(traffic.round_trip_time).count();
  (void)write_all(
      STDERR_FILENO,
      fmt::format("stats connections={} messages_out={} bytes_out={} messages_in={} bytes_in={} rtt_ms={:.3f}\n",
                  traffic.connections, traffic.messages_out, traffic.bytes_out, traffic.messages_in, traffic.bytes_in,
                  rtt));
}

ExitStatus tell(const Run& run) {
  if (run.options.stats) tell_traffic(run.traffic);
  if (run.interruption.happened() && !run.ending) return ExitStatus::interrupted;
  if (run.failed) return tell_failure(*run.failed);
  return run.ending ? tell_ending(*run.ending, run.options) : ExitStatus::failed;
}

ExitStatus connect_verb(const ConnectOptions& options) {
  const Result<Url> url = parse_url(options.url);
  if (!url) return tell_error(url.error(), status_of(url.error().code));
  const Result<ClientOptions> client = client_options(options);
  if (!client) return tell_error(client.error(), status_of(client.error().code));
  if (options.insecure)
    complain("--insecure: the server may be anybody, and everything can be read and changed on its way");
  Run run(options);
  fairlead::run(
      [&]() -> Task<> { return options.reconnect ? connect_again(run, *client) : connect_once(run, *client); });
  return tell(run);
}

}  // namespace

void add_connect(Program& program) {
  auto options = std::make_shared<ConnectOptions>();
  const Verb verb = program.verb(
      "connect", "Talk to a WebSocket server, from a terminal or in a pipe",
      {.paragraphs =
           {"Each line of the input is sent as a text message, each text message is printed as a line, and a binary "
            "one as "
            "a line of hexadecimal digits. With --binary the input's bytes are sent as binary messages, and the bytes "
            "of "
            "incoming messages are written as they are. Input of any length passes through little memory: it is read "
            "no "
            "faster than the server takes it, and nothing more is received while the output's reader is slow.",
            "When the input ends, answers may still be on their way: the connection is closed (1000) once --linger "
            "seconds have passed since the last byte was sent and since the last piece of an answer came, at once with "
            "--no-wait, and never with --exit-on-close. As long as answers keep coming it goes on, whatever their "
            "size, and however slowly the output is read. A server that thinks for longer before it answers needs a "
            "longer --linger. When the server closes, the program ends. SIGINT and SIGTERM close cleanly; a second one "
            "ends at once.",
            "The certificate is checked against the system's trust store, or against --ca alone. The development CA of "
            "`fairlead cert dev` is never trusted unless `--ca dev` says so. On a terminal, control characters of a "
            "message "
            "are shown, not obeyed."},
       .examples = {{"fairlead connect wss://localhost:8443/ --ca dev", "talk to `fairlead echo`"},
                    {"echo hello | fairlead connect wss://example.org/chat", "send one message, print the answers"},
                    {"fairlead connect wss://example.org/feed --exit-on-close </dev/null",
                     "print what comes, until it closes"},
                    {"fairlead connect wss://example.org/x --binary <file >answer", "bytes instead of lines"},
                    {"fairlead connect wss://example.org/ -H 'Authorization: Bearer TOKEN' --ping 5",
                     "with a header; watch "
                     "the round trip"}},
       .exit_statuses = true});
  add_connect_options(verb, *options);
  program.run(verb, [options] { return connect_verb(*options); });
}

}  // namespace fairlead::cli
