// SPDX-License-Identifier: Apache-2.0
// Whether two classes of input take the same time, after "Dude, is my code constant time?" (Reparaz, Balasch,
// Verbauwhede 2017): measure both in random order, drop the slow tail, compare by Welch's t-test.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace fairlead::timing {

// One comparison: `prepare(second)` makes an input of the first or the second class, outside of what is measured; `run`
// works on it.
struct Subject {
  std::string name;
  std::function<void(bool second)> prepare;
  std::function<void()> run;
  int runs_each_sample = 16;  // so that the clock's own time weighs little
};

struct Round {
  double t = 0;           // Welch's statistic; positive: the second class takes longer
  double difference = 0;  // of the means, in nanoseconds for one run
  double mean = 0;
};

struct Verdict {
  std::vector<Round> rounds;
  [[nodiscard]] bool differs() const;  // grossly: nearly every round says so, in the same direction
  [[nodiscard]] std::string text() const;
};

// Takes well below a second for a subject of 150 ns.
[[nodiscard]] Verdict compare(const Subject& subject);

}  // namespace fairlead::timing
