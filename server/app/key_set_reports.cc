// SPDX-License-Identifier: Apache-2.0
#include "app/key_set_reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fairlead::server {

KeySetReports::KeySetReports(LogSink log, std::function<TimePoint()> clock)
    : log_(std::move(log)), clock_(std::move(clock)) {}

std::string KeySetReports::source_of(std::string url) {
  if (url.starts_with("file:")) return url;
  url.resize(std::min(url.size(), url.find_first_of("?#")));
  const std::size_t host = url.find("://");
  if (host == std::string::npos) return url;
  const std::size_t end = std::min(url.size(), url.find('/', host + 3));
  const std::size_t at = url.rfind('@', end);
  if (at != std::string::npos && at > host) url.erase(host + 3, at - host - 2);
  return url;
}

void KeySetReports::follow(const std::vector<std::string>& urls) {
  std::set<std::string> followed;
  for (const std::string& url : urls) followed.insert(source_of(url));
  const std::scoped_lock lock(mutex_);
  std::erase_if(sources_, [&](const auto& source) { return !followed.contains(source.first); });
  followed_ = std::move(followed);
}

void KeySetReports::note(const std::string& url, const std::string& why) {
  const std::string name = source_of(url);
  std::string line;
  {
    const TimePoint now = clock_();
    const std::scoped_lock lock(mutex_);
    if (followed_ && !followed_->contains(name)) return;
    Source& source = sources_[name];
    const bool was_failing = std::exchange(source.failing, !why.empty());
    if (why.empty()) {
      if (was_failing) line = fmt::format("the set of keys {} has come again", name);
    } else {
      const bool first = ++source.failures == 1;
      if (!first && now < source.silent_until) return;
      source.silent_until = now + silence;
      line = fmt::format("the set of keys {} is of no use, so tokens that need a new key of it are not accepted: {}",
                         name, why);
    }
  }
  if (log_ && !line.empty()) log_(why.empty() ? LogLevel::info : LogLevel::error, line);
}

std::vector<MetricFamily> KeySetReports::metrics() const {
  MetricFamily failures{
      "fairlead_key_set_failures_total", "Times that a set of keys could not be had.", MetricKind::counter, {}};
  MetricFamily failing{
      "fairlead_key_set_failing", "1: the newest try to get this set of keys has failed.", MetricKind::gauge, {}};
  const std::scoped_lock lock(mutex_);
  if (sources_.empty()) return {};
  for (const auto& [name, source] : sources_) {
    failures.samples.push_back({{{"source", name}}, static_cast<double>(source.failures), {}, {}, 0});
    failing.samples.push_back({{{"source", name}}, source.failing ? 1.0 : 0.0, {}, {}, 0});
  }
  return {std::move(failures), std::move(failing)};
}

}  // namespace fairlead::server
