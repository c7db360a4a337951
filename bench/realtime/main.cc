// SPDX-License-Identifier: Apache-2.0
// The generator for the comparison of real-time servers: subscribers, publishers and storms of them, all on one thread.
// It counts and checks every delivery; one that is lost, doubled, damaged or out of order makes the run fail.
#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <stdexcept>

#include "crowd.h"

namespace {

using namespace fairlead::bench;

void raise_file_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Outcome run(const Options& options, Meter& meter) {
  switch (options.mode) {
    case Mode::fanout:
      return run_fanout(options, meter);
    case Mode::api:
      return run_api(options, meter);
    case Mode::subscribe_storm:
      return run_subscribe_storm(options, meter);
    case Mode::recover_storm:
      return run_recover_storm(options, meter);
    case Mode::memory:
      return run_memory(options, meter);
  }
  throw std::logic_error("no such mode");
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  raise_file_limit();
  try {
    Meter meter(options.server_pid);
    const Outcome outcome = run(options, meter);
    std::fputs(to_json(outcome, meter).c_str(), stdout);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
