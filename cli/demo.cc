// SPDX-License-Identifier: Apache-2.0
// `fairlead demo`: the library alone, without the real-time server. A page that shows what was negotiated, and a room
// in which browsers and terminals talk to each other.
#include <fairlead/certificate.h>
#include <fairlead/server.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "channel_demo.h"
#include "serving.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

struct DemoOptions {
  ServingOptions serving;
  std::string web;
};

// ── Pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// A page of ours loads nothing from elsewhere and talks to nobody but this server: 'self' counts for wss: as well. A
// page that is isolated from other origins may read a finer clock, so its round-trip times are not whole milliseconds.
Headers page_headers() {
  return {{"Content-Security-Policy",
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
           "manifest-src 'self'; connect-src 'self'; "
           "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Embedder-Policy", "require-corp"}};
}

Response text_page(const Request&) {
  return Response::text(200,
                        "fairlead demo: the web page was not built (--web DIR). These WebSockets are here:\n\n"
                        "  /room         a shared room: a line is a message, /name NAME renames you\n"
                        "  /api/session  what this connection negotiated, then an echo\n"
                        "  /echo         an echo\n");
}

// The folder has the pages of the real-time server too; its start page is not the one that belongs here.
void add_pages(Server& server, const std::string& web) {
  if (web.empty()) {
    server.http("/", text_page);
    return;
  }
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::path(web) / "channel" / "index.html", error)) {
    server.http("/", [](const Request&) { return Response::redirect("/channel/", 302); });
  }
  server.files(web, page_headers());
}

// Beside an installed program: PREFIX/bin/fairlead and PREFIX/share/fairlead/web.
std::string installed_web() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto web = program.parent_path().parent_path() / "share" / "fairlead" / "web";
  return !error && std::filesystem::exists(web / "index.html", error) ? web.string() : std::string();
}

ExitStatus demo(const DemoOptions& options) {
  std::string ca_file;
  if (options.serving.certificate.empty()) {
    const Result<DevelopmentCertificate> certificate = ensure_development_certificate();
    if (certificate) ca_file = certificate->ca_file;  // else listening says what is wrong
  }
  const std::string web = options.web.empty() ? installed_web() : options.web;
  if (!web.empty() && !std::filesystem::is_directory(web)) {
    complain(fmt::format("--web: {} is not a folder", web));
    return ExitStatus::usage;
  }
  ServerOptions settings;
  settings.tls = tls_of(options.serving);
  settings.threads = options.serving.threads;
  settings.system_calls = options.serving.system_calls;
  settings.log = log_of(options.serving);
  settings.log_from = log_from(options.serving);
  Server server(std::move(settings));
  add_channel_demo(server, !ca_file.empty());
  add_pages(server, web);
  return serve(server, options.serving, "https", [&](const std::string& url) {
    const std::string ca = ca_file.empty() ? "" : " --ca " + ca_file;
    const std::string channel = "wss" + url.substr(url.find(':'));
    return fmt::format(
        "open {} in a browser; `fairlead cert dev` says how to trust its certificate\n"
        "fairlead connect {}room{}\n",
        url, channel, ca);
  });
}

}  // namespace

void add_demo(Program& program) {
  auto options = std::make_shared<DemoOptions>();
  const Verb verb = program.verb(
      "demo", "Serve the demonstration: a page, and a room for browsers and terminals",
      {.paragraphs =
           {"The page shows what its WebSocket negotiated and how long a round trip takes. The room at /room is "
            "shared by all pages and by every `fairlead connect`: a line is a message, `/name NAME` renames "
            "you. Also here: /api/session and /echo."},
       .examples = {{"fairlead demo", "on https://localhost:8443/, with the development certificate"},
                    {"fairlead connect wss://localhost:8443/room --ca dev", "join the room from a terminal"}}});
  add_serving_options(verb, options->serving);
  verb.option("--web", options->web, "Serve the files of this folder as pages").type_name("DIR");
  program.run(verb, [options] { return demo(*options); });
}

}  // namespace fairlead::cli
