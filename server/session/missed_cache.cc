// SPDX-License-Identifier: Apache-2.0
#include "session/missed_cache.h"

#include <iterator>
#include <numeric>
#include <utility>

namespace fairlead::server {

namespace {

// One alone is written as fast as it is found.
constexpr std::size_t least_publications = 2;

// About what each form of it takes, and what it is made from.
std::size_t bytes_of(const Publication& one) {
  std::size_t bytes = one.data.size() + one.key.size() + MissedCache::bytes_around_each;
  for (const auto& [name, value] : one.tags) bytes += name.size() + value.size();
  if (one.info) {
    bytes += one.info->user.size() + one.info->client.size() + one.info->conn_info.size() + one.info->chan_info.size();
  }
  return bytes;
}

std::size_t bytes_of(const std::vector<PublicationPtr>& publications) {
  return std::accumulate(publications.begin(), publications.end(), std::size_t{0},
                         [](std::size_t sum, const PublicationPtr& one) { return sum + bytes_of(*one); });
}

}  // namespace

bool MissedCache::Range::covers(const std::string& of, const std::vector<PublicationPtr>& publications) const {
  return publications.front()->offset == first && publications.back()->offset == last && of == epoch;
}

std::shared_ptr<const Missed> MissedCache::share(const std::string& channel, const std::string& epoch,
                                                 const std::vector<PublicationPtr>& publications) {
  if (publications.size() < least_publications) return nullptr;
  const auto found = ranges_.find(channel);
  if (found != ranges_.end() && found->second.covers(epoch, publications)) {
    Range& range = found->second;
    range.used = true;
    if (range.missed == nullptr && bytes_of(publications) <= most_bytes)
      range.missed = std::make_shared<const Missed>(publications);
    return range.missed;
  }
  if (found == ranges_.end() && ranges_.size() >= most_channels) return nullptr;
  if (ranges_.empty()) wake_();
  ranges_[channel] = {epoch, publications.front()->offset, publications.back()->offset, true, nullptr};
  return nullptr;
}

bool MissedCache::sweep() {
  for (auto at = ranges_.begin(); at != ranges_.end();)
    at = std::exchange(at->second.used, false) ? std::next(at) : ranges_.erase(at);
  return !ranges_.empty();
}

}  // namespace fairlead::server
