// SPDX-License-Identifier: Apache-2.0
#include "app/app.h"

#include "admin/admin.h"
#include "api/http_api.h"
#include "api/http_client.h"
#include "app/attachments.h"
#include "app/decisions.h"
#include "app/engines.h"
#include "app/event_stream.h"
#include "app/fault_reports.h"
#include "app/node.h"
#include "app/node_control.h"
#include "app/node_name.h"
#include "app/pages.h"
#include "app/sd_notify.h"
#include "config/print.h"
#include "transport/endpoints.h"

#include <fairlead/version.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace fairlead::server {
namespace {

std::unexpected<Fault> fault(FaultKind kind, std::string sentence) {
  return std::unexpected(Fault{kind, std::move(sentence)});
}

// How long the end waits for an engine that takes no events. It has them all then, and time of its own to store them.
constexpr std::chrono::seconds events_patience{5};

Tls tls_of(const ListenSettings& settings) {
  return settings.certificate_file.empty() ? Tls::development()
                                           : Tls::files(settings.certificate_file, settings.key_file);
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

// "https://localhost:8443/": with the host that was asked for, which a person can open, and the port as it is.
std::string url_of(const std::string& where, const Listening& listening) {
  if (where.starts_with("unix:")) return where;
  std::string host = where.substr(0, where.rfind(':'));
  if (host.empty() || host == "*" || host == "0.0.0.0" || host == "[::]") host = "localhost";
  return fmt::format("{}://{}:{}/", listening.secure ? "https" : "http", host, listening.port);
}

// With what no configuration says.
std::shared_ptr<const Settings> completed(Settings settings) {
  if (settings.name.empty()) settings.name = default_node_name(host_name(), settings.listen);
  settings.session.node_version = fmt::format("Fairlead {}", fairlead::version());
  return std::make_shared<const Settings>(std::move(settings));
}

class RunningApp final : public App {
 public:
  explicit RunningApp(AppOptions options)
      : options_(std::move(options)),
        settings_(options_.settings),
        json_(make_codec(WireFormat::json)),
        protobuf_(make_codec(WireFormat::protobuf)),
        encoder_(make_publication_encoder()),
        faults_(options_.log) {}
  RunningApp(const RunningApp&) = delete;
  RunningApp& operator=(const RunningApp&) = delete;
  ~RunningApp() override { end(); }

  Outcome<void> open() {
    if (const auto opened = open_engine(); !opened) return opened;
    if (const auto decided = decide(); !decided) return decided;
    node_ = std::make_unique<Node>(
        Node::Parts{.engine = *engine_,
                    .events = *events_,
                    .encoder = *encoder_,
                    .json = *json_,
                    .protobuf = *protobuf_,
                    .trace = trace_,
                    .gatekeeper = [this](Decisions::Post post) { return decisions_->gatekeeper(std::move(post)); },
                    .log = options_.log},
        settings_);
    if (auto started = node_->start_engine(); !started) {
      node_.reset();
      return started;
    }
    engine_runs_ = true;
    if (const auto began = decisions_->begin(); !began) return began;
    events_->begin(settings_->name);
    make_server();
    if (const auto listening = listen(); !listening) return listening;
    if (const auto started = server_->start(); !started) {
      return fault(FaultKind::unavailable, "the server cannot start: " + to_string(started.error()));
    }
    http_.run_on(server_->loops().front());
    node_->set_ready(true);
    return {};
  }

  std::vector<std::string> urls() const override { return urls_; }

  Outcome<void> reload(std::shared_ptr<const Settings> next) override {
    const auto wanted = completed(*next);
    const auto changed = config::diff(*settings_, *wanted);
    const auto settings = completed(config::reloaded(*settings_, *wanted));
    // First what may fail. New certificates beside old settings do no harm, and the next reload reads them again.
    if (const Result<void> certificates = server_->replace_tls(tls_of(settings->listen)); !certificates) {
      return fault(FaultKind::invalid, "the old certificates stay: " + to_string(certificates.error()));
    }
    if (const auto replaced = decisions_->reconfigure(settings); !replaced) return replaced;
    settings_ = settings;
    node_->reconfigure(settings_);
    events_->reconfigure(settings_->events);
    endpoints_->reconfigure(settings_->transport);
    if (api_) api_->reconfigure(settings_->http_api);
    if (admin_) admin_->replace_password(settings_->admin.password);
    if (!changed.reloadable.empty())
      say(LogLevel::info, fmt::format("changed: {}", fmt::join(changed.reloadable, ", ")));
    if (!changed.needs_restart.empty()) {
      say(LogLevel::warning,
          fmt::format("these take a restart and stay as they are: {}", fmt::join(changed.needs_restart, ", ")));
    }
    return {};
  }

  AppDrained drain(Duration window) override {
    AppDrained drained{.clients = static_cast<std::size_t>(server_->stats().websockets), .connections = {}};
    node_->send_away(window);
    drained.connections = server_->drain(std::chrono::milliseconds(0));
    return drained;
  }

  void stop() override {
    node_->hurry();
    if (server_) server_->stop();
  }

 private:
  void say(LogLevel level, std::string_view line) const {
    if (options_.log) options_.log(level, line);
  }

  Outcome<void> open_engine() {
    auto engine = make_engine(settings_->engine, [this](const Fault& fault) { faults_.note(fault); });
    if (!engine) return std::unexpected(engine.error());
    engine_ = std::move(*engine);
    events_ = std::make_unique<EventStream>(
        engine_->events(), settings_->events,
        EventStreamEnvironment{.after = [this](auto delay, auto call) { http_.after(delay, std::move(call)); },
                               .log = options_.log});
    return {};
  }

  Outcome<void> decide() {
    auto decisions = Decisions::make(settings_, engine_->store(), *events_, http_, options_.log);
    if (!decisions) return std::unexpected(decisions.error());
    decisions_ = std::move(*decisions);
    events_->on_append([decisions = decisions_.get()] { decisions->event_appended(); });
    return {};
  }

  void make_server() {
    ServerOptions options;
    options.tls = tls_of(settings_->listen);
    options.threads = settings_->listen.threads;
    if (settings_->listen.system_calls == "one_by_one") options.system_calls = SystemCalls::one_by_one;
    options.log = options_.log;
    const bool debug = settings_->log.level == "debug" || settings_->log.level == "trace";
    if (debug) options.log_from = LogLevel::debug;
    options.origin.allowed = settings_->transport.allowed_origins;
    options.limits.connections = settings_->listen.connections;
    options.limits.connections_per_address = settings_->listen.connections_per_address;
    options.limits.messages_per_second = unlimited;  // the sessions count commands
    options.loop_started = [this](const LoopHandle& loop, unsigned index) { node_->loop_started(loop, index); };
    server_ = std::make_unique<Server>(std::move(options));
    control_ = std::make_unique<NodeControl>(
        *node_, decisions_->revocations(), decisions_->backend(), [this] { return server_->stats(); },
        [this] {
          auto families = decisions_->metrics();
          families.push_back(faults_.metrics());
          std::ranges::move(events_->metrics(), std::back_inserter(families));
          return families;
        });
    endpoints_ = add_transports(*server_, settings_->transport, *node_);
    api_ = add_api(*server_, settings_->http_api, *control_);
    attach();
    if (settings_->metrics_enabled) add_metrics(*server_, *control_, settings_->metrics_prefix);
    if (settings_->health_enabled) add_health(*server_, *control_, settings_->health_prefix);
    if (options_.more_routes) options_.more_routes(*server_);
    admin_ = add_pages(*server_, PagesOptions{.settings = settings_,
                                              .newest_settings = [this] { return node_->settings(); },
                                              .control = control_.get(),
                                              .web = options_.web});
  }

  void attach() {
    AttachmentEnvironment environment;
    environment.gatekeeper = [this] {
      return decisions_->gatekeeper([loop = LoopHandle::current()](auto work) { loop.post(std::move(work)); });
    };
    environment.backend = &decisions_->backend();
    environment.refuse = [ways = endpoints_](const Request& request, std::string_view methods) {
      return ways->refuse(request, methods);
    };
    environment.add_cors = [ways = endpoints_](const Request& request, Headers& headers) {
      ways->origins()->add_cors(request, headers);
    };
    add_attachments(*server_, settings_->attachments, std::move(environment));
  }

  Outcome<void> listen() {
    if (options_.inherit_sockets && inherit()) return {};
    const ListenSettings& configured = settings_->listen;
    const bool anywhere = !configured.secure.empty() || !configured.insecure_cleartext.empty();
    const std::vector<std::string> standard{"localhost:8443"};
    for (const std::string& where : anywhere ? configured.secure : standard) {
      if (const auto done = listened(where, server_->listen(where)); !done) return done;
    }
    for (const std::string& where : settings_->listen.insecure_cleartext) {
      warn_of_cleartext(where);
      if (const auto done = listened(where, server_->dangerously_listen_without_tls(where, true)); !done) return done;
    }
    return {};
  }

  void warn_of_cleartext(std::string_view where) const {
    say(LogLevel::warning, fmt::format("{} is cleartext: whoever is on the way reads and changes everything", where));
  }

  Outcome<void> listened(const std::string& where, const Result<Listening>& listening) {
    if (!listening) {
      return fault(FaultKind::unavailable, fmt::format("cannot listen on {}: {}", where, to_string(listening.error())));
    }
    urls_.push_back(url_of(where, *listening));
    return {};
  }

  // The sockets of a service manager, instead of the configured ones. A socket whose name says so is cleartext.
  bool inherit() {
    for (const InheritedSocket& socket : inherited_sockets()) {
      const bool cleartext = socket.name == "insecure-cleartext";
      if (cleartext) warn_of_cleartext(fmt::format("the inherited socket {}", socket.descriptor));
      const Result<Listening> listening =
          cleartext ? server_->dangerously_listen_descriptor_without_tls(socket.descriptor, true)
                    : server_->listen_descriptor(socket.descriptor);
      if (listening) urls_.push_back(url_of("localhost:0", *listening));
      if (!listening) say(LogLevel::error, "an inherited socket is of no use: " + to_string(listening.error()));
    }
    return !urls_.empty();
  }

  // From the outside inwards: nobody asks any more, nobody decides any more, what happened is stored, then the engine
  // closes its files. The HTTP client has lost its loop with the server, and answers here what is left.
  void end() {
    if (node_) node_->set_ready(false);
    server_.reset();
    http_.stop();
    if (engine_runs_) events_->finish(events_patience);
    if (engine_runs_) node_->stop_engine();
    if (engine_runs_) events_->ended();
    if (decisions_) decisions_->end();
    admin_.reset();
    endpoints_.reset();
    api_.reset();
    control_.reset();
    node_.reset();
  }

  AppOptions options_;
  std::shared_ptr<const Settings> settings_;
  std::unique_ptr<const Codec> json_;
  std::unique_ptr<const Codec> protobuf_;
  std::unique_ptr<const PublicationEncoder> encoder_;
  FaultReports faults_;
  TraceRing trace_;
  HttpClient http_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<EventStream> events_;
  std::unique_ptr<Decisions> decisions_;
  std::unique_ptr<Node> node_;
  bool engine_runs_ = false;
  std::unique_ptr<NodeControl> control_;
  std::shared_ptr<ApiCore> api_;
  std::shared_ptr<Endpoints> endpoints_;
  std::shared_ptr<Admin> admin_;
  std::unique_ptr<Server> server_;
  std::vector<std::string> urls_;
};

}  // namespace

Outcome<std::unique_ptr<App>> App::start(AppOptions options) {
  options.settings = completed(*options.settings);
  auto app = std::make_unique<RunningApp>(std::move(options));
  try {
    if (const auto opened = app->open(); !opened) return std::unexpected(opened.error());
  } catch (const std::exception& error) {  // routes that collide, a key that cannot be read
    return fault(FaultKind::invalid, error.what());
  }
  return app;
}

}  // namespace fairlead::server
