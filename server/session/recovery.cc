// SPDX-License-Identifier: Apache-2.0
#include "session/recovery.h"

#include <utility>

namespace fairlead::server {

// An empty epoch asks for the stream from the offset on, whatever its epoch; any other must be the stream's own. So the
// sentinel "_" of clients whose state was invalidated never recovers.
Catchup recover_stream(const StreamPosition& since, History history) {
  if (!since.epoch.empty() && since.epoch != history.top.epoch) return {};
  auto& publications = history.publications;
  if (publications.empty()) return {history.top.offset == since.offset, {}};
  std::uint64_t expected = since.offset;
  for (const PublicationPtr& publication : publications)
    if (publication->offset != ++expected) return {};
  if (expected != history.top.offset) return {};  // more is missing than may be recovered
  return {true, std::move(publications)};
}

Catchup recover_newest(const StreamPosition& since, History history) {
  if (history.publications.empty()) return {};
  const PublicationPtr& newest = history.publications.front();
  if (newest->offset != history.top.offset) return {};
  const bool has_it = since.offset > 0 && since.offset == newest->offset && since.epoch == history.top.epoch;
  if (has_it) return {true, {}};
  return {true, {newest}};
}

}  // namespace fairlead::server
