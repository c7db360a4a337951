// SPDX-License-Identifier: Apache-2.0
// The command `fairlead`: each verb lies in the file of its name.
#include "program.h"

int main(int argc, char** argv) {
  fairlead::cli::Program program;
  fairlead::cli::add_echo(program);
  fairlead::cli::add_connect(program);
  fairlead::cli::add_bench(program);
  fairlead::cli::add_cert(program);
  fairlead::cli::add_demo(program);
  fairlead::cli::add_version(program);
  fairlead::cli::add_docs(program);
  return program.main(argc, argv);
}
