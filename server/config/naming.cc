// SPDX-License-Identifier: Apache-2.0
// What keys and their types are called, and which one was meant by a name that is none.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "config/keys.h"

namespace fairlead::server::config {
namespace {

// Characters that are missing, too many or others, and neighbours that changed places.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> last_but_one(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    last_but_one.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], last_but_one[j - 2] + 1);
    }
  }
  return row.back();
}

std::string_view last_word(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

struct TypeName {
  const Traits& traits;
  std::string operator()(bool* const&) const { return "true or false"; }
  std::string operator()(std::string* const&) const { return "a string"; }
  std::string operator()(std::size_t* const&) const {
    return traits.bytes ? "a size such as \"64KiB\"" : "a whole number";
  }
  std::string operator()(unsigned* const&) const { return "a whole number"; }
  std::string operator()(std::int64_t* const&) const { return "a whole number"; }
  std::string operator()(double* const&) const { return "a number"; }
  std::string operator()(std::chrono::milliseconds* const&) const { return "a duration such as \"1m30s\""; }
  std::string operator()(std::vector<std::string>* const&) const { return "a list of strings"; }
  std::string operator()(std::map<std::string, std::string>* const&) const { return "a table of strings"; }
  std::string operator()(SlowPolicy* const&) const { return "a string"; }
  std::string operator()(std::vector<StatusTransform>* const&) const { return "a list of tables"; }
};

}  // namespace

std::string type_text(const Slot& slot, const Traits& traits) {
  if (!traits.choices.empty()) {
    std::vector<std::string> quoted;
    quoted.reserve(traits.choices.size());
    for (const std::string_view choice : traits.choices) quoted.push_back(fmt::format("\"{}\"", choice));
    return fmt::format("one of {}", fmt::join(quoted, ", "));
  }
  return std::visit(TypeName{traits}, slot);
}

std::string nearest(std::string_view path, std::span<const std::string> known) {
  constexpr std::size_t longest = 200;  // beyond it nobody means a key, and the comparison costs time
  if (path.size() > longest) return {};
  std::string best;
  // What is half another word, or more of it, was not meant.
  std::size_t least = std::min(path.size() / 4 + 2, (last_word(path).size() + 1) / 2);
  for (const std::string& candidate : known) {
    if (candidate.size() > path.size() + least || path.size() > candidate.size() + least) continue;
    const std::size_t distance = edit_distance(path, candidate);
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  if (!best.empty()) return best;
  // The right word in the wrong place.
  const auto same = std::ranges::find_if(known, [&](const auto& one) { return last_word(one) == last_word(path); });
  return same == known.end() ? std::string() : *same;
}

std::vector<std::string> known_paths() {
  std::vector<std::string> paths;
  for (const Key& key : keys()) paths.push_back(key.path);
  paths.emplace_back(namespaces_path);
  paths.emplace_back(rpc_namespaces_path);
  paths.emplace_back(proxies_path);
  return paths;
}

std::vector<std::string> sections_of(std::span<const std::string> known) {
  std::set<std::string> sections;
  for (const std::string& path : known) {
    for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1))
      sections.insert(path.substr(0, dot));
  }
  return {sections.begin(), sections.end()};
}

}  // namespace fairlead::server::config
