// SPDX-License-Identifier: Apache-2.0
#include "serving.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>

#include "log.h"
#include "signals.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

std::string where_of(const ServingOptions& options) {
  return options.unix_path.empty() ? options.listen : "unix:" + options.unix_path;
}

Result<Listening> listen(Server& server, const ServingOptions& options) {
  if (options.cleartext) return server.dangerously_listen_without_tls(where_of(options));
  return server.listen(where_of(options));
}

ExitStatus cannot_serve(const ServingOptions& options, const Error& error) {
  const bool tls = error.code == Errc::tls_configuration;
  complain(fmt::format("cannot listen on {}: {}", where_of(options), to_string(error)));
  if (error.detail.starts_with("cleartext")) {
    complain(
        "--cleartext listens on localhost, 127.0.0.1, [::1] or a UNIX socket; put a proxy that speaks TLS in front.");
  }
  if (tls) complain("Check the files given as --cert, --key, --ocsp and --client-ca: `fairlead cert show FILE`.");
  return tls ? ExitStatus::tls : error.code == Errc::invalid_argument ? ExitStatus::usage : ExitStatus::local_io;
}

void report(const LogSink& log, const DrainReport& drained) {
  log(LogLevel::info, fmt::format("drained {} connections: {} closed clean, {} cut", drained.connections,
                                  drained.closed_clean, drained.cut));
}

void reload(Server& server, const LogSink& log) {
  const Result<void> reloaded = server.reload_certificates();
  if (reloaded) {
    log(LogLevel::info, "certificates reloaded");
  } else {
    log(LogLevel::error, fmt::format("the old certificates stay: {}", to_string(reloaded.error())));
  }
}

// Until the server has ended: by a drain, which a second signal cuts short.
void answer_signals(Server& server, Signals& signals, Duration window, const LogSink& log) {
  std::thread drainer;
  while (const std::optional<int> signal = signals.wait()) {
    if (*signal == SIGHUP) {
      reload(server, log);
    } else if (drainer.joinable()) {
      server.stop();
    } else {
      log(LogLevel::info, "draining; a second signal stops at once");
      drainer = std::thread([&] {
        report(log, server.drain(window));
        signals.wake();
      });
    }
  }
  if (drainer.joinable()) drainer.join();
  server.stop();
}

void print_stats(const ServerStats& stats) {
  const auto failures = [&] {
    std::string text;
    for (std::size_t i = 0; i < stats.failures.size(); ++i) {
      if (stats.failures.at(i) != 0) text += fmt::format(" {}={}", name(static_cast<Errc>(i)), stats.failures.at(i));
    }
    return text;
  }();
  (void)write_all(
      STDERR_FILENO,
      fmt::format("stats accepted={} refused={} tls={} resumed={} tls_failed={} requests={} upgrades={} "
                  "upgrades_refused={} messages_in={} messages_out={} messages_dropped={} bytes_in={} bytes_out={}{}\n",
                  stats.accepted, stats.refused_at_accept, stats.tls_handshakes, stats.tls_resumed, stats.tls_failed,
                  stats.http_requests, stats.upgrades, stats.upgrades_refused, stats.messages_in, stats.messages_out,
                  stats.messages_dropped, stats.bytes_in, stats.bytes_out, failures));
}

void add_system_calls(Verb verb, SystemCalls& calls) {
  verb.choice("--system-calls", calls, {{"automatic", SystemCalls::automatic}, {"one-by-one", SystemCalls::one_by_one}},
              "Read and write the sockets that are ready together by io_uring, where it is allowed, or each by itself")
      .type_name("automatic|one-by-one")
      .default_str("automatic");
}

}  // namespace

void add_serving_options(Verb verb, ServingOptions& options) {
  const Option listen =
      verb.option("-l,--listen", options.listen, "Where to listen; port 0 picks a free one, ':8443' is every address")
          .type_name("HOST:PORT")
          .default_str(options.listen);
  const Option unix_path =
      verb.option("--unix", options.unix_path, "Listen on a UNIX socket instead").type_name("PATH");
  unix_path.excludes(listen);
  const Option certificate = verb.option("--cert", options.certificate,
                                         "Certificate chain, PEM; without it the development certificate is used");
  const Option key = verb.option("--key", options.key, "Private key of --cert, PEM");
  certificate.type_name("FILE").group("TLS").needs(key);
  key.type_name("FILE").group("TLS").needs(certificate);
  verb.option("--ocsp", options.ocsp,
              "OCSP response for --cert, DER, to staple; --cert holds the issuer too. Read again when it changes")
      .type_name("FILE")
      .group("TLS")
      .needs(certificate);
  verb.option("--key-log", options.key_log, "Write TLS secrets for Wireshark: whoever has this file reads everything")
      .type_name("FILE")
      .group("TLS");
  add_record_layer(verb, options.record_layer).group("TLS");
  verb.option("--threads", options.threads, "Loops to run; 0 is one for each core")
      .type_name("N")
      .default_str("0")
      .range(0U, 1024U);
  add_system_calls(verb, options.system_calls);
  add_seconds(verb, "--drain", options.drain_seconds, "After SIGTERM or SIGINT, spread the closes over this time");
  verb.flag("-q,--quiet", options.quiet, "Log nothing");
  verb.flag("-v,--verbose", options.verbose, "Log each WebSocket when it opens and when it ends");
  verb.flag("--stats", options.stats, "Print counters on stderr at the end");
}

Tls tls_of(const ServingOptions& options) {
  Tls tls = options.certificate.empty() ? Tls::development() : Tls::files(options.certificate, options.key);
  if (!options.ocsp.empty()) tls.identities.front().ocsp_file = options.ocsp;
  tls.key_log_file = options.key_log;
  tls.record_layer = options.record_layer;
  return tls;
}

LogSink log_of(const ServingOptions& options) {
  if (options.quiet) {
    return [](LogLevel, std::string_view) {};
  }
  return log_to_stderr(log_from(options));
}

LogLevel log_from(const ServingOptions& options) { return options.verbose ? LogLevel::debug : LogLevel::info; }

std::string url_of(const ServingOptions& options, const Listening& listening, std::string_view scheme) {
  if (!options.unix_path.empty()) return "unix:" + options.unix_path;
  std::string host = options.listen.substr(0, options.listen.rfind(':'));
  if (host.empty()) host = "localhost";  // every address, this one among them
  return fmt::format("{}://{}:{}/", scheme, host, listening.port);
}

ExitStatus serve(Server& server, const ServingOptions& options, std::string_view scheme,
                 const std::function<std::string(const std::string& url)>& announce) {
  Signals signals{SIGINT, SIGTERM, SIGHUP};
  const LogSink log = log_of(options);
  const Result<Listening> listening = listen(server, options);
  if (!listening) return cannot_serve(options, listening.error());
  if (const Result<void> started = server.start(); !started) return cannot_serve(options, started.error());
  const std::string url = url_of(options, *listening, scheme);
  const std::string text = fmt::format("listening on {}\n{}", url, announce ? announce(url) : "");
  if (!print_text(text)) return ExitStatus::local_io;
  answer_signals(server, signals, milliseconds(options.drain_seconds), log);
  if (options.stats) print_stats(server.stats());
  return ExitStatus::ok;
}

}  // namespace fairlead::cli
