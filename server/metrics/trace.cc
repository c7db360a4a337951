// SPDX-License-Identifier: Apache-2.0
#include "metrics/trace.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
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

// Whether the client was there: few of these stand against many publications.
bool is_standing(TraceKind kind) {
  switch (kind) {
    case TraceKind::subscribed:
    case TraceKind::unsubscribed:
    case TraceKind::gap:
    case TraceKind::slow:
    case TraceKind::recovered:
    case TraceKind::unrecovered:
    case TraceKind::disconnected:
      return true;
    case TraceKind::published:
    case TraceKind::refused:
    case TraceKind::filtered:
    case TraceKind::conflated:
    case TraceKind::sampled:
    case TraceKind::dropped:
      break;
  }
  return false;
}

struct Finding {
  std::string_view verdict, sentence;
};
constexpr Finding delivered{"delivered", "The client was subscribed when it was published and nothing kept it back."};
constexpr Finding not_subscribed{"not_subscribed", "The client was not subscribed to the channel at that time."};
constexpr Finding unknown{"unknown", "What would decide is not remembered: it may be too long ago, or never was."};
constexpr Finding subscribe_refused{"refused", "The client was not allowed to subscribe to the channel."};
constexpr Finding connect_refused{"refused", "The client was not allowed to connect."};

Finding finding_of(TraceKind kind) {
  switch (kind) {
    case TraceKind::refused:
      return subscribe_refused;
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
      return {"slow", "The client read too slowly and was disconnected; the message may still have waited for it."};
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

// From when a publication is made until it waits for its subscribers; much more than it takes.
constexpr std::int64_t delivery_ms = 1'000;

// What became of one publication for one client, from its records, oldest first. Before it: whether the client was
// subscribed. After it: whether it was made good, or lost for ever, when the client came back. Where nothing before it
// is remembered, what ended or began first after it tells as much.
class Inquiry {
 public:
  // Records of these numbers and below may be missing: about who was there, and about what became of publications.
  struct Forgotten {
    std::uint64_t standing_until = 0, deliveries_until = 0;
  };
  Inquiry(std::uint64_t offset, Forgotten forgotten, bool subscribed_now)
      : offset_(offset), forgotten_(forgotten), subscribed_now_(subscribed_now) {}

  void look_at(const TraceRecord& record, std::uint64_t number) {
    if (record.kind == TraceKind::published) {
      if (offset_ != 0 && record.offset != offset_) return;
      was_published_ = true;
      published_at_ = number;
      published_ms_ = record.time_ms;
      return;
    }
    if (leaves_out_one(record.kind)) {
      if (offset_ == 0 || record.offset == offset_) left_out_ = record.kind;
      return;
    }
    if (record.kind == TraceKind::refused) return look_at_refusal(record);
    if (record.kind == TraceKind::recovered) look_at_recovery(record, number);
    if (!was_published_ || offset_ == 0) return look_at_earlier(record);
    look_at_later(record);
  }

  [[nodiscard]] Finding result() const {
    if (left_out_) return finding_of(*left_out_);
    // What a filter took out of the recovery stands behind it.
    if (made_good_at_ > forgotten_.deliveries_until) return delivered;
    if (was_lost_) return finding_of(TraceKind::unrecovered);
    if (offset_ > 0 && !was_published_) return result_without_publication();
    const std::optional<bool> was_there = present();
    if (!was_there) return refusal_.value_or(unknown);
    if (!*was_there) return refusal_.value_or(state_ ? finding_of(*state_) : not_subscribed);
    return broken_ ? finding_of(*broken_) : delivered;
  }

 private:
  // A refused publish or the like says nothing about what the client hears.
  void look_at_refusal(const TraceRecord& record) {
    if (was_published_ && offset_ > 0) return;
    if (record.detail == refused_subscribe) refusal_ = subscribe_refused;
    if (record.detail == refused_connect) refusal_ = connect_refused;
  }
  void look_at_recovery(const TraceRecord& record, std::uint64_t number) {
    if (offset_ <= record.since || offset_ > record.offset) return;
    made_good_at_ = number;
    left_out_.reset();
  }
  void look_at_earlier(const TraceRecord& record) {
    if (record.kind == TraceKind::subscribed || record.kind == TraceKind::recovered) {
      refusal_.reset();
      if (record.kind == TraceKind::subscribed) was_ever_there_ = true;
    }
    state_ = record.kind == TraceKind::recovered ? TraceKind::subscribed : record.kind;
    if (record.kind == TraceKind::unrecovered) was_lost_ = record.offset >= offset_;
    if (record.kind == TraceKind::unsubscribed) left_at_ = record.offset;
  }
  void look_at_later(const TraceRecord& record) {
    look_at_trouble(record);
    const bool there = state_ == TraceKind::subscribed || first_later_ == TraceKind::unsubscribed;
    const bool had_it = (there || may_have_been_there()) && !broken_;
    if (record.kind == TraceKind::unrecovered && record.offset >= offset_ && !had_it) was_lost_ = true;
    if (first_later_) return;
    if (record.kind == TraceKind::subscribed) {
      first_later_ = record.kind;
      began_before_ = record.offset > 0 && record.offset < offset_;
    }
    if (record.kind == TraceKind::unsubscribed) first_later_ = record.kind;
  }

  // What was delivered long before has nothing to do with it. Beside a gap the end of the subscription tells how far it
  // had come.
  void look_at_trouble(const TraceRecord& record) {
    if (record.kind == TraceKind::unsubscribed && std::exchange(in_gap_, false) && record.offset >= offset_)
      broken_.reset();
    if (broken_) return;
    if (record.kind == TraceKind::gap && record.offset >= offset_) {
      broken_ = record.kind;
      in_gap_ = true;
    }
    const bool was_taken = record.taken_until_ms > published_ms_ + delivery_ms;
    if (record.kind == TraceKind::slow && !was_taken) broken_ = record.kind;
  }

  // Of the time until some while after it nothing is remembered.
  [[nodiscard]] bool may_have_been_there() const { return !state_ && published_at_ <= forgotten_.standing_until; }
  // Whether the client was subscribed then; nothing when that is not known any more.
  [[nodiscard]] std::optional<bool> present() const {
    if (state_) return *state_ == TraceKind::subscribed;
    if (!was_published_ || may_have_been_there()) return std::nullopt;
    if (first_later_) {  // nobody subscribes twice, or ends what has not begun
      if (*first_later_ == TraceKind::unsubscribed) return true;
      if (began_before_) return std::nullopt;  // what came while it was joining was kept for it
      return false;
    }
    if (subscribed_now_) return true;  // since before all that is remembered
    if (offset_ == 0 && !refusal_) return std::nullopt;
    if (forgotten_.standing_until == 0) return false;
    return std::nullopt;
  }
  // It may never have been, or have been too long ago, or nobody of this node listened. Who had gone by then, and has
  // not come back, did not get it in any case.
  [[nodiscard]] Finding result_without_publication() const {
    if (!was_ever_there_ && !subscribed_now_ && refusal_ && forgotten_.standing_until == 0) return *refusal_;
    if (state_ == TraceKind::unsubscribed && left_at_ > 0 && left_at_ < offset_) return not_subscribed;
    return unknown;
  }

  std::uint64_t offset_;
  Forgotten forgotten_;
  bool subscribed_now_;
  bool was_published_ = false, was_lost_ = false, was_ever_there_ = false, began_before_ = false, in_gap_ = false;
  std::int64_t published_ms_ = 0;
  std::uint64_t published_at_ = 0, made_good_at_ = 0, left_at_ = 0;  // the first two: numbers of records, 0: none
  std::optional<TraceKind> state_, left_out_, broken_, first_later_;
  std::optional<Finding> refusal_;
};

// One for each client that the records are about, or for the one that was asked for.
class Inquiries {
 public:
  Inquiries(const TraceQuery& query, Inquiry::Forgotten forgotten) : query_(query), forgotten_(forgotten) {
    if (!query.client.empty()) add(query.client);
  }
  // A client that there is; those that had a record last come first.
  void meet(const std::string& client) {
    if (query_.client.empty() && !client.empty() && !numbers_.contains(client)) add(client);
  }
  void meet_nobody_else() {
    if (all_.empty()) add({});
  }
  void look_at(const TraceRecord& record, std::uint64_t number) {
    if (const auto own = numbers_.find(record.client); own != numbers_.end())
      return all_[own->second].inquiry.look_at(record, number);
    for (One& one : all_) one.inquiry.look_at(record, number);
  }
  [[nodiscard]] TraceAnswer answer() const {
    const One* best = nullptr;
    Finding of_best = unknown;
    for (const One& one : all_) {
      const Finding finding = one.inquiry.result();
      if (best != nullptr && rank(finding) >= rank(of_best)) continue;
      best = &one;
      of_best = finding;
    }
    return {std::string(of_best.verdict), std::string(of_best.sentence), {}, best->client};
  }

 private:
  struct One {
    std::string client;
    Inquiry inquiry;
  };
  void add(const std::string& client) {
    const bool subscribed_now = std::ranges::find(query_.subscribed_now, client) != query_.subscribed_now.end();
    numbers_.emplace(client, all_.size());
    all_.push_back({client, Inquiry(query_.offset, forgotten_, subscribed_now)});
  }
  // The lowest answers for all.
  static int rank(const Finding& finding) {
    constexpr std::array<std::string_view, 3> last{"unknown", "refused", "not_subscribed"};
    if (finding.verdict == delivered.verdict) return 0;
    const auto* const found = std::ranges::find(last, finding.verdict);
    return found == last.end() ? 1 : 2 + static_cast<int>(found - last.begin());
  }

  const TraceQuery& query_;
  Inquiry::Forgotten forgotten_;
  std::vector<One> all_;
  std::unordered_map<std::string, std::size_t> numbers_;
};

}  // namespace

std::string_view name(TraceKind kind) noexcept {
  constexpr std::array<std::string_view, 13> names{"published", "subscribed",  "unsubscribed", "refused", "filtered",
                                                   "conflated", "sampled",     "dropped",      "gap",     "slow",
                                                   "recovered", "unrecovered", "disconnected"};
  return names[static_cast<std::size_t>(kind)];
}

TraceRing::TraceRing(std::size_t records) : capacity_(std::max<std::size_t>(records, 1)) {}

void TraceRing::Ring::add(Numbered record, std::size_t capacity) {
  if (records.size() < capacity) {
    records.push_back(std::move(record));
    return;
  }
  forgotten_until = records[next].number;
  records[next] = std::move(record);
  next = (next + 1) % capacity;
}

const TraceRing::Numbered& TraceRing::Ring::back(std::size_t age) const {
  return records[(next + records.size() - 1 - age) % records.size()];
}

void TraceRing::add(TraceRecord record) {
  const std::scoped_lock lock(mutex_);
  Ring& ring = is_standing(record.kind) ? standing_ : deliveries_;
  ring.add({++newest_, std::move(record)}, capacity_);
}

// Newest first: each ring is in order, so one walk through both merges them.
std::vector<TraceRing::Numbered> TraceRing::find_numbered(const TraceQuery& query) const {
  std::vector<Numbered> found;
  std::size_t gone = 0;
  std::size_t sent = 0;
  while (found.size() < query.limit) {
    const bool has_standing = gone < standing_.records.size();
    const bool has_delivery = sent < deliveries_.records.size();
    if (!has_standing && !has_delivery) break;
    const bool takes_standing =
        has_standing && (!has_delivery || standing_.back(gone).number > deliveries_.back(sent).number);
    const Numbered& one = takes_standing ? standing_.back(gone++) : deliveries_.back(sent++);
    const bool of_offset = query.offset == 0 || one.record.offset == query.offset || !leaves_out_one(one.record.kind);
    if (concerns(one.record, query) && of_offset) found.push_back(one);
  }
  return found;
}

std::vector<TraceRecord> TraceRing::find(const TraceQuery& query) const {
  const std::scoped_lock lock(mutex_);
  std::vector<TraceRecord> records;
  for (Numbered& one : find_numbered(query)) records.push_back(std::move(one.record));
  return records;
}

TraceAnswer TraceRing::why(const TraceQuery& query) const {
  TraceQuery all = query;
  all.limit = 2 * capacity_;
  std::vector<Numbered> found;
  Inquiry::Forgotten forgotten;
  {
    const std::scoped_lock lock(mutex_);
    found = find_numbered(all);
    forgotten = {.standing_until = standing_.forgotten_until, .deliveries_until = deliveries_.forgotten_until};
  }
  const bool has_other_publications = query.offset > 0;
  if (has_other_publications)
    std::erase_if(found, [&](const Numbered& one) {
      return one.record.kind == TraceKind::published && one.record.offset != query.offset;
    });
  Inquiries inquiries(query, forgotten);
  for (const Numbered& one : found) inquiries.meet(one.record.client);
  for (const std::string& client : query.subscribed_now) inquiries.meet(client);
  inquiries.meet_nobody_else();
  // Without an offset only the newest publication counts: it is the first of them here.
  const auto newest = std::ranges::find(found, TraceKind::published, [](const auto& one) { return one.record.kind; });
  for (auto one = found.rbegin(); one != found.rend(); ++one) {
    const bool counts = has_other_publications || one->record.kind != TraceKind::published || &*one == &*newest;
    if (counts) inquiries.look_at(one->record, one->number);
  }
  TraceAnswer answer = inquiries.answer();
  if (found.size() > query.limit) found.resize(query.limit);
  for (Numbered& one : found) answer.records.push_back(std::move(one.record));
  return answer;
}

}  // namespace fairlead::server
