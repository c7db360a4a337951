// SPDX-License-Identifier: Apache-2.0
// `fairlead serve`: the real-time server.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/app.h"
#include "app/development.h"
#include "app/sd_notify.h"
#include "channel_demo.h"
#include "config/check.h"
#include "config/load.h"
#include "configuration.h"
#include "log.h"
#include "program.h"
#include "signals.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

using server::App;
using server::Fault;
using server::Outcome;
using server::Settings;

struct ServeOptions {
  std::string config;
  std::vector<std::string> listen;
  std::vector<std::string> cleartext;
  std::string engine;
  std::string certificate, key;
  std::string web;
  std::string threads;
  std::vector<std::string> set;
  bool quiet = false;
};

// ── Settings ────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string as_list(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ",")); }

std::vector<std::pair<std::string, std::string>> overrides_of(const ServeOptions& options) {
  std::vector<std::pair<std::string, std::string>> overrides;
  if (!options.listen.empty()) overrides.emplace_back("listen.secure", as_list(options.listen));
  if (!options.cleartext.empty()) overrides.emplace_back("listen.insecure_cleartext", as_list(options.cleartext));
  // Who asks for cleartext alone does not get a second listener.
  if (options.listen.empty() && !options.cleartext.empty() && options.config.empty()) {
    overrides.emplace_back("listen.secure", "");
  }
  if (!options.threads.empty()) overrides.emplace_back("listen.threads", options.threads);
  if (!options.certificate.empty()) overrides.emplace_back("listen.certificate_file", options.certificate);
  if (!options.key.empty()) overrides.emplace_back("listen.key_file", options.key);
  if (options.engine == "memory") overrides.emplace_back("engine.type", "memory");
  if (options.engine.starts_with("sqlite:")) {
    overrides.emplace_back("engine.type", "sqlite");
    overrides.emplace_back("engine.path", options.engine.substr(options.engine.find(':') + 1));
  }
  for (const std::string& one : options.set) {
    const std::size_t at = one.find('=');
    overrides.emplace_back(one.substr(0, at), one.substr(at + 1));
  }
  return overrides;
}

// What a configuration makes, and what it has in it that does nothing: a variable whose name is misspelt, say.
struct Configured {
  std::shared_ptr<const Settings> settings;
  std::vector<std::string> notes;
};

// Reads everything anew, for the start and for each SIGHUP. The development configuration stays what it was at first.
class Sources {
 public:
  explicit Sources(const ServeOptions& options) : options_(options) {
    if (options.config.empty()) development_ = server::development_configuration();
  }

  Outcome<Configured> read() const {
    server::config::ConfigSources sources{
        .file = {}, .environment = environment(), .overrides = overrides_of(options_)};
    if (development_) {
      sources.file = {.name = "development", .text = development_->toml, .format = server::config::Format::toml};
    } else {
      auto text = file_text(options_.config);
      if (!text) return std::unexpected(Fault{server::FaultKind::invalid, std::move(text.error())});
      sources.file = {
          .name = options_.config, .text = std::move(*text), .format = server::config::format_of(options_.config)};
    }
    auto loaded = server::config::read(sources);
    if (!loaded) return std::unexpected(Fault{server::FaultKind::invalid, to_string(loaded.error())});
    loaded->settings.development = development_.has_value();
    Configured configured{.settings = std::make_shared<const Settings>(std::move(loaded->settings)), .notes = {}};
    for (const auto& note : loaded->notes) configured.notes.push_back(to_string(note));
    for (const auto& hint : server::config::hints(*configured.settings)) configured.notes.push_back(to_string(hint));
    return configured;
  }

  // As they are in force: one that the environment or an option sets is not new, but known to whoever set it.
  [[nodiscard]] std::string secrets(const Settings& settings) const {
    if (!development_) return {};
    return fmt::format(
        "development: no configuration was given, so these secrets are new, and shown this once\n"
        "  tokens (client.token.hmac_secret_key)  {}\n"
        "  API (http_api.key)                     {}\n"
        "  admin pages (admin.password)           {}\n",
        settings.auth.token.hmac_secret_key, settings.http_api.key, settings.admin.password);
  }

 private:
  ServeOptions options_;
  std::optional<server::DevelopmentConfiguration> development_;
};

// ── Logs ────────────────────────────────────────────────────────────────────────────────────────────────────────────

LogSink log_of(const ServeOptions& options, const Settings& settings) {
  if (options.quiet || settings.log.level == "none") {
    return [](LogLevel, std::string_view) {};
  }
  const std::string& level = settings.log.level;
  const LogLevel least = level == "error"  ? LogLevel::error
                         : level == "warn" ? LogLevel::warning
                         : level == "info" ? LogLevel::info
                                           : LogLevel::debug;
  return log_to_stderr(least, settings.log.format == "json" ? LogFormat::json : LogFormat::text);
}

// The log as it is configured at the time. Copies of its sink follow. Thread-safe.
class CurrentLog {
 public:
  explicit CurrentLog(LogSink first) : state_(std::make_shared<State>()) { replace(std::move(first)); }
  void replace(LogSink sink) {
    auto next = std::make_shared<const LogSink>(std::move(sink));
    const std::scoped_lock lock(state_->mutex);
    next.swap(state_->sink);
  }
  [[nodiscard]] LogSink sink() const {
    return [state = state_](LogLevel level, std::string_view line) { (*state->current())(level, line); };
  }

 private:
  struct State {
    std::mutex mutex;
    std::shared_ptr<const LogSink> sink;
    std::shared_ptr<const LogSink> current() {
      const std::scoped_lock lock(mutex);
      return sink;
    }
  };
  std::shared_ptr<State> state_;
};

void say_notes(const LogSink& log, const std::vector<std::string>& notes) {
  for (const std::string& note : notes) log(LogLevel::warning, note);
}

// ── Life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

// The server while it runs, and what belongs to it.
struct Running {
  App& app;
  const ServeOptions& options;
  const Sources& sources;
  CurrentLog& log;
  std::chrono::milliseconds drain;
};

Outcome<void> reloaded(Running& running) {
  auto configured = running.sources.read();
  if (!configured) return std::unexpected(configured.error());
  if (auto taken = running.app.reload(configured->settings); !taken) return taken;
  running.log.replace(log_of(running.options, *configured->settings));
  running.drain = configured->settings->drain;
  say_notes(running.log.sink(), configured->notes);
  return {};
}

void reload(Running& running) {
  server::notify_reloading();
  const Outcome<void> done = reloaded(running);
  const LogSink log = running.log.sink();
  done ? log(LogLevel::info, "reloaded") : log(LogLevel::error, "not reloaded: " + done.error().sentence);
  server::notify_service_manager("READY=1");
}

void drain(App& app, std::chrono::milliseconds window, const LogSink& log) {
  const server::AppDrained drained = app.drain(window);
  log(LogLevel::info,
      fmt::format("drained {} clients; {} connections were left: {} closed clean, {} cut", drained.clients,
                  drained.connections.connections, drained.connections.closed_clean, drained.connections.cut));
}

// Until a drain has ended, which a second signal cuts short.
void answer_signals(Running& running, Signals& signals) {
  const LogSink log = running.log.sink();
  std::thread drainer;
  while (const std::optional<int> signal = signals.wait()) {
    if (*signal == SIGHUP) {
      reload(running);
    } else if (drainer.joinable()) {
      running.app.stop();
      break;
    } else {
      server::notify_service_manager("STOPPING=1");
      log(LogLevel::info, "draining; a second signal stops at once");
      drainer = std::thread([&, window = running.drain] {
        drain(running.app, window, log);
        signals.wake();
      });
    }
  }
  if (drainer.joinable()) drainer.join();
}

// Beside an installed program: PREFIX/bin/fairlead and PREFIX/share/fairlead/web.
std::string installed_web() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto web = program.parent_path().parent_path() / "share" / "fairlead" / "web";
  return !error && std::filesystem::exists(web / "index.html", error) ? web.string() : std::string();
}

// Who develops also sees what the library's channel is like. A configured server has nothing that was not asked for.
std::function<void(Server&)> channel_demo_for(const Settings& settings) {
  if (!settings.development) return {};
  return [own = settings.listen.certificate_file.empty()](Server& server) { add_channel_demo(server, own); };
}

ExitStatus failed(const Fault& fault) {
  complain(fault.sentence);
  return fault.kind == server::FaultKind::invalid ? ExitStatus::usage : ExitStatus::local_io;
}

ExitStatus serve(const ServeOptions& options) {
  Signals signals{SIGINT, SIGTERM, SIGHUP};
  const Sources sources(options);
  // A limit on the size of files is an answer to whoever writes, not the end of the process.
  std::signal(SIGXFSZ, SIG_IGN);
  const auto configured = sources.read();
  if (!configured) return failed(configured.error());
  const Settings& settings = *configured->settings;
  CurrentLog log(log_of(options, settings));
  say_notes(log.sink(), configured->notes);
  auto app = App::start({.settings = configured->settings,
                         .web = options.web.empty() ? installed_web() : options.web,
                         .log = log.sink(),
                         .more_routes = channel_demo_for(settings),
                         .inherit_sockets = true});
  if (!app) return failed(app.error());
  std::string text = sources.secrets(settings);
  for (const std::string& url : (*app)->urls()) text += fmt::format("listening on {}\n", url);
  if (!print_text(text)) return ExitStatus::local_io;
  server::notify_service_manager("READY=1");
  Running running{.app = **app, .options = options, .sources = sources, .log = log, .drain = settings.drain};
  answer_signals(running, signals);
  return ExitStatus::ok;
}

}  // namespace

void add_serve(Program& program) {
  auto options = std::make_shared<ServeOptions>();
  const Verb verb = program.verb(
      "serve", "Run the real-time server",
      {.paragraphs =
           {"Clients speak the Centrifuge client protocol, over WebSocket at /connection/websocket and over the other "
            "transports that are enabled; backends use the HTTP API at /api. docs/configuration.md lists every key of "
            "the configuration; `fairlead config check FILE` says what is wrong with one.",
            "Without --config it is a server to develop with: the development certificate, everything in memory, "
            "permissive channels, secrets that are made anew and printed once.",
            "SIGHUP reads the configuration and the certificates again. SIGINT and SIGTERM tell every client to come "
            "back later, spread over shutdown.timeout, and then end; a second one ends at once."},
       .examples = {{"fairlead serve", "to develop with, on https://localhost:8443/"},
                    {"fairlead serve --config fairlead.toml", "as configured"},
                    {"fairlead serve --engine sqlite:fairlead.db", "history survives a restart"}},
       .exit_statuses = true});
  verb.option("-c,--config", options->config, "The configuration: TOML, or JSON by the file's name").type_name("FILE");
  verb.option("-l,--listen", options->listen, "Where to listen with TLS; port 0 picks a free one; repeatable")
      .type_name("HOST:PORT");
  verb.option("--insecure-cleartext-listen", options->cleartext,
              "Where to listen without TLS, behind a proxy that has it and for tests: whoever is on the way reads "
              "and changes everything; repeatable")
      .type_name("HOST:PORT");
  verb.option("--threads", options->threads, "Loops to run; 0 is one for each core").type_name("N");
  verb.option("--engine", options->engine, "memory, or sqlite:PATH")
      .type_name("ENGINE")
      .check([](const std::string& text) {
        const bool known = text == "memory" || (text.starts_with("sqlite:") && text.size() > 7);
        return known ? std::string() : "there is memory and sqlite:PATH";
      });
  const Option certificate = verb.option("--cert", options->certificate, "Certificate chain, PEM");
  const Option key = verb.option("--key", options->key, "Private key of --cert, PEM");
  certificate.type_name("FILE").group("TLS").needs(key);
  key.type_name("FILE").group("TLS").needs(certificate);
  verb.option("--set", options->set, "Any key of the configuration; repeatable")
      .type_name("KEY=VALUE")
      .check([](const std::string& text) {
        return text.find('=') == std::string::npos ? "must be KEY=VALUE" : std::string();
      });
  verb.option("--web", options->web, "Serve the files of this folder as pages").type_name("DIR");
  verb.flag("-q,--quiet", options->quiet, "Log nothing");
  program.run(verb, [options] { return serve(*options); });
}

}  // namespace fairlead::cli
