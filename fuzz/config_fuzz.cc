// SPDX-License-Identifier: Apache-2.0
// Configurations: any text is refused with a bounded number of sentences, or reads back as what it was printed as.
#include "config/load.h"
#include "config/print.h"
#include "input.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fairlead::server;
  fairlead::fuzzing::Input input(data, size);
  const auto format = (input.byte() & 1U) != 0 ? config::Format::json : config::Format::toml;
  config::ConfigSources sources;
  sources.file = config::File{"fuzz", input.bytes(size), format};
  const auto loaded = config::read(sources);
  if (!loaded) {
    if (loaded.error().size() > config::problems_limit + 1) std::abort();
    return 0;
  }
  const std::string printed = config::print(loaded->settings, {config::Format::json, true, false});
  config::ConfigSources again;
  again.file = config::File{"again", printed, config::Format::json};
  const auto reloaded = config::read(again);
  if (!reloaded || !config::diff(loaded->settings, reloaded->settings).empty()) std::abort();
  return 0;
}
