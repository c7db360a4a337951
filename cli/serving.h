// SPDX-License-Identifier: Apache-2.0
// What `fairlead echo` and `fairlead demo` have in common: where to listen, with which certificate, and how a running
// server answers signals.
#pragma once

#include <fairlead/server.h>

#include <string>

#include "program.h"

namespace fairlead::cli {

struct ServingOptions {
  std::string listen = "localhost:8443";
  std::string unix_path;
  std::string certificate;
  std::string key;
  std::string ocsp;
  std::string key_log;
  RecordLayer record_layer = RecordLayer::automatic;
  bool cleartext = false;
  unsigned threads = 0;
  SystemCalls system_calls = SystemCalls::automatic;
  double drain_seconds = 1;
  bool quiet = false;
  bool verbose = false;
  bool stats = false;
};

// --listen --unix --cert --key --ocsp --threads --system-calls --drain --quiet --verbose --stats, into groups of their
// own.
void add_serving_options(Verb verb, ServingOptions& options);

// The certificate files, or the development certificate when there are none. Says what is missing in the exception.
[[nodiscard]] Tls tls_of(const ServingOptions& options);
[[nodiscard]] LogSink log_of(const ServingOptions& options);
[[nodiscard]] LogLevel log_from(const ServingOptions& options);

// Where a server came to listen: "wss://localhost:8443/", with the host as it was asked for and the port as it is.
[[nodiscard]] std::string url_of(const ServingOptions& options, const Listening& listening, std::string_view scheme);

// Listens, prints `listening on URL` and then what `announce` adds, and serves until a signal: SIGINT and SIGTERM drain
// (a second one stops at once), SIGHUP reads the certificates again.
[[nodiscard]] ExitStatus serve(Server& server, const ServingOptions& options, std::string_view scheme,
                               const std::function<std::string(const std::string& url)>& announce = {});

}  // namespace fairlead::cli
