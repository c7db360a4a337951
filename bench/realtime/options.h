// SPDX-License-Identifier: Apache-2.0
// What a run of the generator of real-time load is told on its command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fairlead::bench {

enum class Mode : std::uint8_t { fanout, api, subscribe_storm, recover_storm, memory };
// How the server is spoken to.
enum class Speech : std::uint8_t { json, protobuf, bun, nats };

struct Options {
  Mode mode = Mode::fanout;
  Speech speech = Speech::json;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string certificate;    // the server's, PEM: no other is accepted
  std::string api_key;        // of the HTTP API
  std::string channel = "c";  // names begin with it
  std::size_t clients = 1000;
  std::size_t channels = 1;                       // clients are spread over them evenly
  std::size_t size_bytes = 64;                    // of a payload
  std::size_t window = 4;                         // publications in flight; of the API: connections
  std::size_t batch = 1;                          // publications of one request of the API
  std::size_t missed = 100;                       // publications that each client of a recover storm has missed
  std::size_t at_once = 64;                       // connections that are being opened at a time
  std::vector<std::string> sources{"127.0.0.1"};  // local addresses, taken in turn
  bool full_handshakes = false;                   // never resume a TLS session
  long server_pid = 0;
  double duration_seconds = 3;
  double warmup_seconds = 1;
};

// Ends the program with what is wrong about its command line.
[[nodiscard]] Options parse_options(int argc, char** argv);

}  // namespace fairlead::bench
