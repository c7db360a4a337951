// SPDX-License-Identifier: Apache-2.0
// The command `fairlead` with `echo` and `connect` alone, whose keys last for a few records instead of 2^24:
// $FAIRLEAD_TEST_RECORDS_PER_KEY says for how many. So the KeyUpdate that comes by itself can be seen on the wire.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "program.h"
#include "tls/record/sealer.h"

int main(int argc, char** argv) {
  const char* wanted = std::getenv("FAIRLEAD_TEST_RECORDS_PER_KEY");  // NOLINT(concurrency-mt-unsafe)
  const unsigned long records = wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 0;
  if (records < 2) {
    (void)std::fputs("FAIRLEAD_TEST_RECORDS_PER_KEY must be 2 or more\n", stderr);
    return EXIT_FAILURE;
  }
  fairlead::tls::record::records_per_key_unless_a_test_lowers_it = static_cast<std::uint32_t>(records);
  (void)std::signal(SIGPIPE, SIG_IGN);
  fairlead::cli::Program program;
  fairlead::cli::add_echo(program);
  fairlead::cli::add_connect(program);
  return program.main(argc, argv);
}
