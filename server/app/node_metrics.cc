// SPDX-License-Identifier: Apache-2.0
#include "app/node_metrics.h"

#include "app/process.h"

#include <fairlead/error.h>
#include <fairlead/version.h>

#include <array>
#include <string>
#include <utility>

namespace fairlead::server {
namespace {

double number(std::uint64_t count) { return static_cast<double>(count); }

MetricFamily publish_latency(const Latencies& latencies) {
  constexpr std::array<double, 12> bounds{0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005,
                                          0.001,   0.0025,   0.005,   0.01,   0.05,    0.25};
  MetricFamily family;
  family.name = "fairlead_publication_seconds";
  family.help = "From the engine's word of a publication until a loop has handed it to its subscribers.";
  family.kind = MetricKind::histogram;
  MetricSample sample;
  std::uint64_t below = 0;
  for (const double bound : bounds) {
    const std::uint64_t now = latencies.within(static_cast<std::uint64_t>(bound * 1e9));
    sample.bounds.push_back(bound);
    sample.counts.push_back(now - below);
    below = now;
  }
  sample.counts.push_back(latencies.within(~std::uint64_t{0}) - below);
  sample.sum = latencies.sum_seconds();
  family.samples.push_back(std::move(sample));
  return family;
}

MetricFamily failures(const ServerStats& library) {
  MetricFamily family;
  family.name = "fairlead_connection_failures_total";
  family.help = "Connections that ended by a rule, by the name of the rule.";
  family.kind = MetricKind::counter;
  for (std::size_t i = 0; i < library.failures.size(); ++i) {
    const std::uint64_t count = library.failures.at(i);
    if (count == 0) continue;
    MetricSample sample;
    sample.labels = {{"rule", std::string(name(static_cast<Errc>(i)))}};
    sample.value = number(count);
    family.samples.push_back(std::move(sample));
  }
  return family;
}

void add_sessions(std::vector<MetricFamily>& to, const SessionMetrics& sessions) {
  const std::pair<const char*, std::pair<const char*, std::uint64_t>> rows[] = {
      {"fairlead_clients_connected_total", {"Clients that were let in.", sessions.connected}},
      {"fairlead_clients_disconnected_total", {"Clients that were let in and have gone.", sessions.disconnected}},
      {"fairlead_commands_total", {"Commands of clients.", sessions.commands}},
      {"fairlead_command_errors_total", {"Commands that were answered with an error.", sessions.errors}},
      {"fairlead_subscribed_total", {"Subscriptions that were made.", sessions.subscribed}},
      {"fairlead_unsubscribed_total", {"Subscriptions that ended.", sessions.unsubscribed}},
      {"fairlead_publications_delivered_total", {"Publications given to clients.", sessions.publications}},
      {"fairlead_deltas_delivered_total", {"Publications given to clients as deltas.", sessions.deltas}},
      {"fairlead_recovered_total", {"Subscriptions that got all they had missed.", sessions.recovered}},
      {"fairlead_unrecovered_total", {"Subscriptions that could not get all they had missed.", sessions.unrecovered}},
      {"fairlead_gaps_total", {"Subscriptions made anew because an offset did not follow.", sessions.gaps}},
      {"fairlead_publications_filtered_total", {"Kept back by a subscription's tags filter.", sessions.filtered}},
      {"fairlead_publications_dropped_total", {"Dropped, the oldest of a full queue.", sessions.dropped}},
      {"fairlead_publications_sampled_total", {"Dropped, over the rate of a subscription.", sessions.sampled}},
      {"fairlead_publications_conflated_total", {"Replaced by a newer one of their key.", sessions.conflated}},
      {"fairlead_slow_clients_total", {"Clients disconnected because too much was waiting.", sessions.slow}},
  };
  for (const auto& [name, row] : rows) to.push_back(counter(name, row.first, number(row.second)));
}

void add_library(std::vector<MetricFamily>& to, const ServerStats& library) {
  to.push_back(gauge("fairlead_tcp_connections", "Open TCP connections.", number(library.connections)));
  to.push_back(gauge("fairlead_websockets", "Open WebSockets.", number(library.websockets)));
  to.push_back(gauge("fairlead_buffer_bytes", "Buffers lent to connections.", number(library.buffer_bytes)));
  const std::pair<const char*, std::pair<const char*, std::uint64_t>> rows[] = {
      {"fairlead_tcp_accepted_total", {"TCP connections that were accepted.", library.accepted}},
      {"fairlead_tcp_refused_total", {"TCP connections closed at once by a limit.", library.refused_at_accept}},
      {"fairlead_tls_handshakes_total", {"Completed TLS handshakes.", library.tls_handshakes}},
      {"fairlead_tls_resumed_total", {"TLS handshakes that resumed a session.", library.tls_resumed}},
      {"fairlead_tls_failed_total", {"TLS handshakes that failed.", library.tls_failed}},
      {"fairlead_http_requests_total", {"HTTP requests.", library.http_requests}},
      {"fairlead_upgrades_total", {"WebSockets that were opened.", library.upgrades}},
      {"fairlead_upgrades_refused_total", {"Opening handshakes that were refused.", library.upgrades_refused}},
      {"fairlead_messages_received_total", {"WebSocket messages received.", library.messages_in}},
      {"fairlead_messages_sent_total", {"WebSocket messages sent.", library.messages_out}},
      {"fairlead_messages_dropped_total", {"WebSocket messages dropped for want of room.", library.messages_dropped}},
      {"fairlead_bytes_received_total", {"Bytes received.", library.bytes_in}},
      {"fairlead_bytes_sent_total", {"Bytes sent.", library.bytes_out}},
      {"fairlead_certificate_reloads_total",
       {"Certificates taken into use while running.", library.certificate_reloads}},
      {"fairlead_certificate_reload_failures_total",
       {"New certificates that were refused.", library.certificate_reload_failures}},
  };
  for (const auto& [name, row] : rows) to.push_back(counter(name, row.first, number(row.second)));
}

}  // namespace

std::vector<MetricFamily> node_metrics(Node& node, const NodeCounts& counts, const ServerStats& library) {
  const ProcessUsage usage = process_usage();
  std::vector<MetricFamily> families;
  families.push_back(
      gauge("fairlead_build", "1, with the version as a label.", 1, {{"version", std::string(fairlead::version())}}));
  families.push_back(gauge("fairlead_clients", "Clients now.", number(counts.connections)));
  families.push_back(gauge("fairlead_users", "Users now.", number(node.users().users())));
  families.push_back(gauge("fairlead_channels", "Channels with a subscriber now.", number(node.channels().size())));
  families.push_back(gauge("fairlead_subscriptions", "Subscriptions now.", number(counts.subscriptions)));
  families.push_back(node.arrivals().metrics());
  add_sessions(families, counts.sessions);
  families.push_back(publish_latency(node.latencies()));
  add_library(families, library);
  families.push_back(failures(library));
  families.push_back(gauge("process_resident_memory_bytes", "Resident memory.", number(usage.resident_bytes)));
  families.push_back(counter("process_cpu_seconds_total", "CPU time.", usage.cpu_seconds));
  families.push_back(gauge("process_open_fds", "Open file descriptors.", number(usage.open_descriptors)));
  return families;
}

}  // namespace fairlead::server
