// SPDX-License-Identifier: Apache-2.0
// Many clients, publishers, an engine whose answers and events take their time, lost events, broken connections, slow
// readers with every policy, filters, deltas and streams that begin anew, all from one seed. An oracle watches each
// client: nothing lost, nothing doubled, nothing out of order, or an explicit sign that something could not be
// recovered. FAIRLEAD_SIM_SEED=N replays one seed, FAIRLEAD_SIM_SEEDS=N runs so many.
#include "model/json.h"
#include "sim/simulated_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace fairlead::server::testing {
namespace {

using namespace std::chrono_literals;

std::map<std::string, ChannelKind> channel_kinds() {
  std::map<std::string, ChannelKind> kinds;
  kinds["stream"] = {recoverable(60), true, false, false, false};
  kinds["brief"] = {recoverable(4), true, false, false, false};
  kinds["served"] = {recoverable(30), true, false, false, true};
  kinds["filtered"] = {recoverable(40), true, true, true, false};
  kinds["filtered"].options.allow_tags_filter = true;
  kinds["delta"] = {recoverable(40), true, false, true, false};
  for (const auto& [name, policy] :
       {std::pair{"dropping", SlowPolicy::drop_oldest}, std::pair{"sampling", SlowPolicy::sample},
        std::pair{"conflating", SlowPolicy::conflate}}) {
    ChannelKind kind{recoverable(40), false, false, true, false};
    kind.options.slow_policy = policy;
    kind.options.slow_queue_messages = 8;
    kind.options.slow_sample_per_second = 20;
    kinds[name] = kind;
  }
  for (auto& [name, kind] : kinds) {
    kind.options.presence = true;
    kind.options.delta_publish = kind.delta;
    if (kind.delta) kind.options.allowed_delta_types = {"fossil"};
  }
  return kinds;
}

struct Totals {
  std::uint64_t received = 0, recovered = 0, unrecovered = 0, deltas = 0, recovered_deltas = 0, skipped = 0;
  std::uint64_t gaps = 0, slow = 0, dropped = 0, sampled = 0, conflated = 0, filtered = 0;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed), kinds_(channel_kinds()) {
    for (const auto& [name, kind] : kinds_) names_.push_back(name);
    world_.settings.queue_max_bytes = 60 * SimulatedClient::message_bytes;
    world_.settings.commands_per_second = 0;
    world_.settings.channel_position_check_delay = 1s;
    Admitted admitted;
    admitted.user = "ann";
    for (const auto& [name, kind] : kinds_) {
      world_.gate.options_of[name] = kind.options;
      if (kind.server_side) admitted.subs[name] = {};
    }
    world_.gate.admitted = admitted;
    world_.broker.delay = [this] {
      return chance(3) ? Duration::zero() : Duration(std::chrono::microseconds(below(8'000)));
    };
    world_.broker.loses_event = [this] { return lossy_ && chance(60); };
    for (int i = 0; i < 5; ++i)
      clients_.push_back(std::make_unique<SimulatedClient>(world_, truth_, kinds_,
                                                           i % 2 == 0 ? WireFormat::json : WireFormat::protobuf,
                                                           [this](const std::string& what) { wrong.push_back(what); }));
  }

  void run() {
    for (int step = 0; step < 200 && wrong.empty(); ++step) {
      act();
      pass(Duration(std::chrono::microseconds(below(6'000))));
    }
    settle();
    for (const auto& client : clients_)
      client->check_settled([this](const std::string& channel) { return world_.broker.top(channel); });
    check_belongings();
    leave();
  }

  std::vector<std::string> wrong;

  void add_to(Totals& totals) const {
    for (const auto& client : clients_) {
      totals.received += client->received;
      totals.recovered += client->recovered;
      totals.unrecovered += client->unrecovered;
      totals.deltas += client->deltas;
      totals.recovered_deltas += client->recovered_deltas;
      totals.skipped += client->skipped;
    }
    const SessionMetrics& metrics = world_.metrics;
    totals.gaps += metrics.gaps;
    totals.slow += metrics.slow;
    totals.dropped += metrics.dropped;
    totals.sampled += metrics.sampled;
    totals.conflated += metrics.conflated;
    totals.filtered += metrics.filtered;
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool chance(std::uint64_t one_in) { return below(one_in) == 0; }
  SimulatedClient& some_client() { return *clients_[below(clients_.size())]; }
  const std::string& some_channel() { return names_[below(names_.size())]; }

  void act() {
    switch (below(20)) {
      case 0:
        return some_client().drop(chance(2));
      case 1:
        if (chance(12)) world_.broker.forget(some_channel());
        return;
      case 2:
        return some_client().toggle(some_channel());
      case 3:
        return burst();
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
        return some_client().read(below(60));
      default:
        return publish(some_channel());
    }
  }

  void burst() {
    const std::string& channel = some_channel();
    for (std::uint64_t i = below(40); i > 0; --i) publish(channel);
  }

  void publish(const std::string& channel) {
    const std::string room = std::to_string(below(3));
    const std::string key = "k" + std::to_string(below(4));
    const std::string data = chance(8) ? binary() : document(channel);
    const bool json = is_json(data);
    world_.publish(channel, data, {{"room", room}}, key);
    truth_.add(channel, world_.broker.top(channel), {data, room, key, json});
  }

  // One letter of a channel's text is another one each time, in scripts of one to four bytes a letter, so that what two
  // versions have in common begins and ends inside of letters.
  std::string document(const std::string& channel) {
    static const std::vector<std::string> letters{"a",  "b",  "é",  "ж",  "щ",  "ש",  "ه",
                                                  "日", "本", "語", "한", "🦄", "🦊", "👩"};
    std::vector<std::string>& text = texts_[channel];
    while (text.size() < 60) text.push_back(letters[below(letters.size())]);
    text[below(text.size())] = letters[below(letters.size())];
    if (chance(5)) text.insert(text.begin() + static_cast<std::ptrdiff_t>(below(20)), letters[below(letters.size())]);
    if (text.size() > 90) text.erase(text.begin(), text.begin() + 25);
    std::string whole = R"({"n":)" + std::to_string(++published_) + R"(,"text":")";
    for (const std::string& letter : text) whole += letter;
    return whole + "\"}";
  }

  // Bytes that are text in no encoding, and differ little from each other.
  std::string binary() {
    std::string bytes = "\xFF\xFE " + std::string(80, '\x80') + std::to_string(++published_);
    bytes[below(bytes.size())] = static_cast<char>(below(256));
    bytes[0] = '\xFF';
    return bytes;
  }

  // Lets time pass; clients that are away come back after a while.
  void pass(Duration time) {
    const TimePoint end = world_.timeline.now() + time;
    for (int hop = 0; hop < 1'000; ++hop) {
      TimePoint next = end;
      for (const auto& client : clients_) next = std::min(next, client->deadline().value_or(end));
      world_.timeline.advance_to(std::max(next, world_.timeline.now()));
      for (const auto& client : clients_) client->on_time(world_.timeline.now());
      if (next >= end) break;
    }
    for (const auto& client : clients_) {
      client->reap();
      if (client->away() && chance(4)) client->come();
    }
  }

  // Everybody reads, nothing is published or lost any more, and there is time for each check.
  void settle() {
    lossy_ = false;
    for (int round = 0; round < 60; ++round) {
      for (const auto& client : clients_) client->read_all();
      pass(100ms);
    }
    for (const auto& client : clients_) client->read_all();
  }

  void check_belongings() {
    std::size_t live = 0;
    for (const auto& client : clients_) live += client->live();
    if (world_.hub.subscriptions() != live) wrong.emplace_back("the hub knows others than are subscribed");
    if (world_.connected.size() != clients_.size()) wrong.emplace_back("the directory knows others than are there");
    for (const std::string& channel : names_)
      if (present(channel) != subscribers(channel)) wrong.push_back("presence of " + channel + " is wrong");
  }

  std::size_t subscribers(const std::string& channel) {
    std::size_t count = 0;
    for (const auto& client : clients_) {
      const auto channels = client->live_channels();
      count += static_cast<std::size_t>(std::count(channels.begin(), channels.end(), channel));
    }
    return count;
  }

  std::size_t present(const std::string& channel) {
    auto count = std::make_shared<std::size_t>(0);
    world_.broker.presence_stats(channel, [count](const Outcome<PresenceStats>& stats) { *count = stats->clients; });
    world_.timeline.advance(1s);
    return *count;
  }

  void leave() {
    for (const auto& client : clients_) client->drop(false);
    world_.timeline.advance(1s);
    if (world_.hub.subscriptions() != 0 || world_.hub.channels() != 0) wrong.emplace_back("the hub is not empty");
    if (!world_.connected.empty()) wrong.emplace_back("the directory is not empty");
    for (const std::string& channel : names_) {
      if (present(channel) != 0) wrong.push_back("somebody stays present in " + channel);
      if (world_.broker.is_subscribed(channel)) wrong.push_back("the node still listens to " + channel);
    }
  }

  std::mt19937_64 random_;
  World world_;
  Truth truth_;
  std::map<std::string, ChannelKind> kinds_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<SimulatedClient>> clients_;
  std::map<std::string, std::vector<std::string>> texts_;
  std::uint64_t published_ = 0;
  bool lossy_ = true;
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes it
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Simulation, EachSubscriberSeesTheStreamOrIsToldThatItCannot) {
  constexpr std::uint64_t none = 0;
  const std::uint64_t only = from_environment("FAIRLEAD_SIM_SEED", none);
  const std::uint64_t seeds = from_environment("FAIRLEAD_SIM_SEEDS", 500);
  Totals totals;
  for (std::uint64_t seed = only == none ? 1 : only; seed <= (only == none ? seeds : only); ++seed) {
    Simulation simulation(seed);
    simulation.run();
    simulation.add_to(totals);
    for (const std::string& what : simulation.wrong) ADD_FAILURE() << "FAIRLEAD_SIM_SEED=" << seed << ": " << what;
    if (HasFailure()) return;
  }
  if (only != none || seeds < 50) return;
  // What it is there to try has happened.
  for (const std::uint64_t count :
       {totals.received, totals.recovered, totals.unrecovered, totals.deltas, totals.recovered_deltas, totals.skipped,
        totals.gaps, totals.slow, totals.dropped, totals.sampled, totals.conflated, totals.filtered})
    EXPECT_GT(count, 100U);
}

}  // namespace
}  // namespace fairlead::server::testing
