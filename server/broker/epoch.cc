// SPDX-License-Identifier: Apache-2.0
#include "broker/epoch.h"

#include <cstddef>
#include <random>
#include <string_view>

namespace fairlead::server {

namespace {
constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t epoch_letters = 8;
}  // namespace

std::string new_epoch() {
  static thread_local std::random_device entropy;
  std::uniform_int_distribution<std::size_t> pick(0, letters.size() - 1);
  std::string epoch(epoch_letters, ' ');
  for (char& letter : epoch) letter = letters[pick(entropy)];
  return epoch;
}

}  // namespace fairlead::server
