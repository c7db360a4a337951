// SPDX-License-Identifier: Apache-2.0
// One direction of a simulated stream: in order like TCP, but split anywhere, delayed, narrow, and mortal.
#pragma once

#include <fairlead/time.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace fairlead::sim {

using Random = std::mt19937_64;

inline std::size_t pick(Random& random, std::size_t below) { return static_cast<std::size_t>(random() % below); }

struct WireTraits {
  std::size_t longest_piece = 4096;  // bytes that arrive together, at most
  std::chrono::milliseconds longest_delay{20};
  std::size_t window_bytes = 1 << 20;  // bytes under way, at most
};

class Wire {
 public:
  struct Arrival {
    std::string bytes;
    bool end = false;
  };

  explicit Wire(WireTraits traits) : traits_(traits) {}

  // How many bytes the sender may write now.
  [[nodiscard]] std::size_t room() const {
    if (swallows_) return traits_.window_bytes;
    return traits_.window_bytes > under_way_ ? traits_.window_bytes - under_way_ : 0;
  }

  void write(std::string_view bytes, TimePoint now, Random& random) {
    while (!bytes.empty() && !swallows_ && !ended_) {
      const std::size_t piece = std::min(bytes.size(), pick(random, traits_.longest_piece) + 1);
      push({std::string(bytes.substr(0, piece)), false}, now, random);
      under_way_ += piece;
      bytes.remove_prefix(piece);
    }
  }
  void end(TimePoint now, Random& random) {
    if (!swallows_ && !ended_) push({{}, true}, now, random);
    ended_ = true;
  }

  // Everything from now on is lost without a word: a cable is pulled.
  void swallow() { swallows_ = true; }
  // The connection is reset: what was under way is lost, and the end is seen at once.
  void reset(TimePoint now) {
    items_.clear();
    under_way_ = 0;
    ended_ = true;
    items_.push_back({now, {{}, true}});
  }

  [[nodiscard]] std::optional<TimePoint> next() const {
    if (items_.empty()) return std::nullopt;
    return items_.front().at;
  }
  std::optional<Arrival> read(TimePoint now) {
    if (items_.empty() || items_.front().at > now) return std::nullopt;
    Arrival arrival = std::move(items_.front().arrival);
    items_.pop_front();
    under_way_ -= arrival.bytes.size();
    return arrival;
  }

 private:
  struct Item {
    TimePoint at;
    Arrival arrival;
  };

  void push(Arrival arrival, TimePoint now, Random& random) {
    const auto most = static_cast<std::size_t>(std::chrono::microseconds(traits_.longest_delay).count()) + 1;
    const auto delay = std::chrono::microseconds(pick(random, most));
    last_ = std::max(last_, now + delay);
    items_.push_back({last_, std::move(arrival)});
  }

  WireTraits traits_;
  std::deque<Item> items_;
  TimePoint last_{};
  std::size_t under_way_ = 0;
  bool swallows_ = false;
  bool ended_ = false;
};

}  // namespace fairlead::sim
