// SPDX-License-Identifier: Apache-2.0
// Clients that are connected and subscribed, and then silent: what does each cost the server in memory?
#include "crowd.h"

namespace fairlead::bench {

namespace {

class Memory final : public Crowd {
 public:
  using Crowd::Crowd;

  Outcome run(Meter& meter) {
    open_all();
    pass(options_.warmup_seconds);
    meter.start();
    pass(options_.duration_seconds);
    meter.stop();
    meter.count_memory();
    Outcome outcome;
    outcome.count = clients().size();
    describe_tls(outcome);
    return outcome;
  }
};

}  // namespace

Outcome run_memory(const Options& options, Meter& meter) { return Memory(options).run(meter); }

}  // namespace fairlead::bench
