// SPDX-License-Identifier: Apache-2.0
#include "model/filter.h"

#include "model/decimal.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace fairlead::server {

namespace {

using namespace std::string_view_literals;
using Tags = std::map<std::string, std::string>;

enum class Comparison : std::uint8_t { eq, neq, in, nin, ex, nex, sw, ew, ct, lt, lte, gt, gte, unknown };

Comparison comparison(std::string_view name) {
  static constexpr std::array names{"eq"sv, "neq"sv, "in"sv, "nin"sv, "ex"sv, "nex"sv, "sw"sv,
                                    "ew"sv, "ct"sv,  "lt"sv, "lte"sv, "gt"sv, "gte"sv};
  return static_cast<Comparison>(std::ranges::find(names, name) - names.begin());
}

using Verdict = std::expected<void, std::string>;
Verdict broken(std::string rule) { return std::unexpected(std::move(rule)); }

Verdict check_comparison(const FilterNode& node) {
  if (!node.nodes.empty()) return broken("a comparison has no children");
  if (node.key.empty()) return broken("a comparison needs a key");
  switch (comparison(node.cmp)) {
    case Comparison::unknown:
      return broken("unknown comparison");
    case Comparison::ex:
    case Comparison::nex:
      return {};
    case Comparison::in:
    case Comparison::nin:
      return node.vals.empty() ? broken("in and nin need values") : Verdict{};
    default:
      return node.val.empty() ? broken("a comparison needs a value") : Verdict{};
  }
}

Verdict check_shape(const FilterNode& node) {
  if (node.op.empty()) return check_comparison(node);
  if (node.op == "not") return node.nodes.size() == 1 ? Verdict{} : broken("not has exactly one child");
  if (node.op != "and" && node.op != "or") return broken("unknown operator");
  return node.nodes.empty() ? broken("and and or need children") : Verdict{};
}

// Counts down what is left of the limits.
Verdict check_within(const FilterNode& node, FilterLimits& left) {
  if (left.depth == 0) return broken("the filter is nested too deeply");
  if (left.nodes == 0) return broken("the filter has too many nodes");
  if (left.values < node.vals.size()) return broken("the filter has too many values");
  --left.nodes;
  left.values -= node.vals.size();
  if (auto shape = check_shape(node); !shape) return shape;
  --left.depth;
  for (const FilterNode& child : node.nodes)
    if (auto verdict = check_within(child, left); !verdict) return verdict;
  ++left.depth;
  return {};
}

bool contains(const std::vector<std::string>& values, std::string_view value) {
  return std::ranges::find(values, value) != values.end();
}

bool is_ordered(Comparison how, const std::string& tag, const std::string& value) {
  const auto order = compare_decimals(tag, value);
  if (!order) return false;
  if (how == Comparison::lt) return *order < 0;
  if (how == Comparison::lte) return *order <= 0;
  if (how == Comparison::gt) return *order > 0;
  return *order >= 0;
}

bool matches_tag(const FilterNode& node, Comparison how, const std::string& tag) {
  switch (how) {
    case Comparison::eq:
      return tag == node.val;
    case Comparison::neq:
      return tag != node.val;
    case Comparison::in:
      return contains(node.vals, tag);
    case Comparison::nin:
      return !contains(node.vals, tag);
    case Comparison::ex:
      return true;
    case Comparison::sw:
      return tag.starts_with(node.val);
    case Comparison::ew:
      return tag.ends_with(node.val);
    case Comparison::ct:
      return tag.contains(node.val);
    case Comparison::lt:
    case Comparison::lte:
    case Comparison::gt:
    case Comparison::gte:
      return is_ordered(how, tag, node.val);
    case Comparison::nex:
    case Comparison::unknown:
      return false;
  }
  return false;
}

bool compare(const FilterNode& node, const Tags& tags) {
  const Comparison how = comparison(node.cmp);
  const auto tag = tags.find(node.key);
  if (tag != tags.end()) return matches_tag(node, how, tag->second);
  return how == Comparison::neq || how == Comparison::nin || how == Comparison::nex;
}

}  // namespace

std::expected<void, std::string> check(const FilterNode& filter, const FilterLimits& limits) {
  FilterLimits left = limits;
  return check_within(filter, left);
}

bool matches(const FilterNode& filter, const Tags& tags) {
  const auto holds = [&](const FilterNode& child) { return matches(child, tags); };
  if (filter.op.empty()) return compare(filter, tags);
  if (filter.op == "not") return !filter.nodes.empty() && !holds(filter.nodes.front());
  if (filter.op == "or") return std::ranges::any_of(filter.nodes, holds);
  return std::ranges::all_of(filter.nodes, holds);
}

}  // namespace fairlead::server
