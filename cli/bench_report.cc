// SPDX-License-Identifier: Apache-2.0
#include "bench_report.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "json.h"
#include "terminal.h"

namespace fairlead::cli {

namespace {

constexpr std::array<std::pair<const char*, double>, 4> percentiles{
    {{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}}};
// A generator this busy may have been what was measured.
constexpr double busy_generator = 0.95;

double micros(Histogram::Nanoseconds value) { return std::chrono::duration<double, std::micro>(value).count(); }

std::string duration_text(Histogram::Nanoseconds value) {
  const double us = micros(value);
  if (us < 1'000) return fmt::format("{:.1f} µs", us);
  if (us < 1'000'000) return fmt::format("{:.2f} ms", us / 1'000);
  return fmt::format("{:.2f} s", us / 1'000'000);
}

std::string grouped(double number) {
  std::string digits = fmt::format("{:.0f}", number);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string line(std::string_view label, std::string_view text) { return fmt::format("  {:<22}{}\n", label, text); }

bool has_latency(const BenchOptions& options) { return options.mode != BenchMode::idle; }

// Under load the server's memory has grown by its buffers, whatever the number of connections.
std::optional<double> growth(const BenchOptions& options, const BenchResult& result) {
  return options.mode == BenchMode::idle ? result.memory_per_connection_bytes() : std::nullopt;
}

std::string rate_lines(const BenchOptions& options, const BenchResult& result) {
  if (!has_latency(options)) return line("open", fmt::format("{} connections", result.connections));
  std::string text = line(options.unit(),
                          fmt::format("{} in {:.1f} s, {} per second", grouped(static_cast<double>(result.tally.count)),
                                      result.seconds, grouped(result.per_second())));
  if (result.tally.bytes > 0) {
    const double megabytes = static_cast<double>(result.tally.bytes) / result.seconds / 1e6;
    text += line("payload received", fmt::format("{:.1f} MB per second", megabytes));
  }
  return text;
}

std::string latency_lines(const BenchOptions& options, const Tally& tally) {
  if (!has_latency(options) || tally.latency.count() == 0) return {};
  std::string text = "\n";
  text += line("latency, mean", duration_text(tally.latency.mean()));
  for (const auto& [label, percent] : percentiles)
    text += line(label, duration_text(tally.latency.percentile(percent)));
  text += line("max", duration_text(tally.latency.max()));
  if (options.open_loop()) {
    text += line("generator late, p99", duration_text(tally.lag.percentile(99)));
    text += line("due but not sent", grouped(static_cast<double>(tally.unsent)));
  }
  return text;
}

std::string server_lines(const BenchOptions& options, const BenchResult& result) {
  if (!result.server) return {};
  const double cpu = result.server->cpu_seconds;
  std::string text = "\n";
  text += line("server", fmt::format("{:.0f} % of a core", 100 * cpu / result.seconds));
  if (has_latency(options) && cpu > 0)
    text += line("", fmt::format("{} {} per second of its CPU time",
                                 grouped(static_cast<double>(result.tally.count) / cpu), options.unit()));
  if (const auto memory = growth(options, result))
    text += line("", fmt::format("{:.1f} KB of memory per connection", *memory / 1'000));
  return text;
}

std::string trouble_lines(const Tally& tally, bool colour) {
  std::string text;
  const auto add = [&](std::uint64_t times, std::string_view what) {
    if (times > 0) text += line("", styled(fmt::format("{} {}", times, what), Style::red, colour));
  };
  add(tally.failed, "connections did not open");
  add(tally.lost, "connections ended too early, the first with " + harmless(tally.first_loss));
  add(tally.wrong, "answers were not what had been sent");
  add(tally.latency.clamped(), "latencies were longer than an hour");
  return text.empty() ? text : "\n" + text;
}

std::string generator_line(const BenchOptions& options, const BenchResult& result) {
  const double used = result.generator_cpu_seconds / result.seconds;
  const bool busy = !options.busy_wait && used > busy_generator * options.threads;
  return line("generator", fmt::format("{:.0f} % of a core{}", 100 * used, busy ? ": it may be the bottleneck" : ""));
}

void add_latency(JsonWriter& json, const std::string& name, const Histogram& histogram) {
  json.key(name).open('{').member("min", micros(histogram.min())).member("mean", micros(histogram.mean()));
  for (const auto& [label, percent] : percentiles) json.member(label, micros(histogram.percentile(percent)));
  json.member("max", micros(histogram.max())).member("count", histogram.count()).close('}');
}

void add_memory(JsonWriter& json, const char* name, const std::optional<MemoryUse>& use) {
  if (!use) return;
  json.key(name).open('{').member("resident_bytes", use->resident_bytes);
  json.member("own_bytes", use->own_bytes).close('}');
}

void add_server(JsonWriter& json, const BenchOptions& options, const BenchResult& result) {
  const ServerUse& server = *result.server;
  json.key("server").open('{').member("pid", options.server_pid).member("cpu_seconds", server.cpu_seconds);
  json.member("utilisation", server.cpu_seconds / result.seconds);
  if (server.cpu_seconds > 0)
    json.member("per_cpu_second", static_cast<double>(result.tally.count) / server.cpu_seconds);
  add_memory(json, "memory_before", server.before);
  add_memory(json, "memory_after", server.after);
  if (const auto memory = growth(options, result)) json.member("memory_per_connection_bytes", *memory);
  json.close('}');
}

}  // namespace

double BenchResult::per_second() const noexcept { return seconds > 0 ? static_cast<double>(tally.count) / seconds : 0; }

std::optional<double> BenchResult::memory_per_connection_bytes() const noexcept {
  if (!server || !server->before || !server->after || connections == 0) return std::nullopt;
  const auto before = static_cast<double>(server->before->own_bytes);
  const auto after = static_cast<double>(server->after->own_bytes);
  return (after - before) / static_cast<double>(connections);
}

std::string report_text(const BenchOptions& options, const BenchResult& result, bool colour) {
  std::string text = styled(fmt::format("{} {}", name(options.mode), options.url), Style::bold, colour) + "\n";
  if (!result.tally.tls.version.empty())
    text += line("", fmt::format("{}, {}", result.tally.tls.version, result.tally.tls.cipher));
  text += rate_lines(options, result);
  if (options.mode == BenchMode::resume)
    text += line("resumed", fmt::format("{} of {}", result.tally.resumed, result.tally.opened));
  text += latency_lines(options, result.tally);
  text += server_lines(options, result);
  text += generator_line(options, result);
  return text + trouble_lines(result.tally, colour);
}

std::string report_json(const BenchOptions& options, const BenchResult& result) {
  const Tally& tally = result.tally;
  JsonWriter json;
  json.open('{').member("mode", name(options.mode)).member("unit", options.unit()).member("url", options.url);
  json.member("connections", result.connections).member("size_bytes", options.size_bytes);
  json.member("pipeline", options.window()).member("rate", options.rate).member("threads", options.threads);
  json.member("compress", options.compress).member("seconds", result.seconds);
  json.member("count", tally.count).member("per_second", result.per_second()).member("bytes", tally.bytes);
  add_latency(json, "latency_us", tally.latency);
  if (options.open_loop()) {
    add_latency(json, "generator_lag_us", tally.lag);
    json.member("due_but_not_sent", tally.unsent);
  }
  json.key("errors").open('{').member("failed", tally.failed).member("lost", tally.lost);
  json.member("wrong", tally.wrong).member("first_loss", tally.first_loss).close('}');
  json.key("tls").open('{').member("version", tally.tls.version).member("cipher", tally.tls.cipher);
  json.member("group", tally.tls.group).member("opened", tally.opened).member("resumed", tally.resumed).close('}');
  json.key("generator").open('{').member("cpu_seconds", result.generator_cpu_seconds);
  json.member("utilisation", result.generator_cpu_seconds / result.seconds).close('}');
  if (result.server) add_server(json, options, result);
  json.close('}');
  return json.text() + "\n";
}

}  // namespace fairlead::cli
