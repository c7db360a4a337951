// SPDX-License-Identifier: Apache-2.0
// The command `fairlead`: each verb lies in the file of its name.
#include <csignal>

#include "program.h"
#include "terminal.h"

int main(int argc, char** argv) {
  if (!fairlead::cli::open_missing_streams()) return static_cast<int>(fairlead::cli::ExitStatus::local_io);
  // A reader that has gone is an error of the write, with a sentence and a status, not a silent death.
  (void)std::signal(SIGPIPE, SIG_IGN);
  fairlead::cli::Program program;
  fairlead::cli::add_serve(program);
  fairlead::cli::add_echo(program);
  fairlead::cli::add_connect(program);
  fairlead::cli::add_bench(program);
  fairlead::cli::add_cert(program);
  fairlead::cli::add_config(program);
  fairlead::cli::add_token(program);
  fairlead::cli::add_publish(program);
  fairlead::cli::add_subscribe(program);
  fairlead::cli::add_channels(program);
  fairlead::cli::add_demo(program);
  fairlead::cli::add_version(program);
  fairlead::cli::add_docs(program);
  return program.main(argc, argv);
}
