// SPDX-License-Identifier: Apache-2.0
// A client with a channel of its own, in which it publishes at a steady rate and listens, on a thread of its own: what
// everybody else notices of a storm. A latency ends when the kernel gets the bytes, not when this thread has its turn,
// because the machine's second core belongs to the storm.
#pragma once

#include <atomic>
#include <thread>

#include "crowd.h"

namespace fairlead::bench {

class Bystander {
 public:
  // Returns once it has subscribed.
  explicit Bystander(const Options& options);
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;
  ~Bystander();

  // Its latencies since the start. What has not arrived by now has taken at least until now. Throws Trouble.
  [[nodiscard]] cli::Histogram stop();

 private:
  class Work;
  std::unique_ptr<Work> work_;
  std::thread thread_;
};

}  // namespace fairlead::bench
