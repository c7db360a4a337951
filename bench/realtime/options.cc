// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <map>

#include "payload.h"

namespace fairlead::bench {

namespace {

void add_work(CLI::App& program, Options& options) {
  static const std::map<std::string, Mode> modes{{"fanout", Mode::fanout},
                                                 {"api", Mode::api},
                                                 {"subscribe-storm", Mode::subscribe_storm},
                                                 {"recover-storm", Mode::recover_storm},
                                                 {"memory", Mode::memory}};
  static const std::map<std::string, Speech> speeches{
      {"json", Speech::json}, {"protobuf", Speech::protobuf}, {"bun", Speech::bun}, {"nats", Speech::nats}};
  program.add_option("--mode", options.mode)->transform(CLI::CheckedTransformer(modes))->required();
  program.add_option("--speech", options.speech)->transform(CLI::CheckedTransformer(speeches))->required();
  program.add_option("--clients", options.clients)->check(CLI::Range(1, 100'000));
  program.add_option("--channels", options.channels)->check(CLI::Range(1, 100'000));
  program.add_option("--channel", options.channel, "What the names of channels begin with");
  program.add_option("--size", options.size_bytes)->check(CLI::Range(Payloads::least_bytes, std::size_t{64} * 1024));
  program.add_option("--window", options.window)->check(CLI::Range(1, 10'000));
  program.add_option("--batch", options.batch)->check(CLI::Range(1, 1'000));
  program.add_option("--missed", options.missed)->check(CLI::Range(1, 100'000));
}

void add_place(CLI::App& program, Options& options) {
  program.add_option("--host", options.host, "IPv4");
  program.add_option("--port", options.port)->required();
  program.add_option("--cert", options.certificate)->required()->check(CLI::ExistingFile);
  program.add_option("--api-key", options.api_key);
  program.add_option("--server-pid", options.server_pid)->required();
  program.add_option("--at-once", options.at_once)->check(CLI::Range(1, 100'000));
  program.add_option("--sources", options.sources)->delimiter(',');
  program.add_flag("--full-handshakes", options.full_handshakes);
  program.add_option("--duration", options.duration_seconds)->check(CLI::Range(0.1, 600.0));
  program.add_option("--warmup", options.warmup_seconds)->check(CLI::Range(0.0, 60.0));
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  CLI::App program("Puts the load of subscribers and publishers on a real-time server");
  add_work(program, options);
  add_place(program, options);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(program.exit(error));
  }
  return options;
}

}  // namespace fairlead::bench
