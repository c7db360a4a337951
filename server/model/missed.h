// SPDX-License-Identifier: Apache-2.0
// What many clients of a channel have missed alike: read by each, but written once for each format of the wire.
#pragma once

#include "model/publication.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::server {

// One loop, one thread.
class Missed {
 public:
  explicit Missed(std::vector<PublicationPtr> publications) : publications_(std::move(publications)) {}

  [[nodiscard]] const std::vector<PublicationPtr>& publications() const noexcept { return publications_; }

  // How they stand in an answer; `write` appends it, for whoever asks first.
  template <class Write>
  [[nodiscard]] std::string_view in_json(Write write) const {
    return made(json_, write);
  }
  template <class Write>
  [[nodiscard]] std::string_view in_protobuf(Write write) const {
    return made(protobuf_, write);
  }

 private:
  template <class Write>
  [[nodiscard]] std::string_view made(std::string& text, Write write) const {
    if (text.empty()) write(publications_, text);
    return text;
  }

  std::vector<PublicationPtr> publications_;  // not none
  mutable std::string json_, protobuf_;
};

}  // namespace fairlead::server
