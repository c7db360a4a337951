// SPDX-License-Identifier: Apache-2.0
// The command line that every C++ peer understands, and the line that says that it is ready.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fairlead::bench {

struct Options {
  int port = 0;  // 0: any free one
  std::string cert;
  std::string key;
  bool compress = false;
};

inline Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--compress") {
      options.compress = true;
      continue;
    }
    const char* value = i + 1 < argc ? argv[++i] : "";
    if (name == "--port") options.port = std::atoi(value);
    if (name == "--cert") options.cert = value;
    if (name == "--key") options.key = value;
  }
  return options;
}

inline void announce(int port) {
  std::printf("listening on wss://127.0.0.1:%d/\n", port);
  std::fflush(stdout);
}

}  // namespace fairlead::bench
