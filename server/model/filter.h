// SPDX-License-Identifier: Apache-2.0
// Filters over the tags of publications, sent by a subscriber and applied on the server before fan-out.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

namespace fairlead::server {

struct FilterNode {
  std::string op;   // "" (a comparison), "and", "or", "not"
  std::string key;  // a comparison's tag
  std::string cmp;  // eq neq in nin ex nex sw ew ct lt lte gt gte
  std::string val;
  std::vector<std::string> vals;
  std::vector<FilterNode> nodes;
  friend bool operator==(const FilterNode&, const FilterNode&) = default;
};

// What a filter may cost: nodes in all, depth, values in all. A deeper one is malformed.
struct FilterLimits {
  std::size_t nodes = 64;
  std::size_t depth = 8;
  std::size_t values = 256;
};

// Nothing, or the sentence that names the broken rule: `not` has exactly one child, `in` and `nin` have values, other
// comparisons a value (but ex and nex), operators and comparisons are known ones.
[[nodiscard]] std::expected<void, std::string> check(const FilterNode& filter, const FilterLimits& limits = {});

// A missing tag makes neq, nin and nex true and all others false. lt, lte, gt and gte compare exact decimals; what is
// no decimal number makes them false. `filter` has passed `check`.
[[nodiscard]] bool matches(const FilterNode& filter, const std::map<std::string, std::string>& tags);

}  // namespace fairlead::server
