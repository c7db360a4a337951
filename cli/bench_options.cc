// SPDX-License-Identifier: Apache-2.0
#include "bench_options.h"

#include <fairlead/url.h>

#include <fmt/format.h>
#include <algorithm>
#include <random>

namespace fairlead::cli {

namespace {

constexpr std::size_t open_loop_window = 1'024;  // enough for a second's stall at a thousand messages per connection
constexpr std::size_t longest_message_bytes = std::size_t{256} * 1024 * 1024;
constexpr std::size_t smallest_queue_bytes = std::size_t{64} * 1024 * 1024;

std::string json_payload(std::size_t size_bytes) {
  std::minstd_rand random{1};  // NOLINT(cert-msc32-c,cert-msc51-cpp,bugprone-random-generator-seed): repeatable
  std::string text = "[";
  while (text.size() < size_bytes) {
    const auto id = random() % 100'000;
    const auto price = static_cast<double>(random() % 1'000'000) / 100;
    text += fmt::format(R"({{"id":{},"symbol":"EXAMPLE{}","price":{:.2f},"side":"{}"}},)", id, id % 97, price,
                        id % 2 == 0 ? "buy" : "sell");
  }
  text.resize(size_bytes);
  return text;
}

std::string random_payload(std::size_t size_bytes) {
  std::minstd_rand random{1};  // NOLINT(cert-msc32-c,cert-msc51-cpp,bugprone-random-generator-seed): repeatable
  std::string bytes(size_bytes, '\0');
  std::ranges::generate(bytes, [&] { return static_cast<char>(random() >> 8U); });
  return bytes;
}

Result<void> check_host(const BenchOptions& options) {
  const auto url = parse_url(options.url);
  if (!url) return std::unexpected(url.error());
  if (options.own_host || is_loopback(url->host)) return {};
  return fail(Errc::over_limit,
              "this puts a host under load that is not this machine; test only what you own or were asked to test, "
              "and say so with --yes-i-own-this-host");
}

}  // namespace

std::size_t BenchOptions::window() const noexcept {
  if (pipeline > 0) return pipeline;
  return open_loop() ? open_loop_window : 1;
}

const char* BenchOptions::unit() const noexcept {
  switch (mode) {
    case BenchMode::echo:
      return "messages";
    case BenchMode::handshake:
    case BenchMode::resume:
      return "connects";
    case BenchMode::idle:
      return "connections";
    case BenchMode::fanout:
      return "deliveries";
  }
  return "";
}

const char* name(BenchMode mode) noexcept {
  switch (mode) {
    case BenchMode::echo:
      return "echo";
    case BenchMode::handshake:
      return "handshake";
    case BenchMode::resume:
      return "resume";
    case BenchMode::idle:
      return "idle";
    case BenchMode::fanout:
      return "fanout";
  }
  return "";
}

Result<void> check(const BenchOptions& options) {
  if (options.size_bytes > longest_message_bytes) return fail(Errc::invalid_argument, "--size is at most 256M");
  if (options.open_loop() && options.mode != BenchMode::echo)
    return fail(Errc::invalid_argument, "--rate belongs to --mode echo");
  if (options.busy_wait && !options.open_loop()) return fail(Errc::invalid_argument, "--busy-wait belongs to --rate");
  if (options.threads > options.connections)
    return fail(Errc::invalid_argument, "--threads is at most --connections: a connection belongs to one thread");
  if (options.mode == BenchMode::fanout && (options.threads > 1 || options.connections < 2))
    return fail(Errc::invalid_argument, "--mode fanout runs on one thread and needs two connections or more");
  return check_host(options);
}

bool is_loopback(std::string_view host) noexcept {
  if (host == "localhost" || host.ends_with(".localhost") || host == "::1") return true;
  const bool dotted = std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return dotted && host.starts_with("127.") && std::ranges::count(host, '.') == 3;
}

std::string bench_payload(MessageKind kind, std::size_t size_bytes) {
  return kind == MessageKind::text ? json_payload(size_bytes) : random_payload(size_bytes);
}

ClientOptions client_options(const BenchOptions& options, std::size_t index) {
  ClientOptions client;
  client.tls.ca = options.ca_file.empty() ? PemSource{} : PemSource::from_file(options.ca_file);
  client.tls.dangerously_disable_certificate_verification = options.insecure;
  client.tls.record_layer = options.record_layer;
  client.tls.resume = options.mode == BenchMode::resume;
  client.compression.enabled = options.compress;
  client.compression.from_bytes = 0;
  client.record_per_message = options.record_per_message;
  client.origin = options.origin;
  if (!options.local_addresses.empty())
    client.local_address = options.local_addresses[index % options.local_addresses.size()];

  // Our own limits must not end the test: the server is the one under load.
  client.limits.message_bytes = client.limits.frame_bytes = longest_message_bytes;
  client.limits.messages_per_second = unlimited;
  client.limits.outgoing_queue_bytes = std::max(smallest_queue_bytes, 2 * options.size_bytes * options.window());
  client.limits.close_time = std::chrono::seconds(1);
  return client;
}

}  // namespace fairlead::cli
