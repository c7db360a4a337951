// SPDX-License-Identifier: Apache-2.0
// What a publication's options come down to, the same in every engine.
#pragma once

#include "broker/broker.h"

#include <algorithm>
#include <chrono>

namespace fairlead::server {

[[nodiscard]] inline bool has_history(const PublishOptions& options) noexcept {
  return options.history_size > 0 && options.history_ttl.count() > 0;
}

// False: the publication only passes through.
[[nodiscard]] inline bool keeps_anything(const PublishOptions& options) noexcept {
  return has_history(options) || options.keep_latest || !options.idempotency_key.empty() || options.version > 0;
}

// A position that ended before its publications would give their offsets away a second time.
[[nodiscard]] inline std::chrono::milliseconds position_ttl(std::chrono::milliseconds history_ttl,
                                                            std::chrono::milliseconds history_meta_ttl) noexcept {
  return std::max(history_ttl, history_meta_ttl);
}

}  // namespace fairlead::server
