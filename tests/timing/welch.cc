// SPDX-License-Identifier: Apache-2.0
#include "timing/welch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>

namespace fairlead::timing {
namespace {

constexpr std::size_t samples_each_round = 4'000;
constexpr std::size_t rounds = 9;
constexpr std::size_t rounds_that_agree = 8;
// dudect takes |t| > 4.5 for a sign and > 10 for a proof. A busy machine makes single rounds say anything, but not
// nearly all of them in one direction.
constexpr double proof = 10;
// Below this part of the mean it is the layout of the memory, not the data: equal code stays below 0.06 % here. A
// comparison of 16 bytes that stops at the first difference is about 1 % of opening a small record.
constexpr double gross = 0.002;
constexpr double kept = 0.9;  // of the samples: interrupts are in the rest

using Samples = std::array<std::vector<double>, 2>;

// A processor begins the next run before one has ended, which hides what the end of a run costs, and a comparison is
// there.
void wait_for_the_end() {
#if defined(__x86_64__)
  __builtin_ia32_lfence();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

double one_sample(const Subject& subject) {
  const auto begin = std::chrono::steady_clock::now();
  for (int run = 0; run < subject.runs_each_sample; ++run) {
    subject.run();
    wait_for_the_end();
  }
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
  return spent.count() / subject.runs_each_sample;
}

Samples measure(const Subject& subject, std::mt19937_64& random) {
  Samples samples;
  for (std::size_t at = 0; at < samples_each_round; ++at) {
    const bool second = (random() & 1U) != 0;
    subject.prepare(second);
    subject.run();  // so that both classes find the caches alike
    samples[second ? 1 : 0].push_back(one_sample(subject));
  }
  return samples;
}

// The same bound for both classes: dropping a share of each would hide a difference in the tail.
void crop(Samples& samples) {
  std::vector<double> all = samples[0];
  all.insert(all.end(), samples[1].begin(), samples[1].end());
  const auto bound = all.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(all.size()) * kept);
  std::nth_element(all.begin(), bound, all.end());
  for (auto& one : samples) std::erase_if(one, [&](double value) { return value > *bound; });
}

struct Moments {
  double mean = 0;
  double variance_of_mean = 0;
};

Moments moments(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  if (count < 2) return {};
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {.mean = mean, .variance_of_mean = squares / (count - 1) / count};
}

Round judge(const Samples& samples) {
  const Moments first = moments(samples[0]);
  const Moments second = moments(samples[1]);
  const double difference = second.mean - first.mean;
  const double spread = std::sqrt(first.variance_of_mean + second.variance_of_mean);
  return {.t = spread > 0 ? difference / spread : 0, .difference = difference, .mean = (first.mean + second.mean) / 2};
}

Round median_round(std::vector<Round> all) {
  std::ranges::sort(all, {}, &Round::difference);
  return all[all.size() / 2];
}

}  // namespace

bool Verdict::differs() const {
  const Round middle = median_round(rounds);
  const auto agrees = [&](const Round& one) {
    return std::abs(one.t) > proof && std::signbit(one.t) == std::signbit(middle.t) &&
           std::abs(one.difference) > gross * one.mean;
  };
  return static_cast<std::size_t>(std::ranges::count_if(rounds, agrees)) >= rounds_that_agree;
}

std::string Verdict::text() const {
  const Round middle = median_round(rounds);
  std::array<char, 128> line{};
  const int size = std::snprintf(line.data(), line.size(), "%9.1f ns, difference %+8.2f ns (%+6.2f %%), t %+7.1f",
                                 middle.mean, middle.difference, 100 * middle.difference / middle.mean, middle.t);
  return {line.data(), static_cast<std::size_t>(size)};
}

Verdict compare(const Subject& subject) {
  std::mt19937_64 random(8446);
  Verdict verdict;
  for (std::size_t round = 0; round < rounds; ++round) {
    Samples samples = measure(subject, random);
    crop(samples);
    verdict.rounds.push_back(judge(samples));
  }
  return verdict;
}

}  // namespace fairlead::timing
