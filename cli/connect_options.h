// SPDX-License-Identifier: Apache-2.0
// What `fairlead connect` was asked to do, as the flags say it and as the library wants it.
#pragma once

#include <fairlead/client.h>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "line_splitter.h"
#include "program.h"

namespace fairlead::cli {

struct ConnectOptions {
  std::string url;

  bool binary = false;
  bool one_message = false;
  std::size_t chunk_bytes = 0;  // 0: as the bytes come
  bool exit_on_close = false;
  bool no_wait = false;
  double linger_seconds = 1;

  std::vector<std::string> headers;
  std::vector<std::string> subprotocols;
  std::string origin;
  bool compress = false;
  bool context_takeover = false;

  std::string ca;
  std::string certificate;
  std::string key;
  std::vector<std::string> pins;
  std::string server_name;
  std::string key_log;
  std::string profile = "intermediate";
  RecordLayer record_layer = RecordLayer::automatic;
  bool insecure = false;
  bool cleartext = false;

  std::string unix_path;
  double timeout_seconds = 0;  // 0: the library's limit for each step
  bool reconnect = false;
  unsigned attempts = 0;
  std::size_t max_message_bytes = std::size_t{64} * 1024 * 1024;
  std::size_t max_fragments = Limits{}.fragments_per_message;

  double ping_seconds = 0;
  bool stats = false;
  bool verbose = false;
};

void add_connect_options(Verb verb, ConnectOptions& options);

// As the library wants it. An error of code invalid_argument (a header that is none) or one about the files.
[[nodiscard]] Result<ClientOptions> client_options(const ConnectOptions& options);
[[nodiscard]] LineSplitter splitter_for(const ConnectOptions& options);
// `dev` is the development CA, everything else a file.
[[nodiscard]] Result<PemSource> ca_named(const std::string& name);

}  // namespace fairlead::cli
