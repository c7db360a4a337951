// SPDX-License-Identifier: Apache-2.0
// Notices that several clients recover the same part of a channel's stream, as all do that a broken network has cut off
// together, so that it is written once for all of them. It only ever shares what the engine has just answered to each.
#pragma once

#include "model/missed.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::server {

// One for each loop: one thread.
class MissedCache {
 public:
  // What it holds at most, for as long as it is asked for; the bytes are of each channel and form.
  static constexpr std::size_t most_channels = 128, most_bytes = std::size_t{64} * 1024;
  static constexpr std::size_t bytes_around_each = 96;  // of a publication's own bytes on the wire

  // `wake` is called when there is something to forget: let `sweep` be called some time later.
  explicit MissedCache(std::function<void()> wake) : wake_(std::move(wake)) {}

  // For a client that is told all of `publications` (one after the other, of one epoch); null as long as it is the only
  // one.
  [[nodiscard]] std::shared_ptr<const Missed> share(const std::string& channel, const std::string& epoch,
                                                    const std::vector<PublicationPtr>& publications);
  // Forgets what nobody has asked for since the last call. True: something is left, call it again.
  bool sweep();
  [[nodiscard]] std::size_t size() const noexcept { return ranges_.size(); }

 private:
  // The newest range of a channel that somebody has asked for.
  struct Range {
    std::string epoch;
    std::uint64_t first = 0, last = 0;  // offsets
    bool used = true;
    std::shared_ptr<const Missed> missed;  // once a second one has asked
    [[nodiscard]] bool covers(const std::string& of, const std::vector<PublicationPtr>& publications) const;
  };

  std::function<void()> wake_;
  std::unordered_map<std::string, Range> ranges_;
};

}  // namespace fairlead::server
