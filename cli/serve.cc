// SPDX-License-Identifier: Apache-2.0
// `fairlead serve`: the real-time server.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/app.h"
#include "app/development.h"
#include "app/sd_notify.h"
#include "channel_demo.h"
#include "config/load.h"
#include "log.h"
#include "program.h"
#include "signals.h"
#include "terminal.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it out of its headers

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

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t at = text.find('=');
    if (at != std::string_view::npos) variables.emplace(text.substr(0, at), text.substr(at + 1));
  }
  return variables;
}

std::optional<std::string> file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Reads everything anew, for the start and for each SIGHUP. The development configuration stays what it was at first.
class Sources {
 public:
  explicit Sources(const ServeOptions& options) : options_(options) {
    if (options.config.empty()) development_ = server::development_configuration();
  }

  Outcome<std::shared_ptr<const Settings>> read() const {
    server::config::ConfigSources sources{
        .file = {}, .environment = environment(), .overrides = overrides_of(options_)};
    if (development_) {
      sources.file = {.name = "development", .text = development_->toml, .format = server::config::Format::toml};
    } else {
      std::optional<std::string> text = file_text(options_.config);
      if (!text) {
        return std::unexpected(Fault{server::FaultKind::invalid, fmt::format("cannot read {}", options_.config)});
      }
      sources.file = {
          .name = options_.config, .text = std::move(*text), .format = server::config::format_of(options_.config)};
    }
    Outcome<Settings> settings = server::config::load(sources);
    if (!settings) return std::unexpected(settings.error());
    settings->development = development_.has_value();
    return std::make_shared<const Settings>(std::move(*settings));
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

// ── Life ────────────────────────────────────────────────────────────────────────────────────────────────────────────

void reload(App& app, const Sources& sources, const LogSink& log) {
  server::notify_reloading();
  const auto settings = sources.read();
  const Outcome<void> reloaded = settings ? app.reload(*settings) : std::unexpected(settings.error());
  if (reloaded) {
    log(LogLevel::info, "reloaded");
  } else {
    log(LogLevel::error, "not reloaded: " + reloaded.error().sentence);
  }
  server::notify_service_manager("READY=1");
}

void drain(App& app, std::chrono::milliseconds window, const LogSink& log) {
  const server::AppDrained drained = app.drain(window);
  log(LogLevel::info,
      fmt::format("drained {} clients; {} connections were left: {} closed clean, {} cut", drained.clients,
                  drained.connections.connections, drained.connections.closed_clean, drained.connections.cut));
}

// Until a drain has ended, which a second signal cuts short.
void answer_signals(App& app, Signals& signals, const Sources& sources, std::chrono::milliseconds window,
                    const LogSink& log) {
  std::thread drainer;
  while (const std::optional<int> signal = signals.wait()) {
    if (*signal == SIGHUP) {
      reload(app, sources, log);
    } else if (drainer.joinable()) {
      app.stop();
      break;
    } else {
      server::notify_service_manager("STOPPING=1");
      log(LogLevel::info, "draining; a second signal stops at once");
      drainer = std::thread([&] {
        drain(app, window, log);
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
  const auto settings = sources.read();
  if (!settings) return failed(settings.error());
  const LogSink log = log_of(options, **settings);
  auto app = App::start({.settings = *settings,
                         .web = options.web.empty() ? installed_web() : options.web,
                         .log = log,
                         .more_routes = channel_demo_for(**settings),
                         .inherit_sockets = true});
  if (!app) return failed(app.error());
  std::string text = sources.secrets(**settings);
  for (const std::string& url : (*app)->urls()) text += fmt::format("listening on {}\n", url);
  if (!print_text(text)) return ExitStatus::local_io;
  server::notify_service_manager("READY=1");
  answer_signals(**app, signals, sources, (*settings)->drain, log);
  return ExitStatus::ok;
}

}  // namespace

void add_serve(Program& program) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App& verb = program.verb(
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
  verb.add_option("-c,--config", options->config, "The configuration: TOML, or JSON by the file's name")
      ->type_name("FILE");
  verb.add_option("-l,--listen", options->listen, "Where to listen with TLS; port 0 picks a free one; repeatable")
      ->type_name("HOST:PORT");
  verb.add_option("--insecure-cleartext-listen", options->cleartext,
                  "Where to listen without TLS, behind a proxy that has it and for tests: whoever is on the way reads "
                  "and changes everything; repeatable")
      ->type_name("HOST:PORT");
  verb.add_option("--threads", options->threads, "Loops to run; 0 is one for each core")->type_name("N");
  verb.add_option("--engine", options->engine, "memory, or sqlite:PATH")
      ->type_name("ENGINE")
      ->check([](const std::string& text) {
        const bool known = text == "memory" || (text.starts_with("sqlite:") && text.size() > 7);
        return known ? std::string() : "there is memory and sqlite:PATH";
      });
  auto* certificate = verb.add_option("--cert", options->certificate, "Certificate chain, PEM");
  auto* key = verb.add_option("--key", options->key, "Private key of --cert, PEM");
  certificate->type_name("FILE")->group("TLS")->needs(key);
  key->type_name("FILE")->group("TLS")->needs(certificate);
  verb.add_option("--set", options->set, "Any key of the configuration; repeatable")
      ->type_name("KEY=VALUE")
      ->check([](const std::string& text) {
        return text.find('=') == std::string::npos ? "must be KEY=VALUE" : std::string();
      });
  verb.add_option("--web", options->web, "Serve the files of this folder as pages")->type_name("DIR");
  verb.add_flag("-q,--quiet", options->quiet, "Log nothing");
  program.run(verb, [options] { return serve(*options); });
}

}  // namespace fairlead::cli
