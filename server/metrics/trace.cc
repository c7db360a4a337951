// SPDX-License-Identifier: Apache-2.0
#include "metrics/trace.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace fairlead::server {

namespace {

bool fits(const std::string& wanted, const std::string& value) { return wanted.empty() || wanted == value; }

// A record about a whole channel belongs to each of its clients, one about a whole client to each of its channels.
bool concerns(const TraceRecord& record, const TraceQuery& query) {
  const bool of_channel = fits(query.channel, record.channel) || record.channel.empty();
  if (!of_channel) return false;
  if (record.client.empty()) return true;
  return fits(query.client, record.client) && fits(query.user, record.user);
}

bool leaves_out_one(TraceKind kind) {
  return kind == TraceKind::filtered || kind == TraceKind::conflated || kind == TraceKind::sampled ||
         kind == TraceKind::dropped;
}

struct Finding {
  std::string_view verdict, sentence;
};
constexpr Finding delivered{"delivered", "The client was subscribed when it was published and nothing kept it back."};
constexpr Finding not_subscribed{"not_subscribed", "The client was not subscribed to the channel at that time."};
constexpr Finding unknown{"unknown", "Nothing is remembered about this; it may be too long ago."};

Finding finding_of(TraceKind kind) {
  switch (kind) {
    case TraceKind::refused:
      return {"refused", "The client was not allowed to subscribe to the channel."};
    case TraceKind::filtered:
      return {"filtered", "The tags filter of the subscription did not let it through."};
    case TraceKind::conflated:
      return {"conflated", "The client read too slowly, and a newer one of the same key replaced it."};
    case TraceKind::sampled:
      return {"sampled", "The client read too slowly, and it was over the rate of the subscription."};
    case TraceKind::dropped:
      return {"dropped", "The client read too slowly, and it was the oldest of a full queue."};
    case TraceKind::gap:
      return {"gap",
              "An offset did not follow: the subscription ended so that the client subscribes anew and recovers."};
    case TraceKind::slow:
      return {"slow", "The client read too slowly and was disconnected."};
    case TraceKind::unrecovered:
      return {"unrecovered", "When the client came back it was no longer in the history."};
    case TraceKind::unsubscribed:
    case TraceKind::disconnected:
      return not_subscribed;
    case TraceKind::published:
    case TraceKind::subscribed:
    case TraceKind::recovered:
      return delivered;
  }
  return unknown;
}

// What became of one publication for one client, from its records, oldest first. Before it: whether the client was
// subscribed. After it: whether it was made good, or lost for ever, when the client came back.
class Inquiry {
 public:
  explicit Inquiry(std::uint64_t offset) : offset_(offset) {}

  void look_at(const TraceRecord& record) {
    if (record.kind == TraceKind::published) {
      was_published_ = was_published_ || offset_ == 0 || record.offset == offset_;
      return;
    }
    ++about_client_;
    if (leaves_out_one(record.kind)) {
      if (offset_ == 0 || record.offset == offset_) left_out_ = record.kind;
      return;
    }
    if (!was_published_ || offset_ == 0) {
      state_ = record.kind == TraceKind::recovered ? TraceKind::subscribed : record.kind;
      if (record.kind == TraceKind::unrecovered) was_lost_ = record.offset >= offset_;
      return;
    }
    look_at_later(record);
  }

  [[nodiscard]] Finding result() const {
    if (left_out_) return finding_of(*left_out_);
    if (made_good_) return delivered;
    if (was_lost_) return finding_of(TraceKind::unrecovered);
    if (about_client_ == 0) return was_published_ && offset_ > 0 ? not_subscribed : unknown;
    if (state_ == TraceKind::subscribed && broken_) return finding_of(*broken_);
    if (state_) return finding_of(*state_);
    return was_published_ ? not_subscribed : unknown;
  }

 private:
  void look_at_later(const TraceRecord& record) {
    if (record.kind == TraceKind::gap && record.offset >= offset_ && !broken_) broken_ = record.kind;
    if (record.kind == TraceKind::slow && !broken_) broken_ = record.kind;
    if (record.kind == TraceKind::recovered && record.offset >= offset_) made_good_ = true;
    const bool here_then = state_ == TraceKind::subscribed && !broken_;
    if (record.kind == TraceKind::unrecovered && record.offset >= offset_ && !here_then) was_lost_ = true;
  }

  std::uint64_t offset_;
  bool was_published_ = false, made_good_ = false, was_lost_ = false;
  std::size_t about_client_ = 0;
  std::optional<TraceKind> state_, left_out_, broken_;
};

}  // namespace

std::string_view name(TraceKind kind) noexcept {
  constexpr std::array<std::string_view, 13> names{"published", "subscribed",  "unsubscribed", "refused", "filtered",
                                                   "conflated", "sampled",     "dropped",      "gap",     "slow",
                                                   "recovered", "unrecovered", "disconnected"};
  return names[static_cast<std::size_t>(kind)];
}

TraceRing::TraceRing(std::size_t records) : capacity_(std::max<std::size_t>(records, 1)) {}

void TraceRing::add(TraceRecord record) {
  const std::scoped_lock lock(mutex_);
  if (ring_.size() < capacity_) {
    ring_.push_back(std::move(record));
    return;
  }
  ring_[next_] = std::move(record);
  next_ = (next_ + 1) % capacity_;
}

std::vector<TraceRecord> TraceRing::find(const TraceQuery& query) const {
  std::vector<TraceRecord> found;
  const std::scoped_lock lock(mutex_);
  for (std::size_t back = 1; back <= ring_.size() && found.size() < query.limit; ++back) {
    const TraceRecord& record = ring_[(next_ + ring_.size() - back) % ring_.size()];
    const bool of_offset = query.offset == 0 || record.offset == query.offset || !leaves_out_one(record.kind);
    if (concerns(record, query) && of_offset) found.push_back(record);
  }
  return found;
}

TraceAnswer TraceRing::why(const TraceQuery& query) const {
  TraceQuery all = query;
  all.limit = capacity_;
  std::vector<TraceRecord> records = find(all);
  const bool has_other_publications = query.offset > 0;
  if (has_other_publications)
    std::erase_if(records, [&](const TraceRecord& record) {
      return record.kind == TraceKind::published && record.offset != query.offset;
    });
  Inquiry inquiry(query.offset);
  for (auto record = records.rbegin(); record != records.rend(); ++record) inquiry.look_at(*record);
  const Finding finding = inquiry.result();
  if (records.size() > query.limit) records.resize(query.limit);
  return {std::string(finding.verdict), std::string(finding.sentence), std::move(records)};
}

}  // namespace fairlead::server
