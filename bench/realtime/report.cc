// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace fairlead::bench {

namespace {

double micros(std::chrono::nanoseconds value) { return std::chrono::duration<double, std::micro>(value).count(); }

std::chrono::nanoseconds cpu_of(long pid) {
  const auto time = cli::cpu_time(pid);
  if (!time) throw std::runtime_error("the server has gone");
  return *time;
}

double seconds_between(std::chrono::nanoseconds from, std::chrono::nanoseconds to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string latencies(const cli::Histogram& histogram) {
  return fmt::format(R"({{"p50":{:.1f},"p90":{:.1f},"p99":{:.1f},"p99.9":{:.1f},"max":{:.1f},"count":{}}})",
                     micros(histogram.percentile(50)), micros(histogram.percentile(90)),
                     micros(histogram.percentile(99)), micros(histogram.percentile(99.9)), micros(histogram.max()),
                     histogram.count());
}

}  // namespace

void Meter::start() {
  server_began_ = cpu_of(pid_);
  own_began_ = cli::own_cpu_time();
  began_ = std::chrono::steady_clock::now();
}

void Meter::stop() {
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  server_ = seconds_between(server_began_, cpu_of(pid_));
  own_ = seconds_between(own_began_, cli::own_cpu_time());
}

std::optional<double> Meter::memory_growth_bytes() const {
  if (!before_ || !after_) return std::nullopt;
  return static_cast<double>(after_->own_bytes) - static_cast<double>(before_->own_bytes);
}

std::string to_json(const Outcome& outcome, const Meter& meter) {
  const double seconds = std::max(meter.seconds(), 1e-9);
  std::string server = fmt::format(R"("cpu_seconds":{:.6f},"utilisation":{:.4f})", meter.server_cpu_seconds(),
                                   meter.server_cpu_seconds() / seconds);
  if (const auto growth = meter.memory_growth_bytes()) {
    server += fmt::format(R"(,"memory_per_connection_bytes":{:.0f})", *growth / static_cast<double>(outcome.clients));
  }
  std::string text = fmt::format(
      R"({{"count":{},"seconds":{:.6f},"per_second":{:.1f},"latency_us":{},"server":{{{}}},)"
      R"("generator":{{"cpu_seconds":{:.6f},"utilisation":{:.4f}}},"tls":{{"version":"{}","cipher":"{}"}})",
      outcome.count, meter.seconds(), static_cast<double>(outcome.count) / seconds, latencies(outcome.latency), server,
      meter.own_cpu_seconds(), meter.own_cpu_seconds() / seconds, outcome.tls_version, outcome.tls_cipher);
  if (outcome.reads > 0) {
    text += fmt::format(R"(,"count_per_read":{:.2f})",
                        static_cast<double>(outcome.count) / static_cast<double>(outcome.reads));
  }
  if (outcome.bystander) text += fmt::format(R"(,"bystander_us":{})", latencies(*outcome.bystander));
  return text + "}\n";
}

}  // namespace fairlead::bench
