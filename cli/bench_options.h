// SPDX-License-Identifier: Apache-2.0
// What `fairlead bench` was asked to do, and what it refuses to do.
#pragma once

#include <fairlead/client.h>
#include <fairlead/error.h>
#include <fairlead/message.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fairlead::cli {

enum class BenchMode : std::uint8_t {
  echo,       // messages go out and come back
  handshake,  // connect, open, close; full TLS handshakes
  resume,     // the same with resumed TLS sessions
  idle,       // connections are opened and kept
  fanout,     // the first connection publishes, everybody receives
};

struct BenchOptions {
  std::string url;
  BenchMode mode = BenchMode::echo;
  std::size_t connections = 16;
  std::size_t size_bytes = 128;
  std::size_t pipeline = 0;  // messages in flight on each connection; 0: 1, or 1,024 at a given rate
  double rate = 0;           // messages per second over all connections; 0: as fast as answers come
  bool busy_wait = false;    // at a rate: never sleep, so that no wake-up of ours is part of a latency
  double duration_seconds = 10;
  double warmup_seconds = 1;
  MessageKind kind = MessageKind::binary;
  bool compress = false;
  bool record_per_message = false;
  std::string ca_file;
  bool insecure = false;
  RecordLayer record_layer = RecordLayer::automatic;
  unsigned threads = 1;
  std::vector<std::string> local_addresses;
  std::string origin;
  long server_pid = 0;  // a process on this machine whose CPU time and memory are measured too; 0: none
  bool json = false;
  bool own_host = false;

  [[nodiscard]] bool open_loop() const noexcept { return rate > 0; }
  [[nodiscard]] std::size_t window() const noexcept;
  // The words for what is counted: "messages", "connects", "connections", "deliveries".
  [[nodiscard]] const char* unit() const noexcept;
};

[[nodiscard]] const char* name(BenchMode mode) noexcept;

// What the combination of options rules out, before anything is sent. `over_limit`: the host is not this machine and
// nobody said that they may put load on it.
[[nodiscard]] Result<void> check(const BenchOptions& options);

// True for localhost, *.localhost, 127.0.0.0/8 and ::1.
[[nodiscard]] bool is_loopback(std::string_view host) noexcept;

// What each message carries: JSON text of exactly that size that compresses as such texts do, or random bytes.
[[nodiscard]] std::string bench_payload(MessageKind kind, std::size_t size_bytes);

// How the generator's connection number `index` connects.
[[nodiscard]] ClientOptions client_options(const BenchOptions& options, std::size_t index);

}  // namespace fairlead::cli
