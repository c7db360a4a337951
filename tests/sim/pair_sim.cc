// SPDX-License-Identifier: Apache-2.0
// A client and a server on a faulty wire with a clock of their own, thousands of times, each life from one seed. What
// must hold whatever happens: whole messages in order, facts about the end on which both sides agree, and an end.
//
//   pair_sim                 runs 2,000 seeds
//   pair_sim --seeds N       runs N
//   pair_sim --seed N        replays one and tells what happened
#include "sim/endpoint.h"
#include "sim/wire.h"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace fairlead::sim {
namespace {

using std::chrono::milliseconds;

enum class Fault : std::uint8_t { none, reset, swallow, slow_reader };

struct Life {
  explicit Life(std::uint64_t life_seed);

  [[nodiscard]] std::string run();  // empty, or what went wrong

  void turn();
  [[nodiscard]] TimePoint next_moment() const;
  void strike();
  [[nodiscard]] std::string verdict() const;
  [[nodiscard]] std::string judge_messages(const Endpoint& from, const Endpoint& to, const char* way) const;
  [[nodiscard]] std::string judge_end(const Endpoint& here, const Endpoint& there) const;

  std::uint64_t seed;
  Random random;
  TimePoint now{std::chrono::hours(1)};
  Fault fault;
  OverflowPolicy policy;
  TimePoint strikes_at;
  TimePoint acts_until;
  TimePoint next_act;
  bool struck = false;
  bool closing = false;
  Wire up;
  Wire down;
  Endpoint server;
  Endpoint client;
};

WireTraits traits(Random& random, Fault fault) {
  WireTraits traits;
  traits.longest_piece = pick(random, 3) == 0 ? pick(random, 20) + 1 : 16'384;
  traits.longest_delay = milliseconds(pick(random, 80));
  if (fault == Fault::slow_reader) {
    traits.window_bytes = 2000;
    traits.longest_piece = 500;
    traits.longest_delay = milliseconds(300);
  }
  return traits;
}

ws::Settings settings(Random& random, OverflowPolicy policy, Fault fault) {
  ws::Settings settings;
  settings.limits.overflow = policy;
  settings.limits.outgoing_queue_bytes = fault == Fault::slow_reader ? 30'000 : unlimited;
  settings.limits.idle_time = milliseconds(2'000);
  settings.limits.close_time = milliseconds(20'000);
  settings.limits.control_frames_per_second = settings.limits.messages_per_second = unlimited;
  settings.delivery = pick(random, 2) == 0 ? ws::Delivery::messages : ws::Delivery::chunks;
  settings.compress_from_bytes = pick(random, 400);
  settings.compression_level = static_cast<int>(pick(random, 9)) + 1;
  settings.compressor = pick(random, 2) == 0 ? ws::CompressorUse::shared : ws::CompressorUse::dedicated;
  return settings;
}

std::optional<ws::DeflateAgreement> agreement(Random& random) {
  if (pick(random, 3) == 0) return std::nullopt;
  const auto bits = [&] { return static_cast<std::uint8_t>(pick(random, 2) == 0 ? 15 : 8 + pick(random, 8)); };
  return ws::DeflateAgreement{bits(), bits(), pick(random, 2) == 0, pick(random, 2) == 0};
}

std::optional<ws::DeflateAgreement> mirrored(std::optional<ws::DeflateAgreement> ours) {
  if (!ours) return ours;
  return ws::DeflateAgreement{ours->their_window_bits, ours->our_window_bits, ours->their_context_takeover,
                              ours->our_context_takeover};
}

// The agreement is rolled once and seen from both sides: the same dice are thrown for both.
Life::Life(std::uint64_t life_seed)
    : seed(life_seed),
      random(life_seed),
      fault(static_cast<Fault>(pick(random, 4))),
      policy(static_cast<OverflowPolicy>(pick(random, 3))),
      strikes_at(now + milliseconds(pick(random, 4000))),
      acts_until(now + milliseconds(500 + pick(random, 3000))),
      next_act(now),
      up(traits(random, fault)),
      down(traits(random, fault)),
      server(
          ws::Role::server, settings(random, policy, fault),
          [&] {
            Random dice(life_seed);
            return agreement(dice);
          }(),
          now, life_seed),
      client(
          ws::Role::client, settings(random, policy, fault),
          [&] {
            Random dice(life_seed);
            return mirrored(agreement(dice));
          }(),
          now, life_seed + 1) {}

std::string Life::run() {
  constexpr int turns = 200'000;
  for (int step = 0; step < turns; ++step) {
    turn();
    if (server.ended && client.ended) return verdict();
    const TimePoint next = next_moment();
    if (next == TimePoint::max()) return "nothing will ever happen again, but the connection has not ended";
    now = std::max(now, next);
  }
  return "the connection does not end";
}

void Life::turn() {
  if (fault != Fault::none && !struck && now >= strikes_at) strike();
  while (const auto arrival = up.read(now))
    arrival->end ? server.receive_end(now) : server.receive(arrival->bytes, now, random);
  while (const auto arrival = down.read(now))
    arrival->end ? client.receive_end(now) : client.receive(arrival->bytes, now, random);
  if (now >= next_act && now < acts_until) {
    (pick(random, 2) == 0 ? server : client).act(now, random);
    next_act = now + milliseconds(pick(random, 60));
  } else if (now >= acts_until && !closing) {
    closing = true;
    const std::size_t who = pick(random, 3);  // sometimes both at once
    if (who != 1) server.close(now, random);
    if (who != 0) client.close(now, random);
  }
  server.wake(now);
  client.wake(now);
  server.flush(down, now, random);
  client.flush(up, now, random);
}

void Life::strike() {
  struck = true;
  if (fault == Fault::reset) {
    up.reset(now);
    down.reset(now);
  }
  if (fault == Fault::swallow) (pick(random, 2) == 0 ? up : down).swallow();
}

TimePoint Life::next_moment() const {
  TimePoint next = closing ? TimePoint::max() : std::max(now + milliseconds(1), std::min(next_act, acts_until));
  const auto consider = [&](std::optional<TimePoint> moment) {
    if (moment) next = std::min(next, *moment);
  };
  consider(up.next());
  consider(down.next());
  consider(server.connection().deadline());
  consider(client.connection().deadline());
  if (fault != Fault::none && !struck) consider(strikes_at);
  return next;
}

// ── What must hold ──────────────────────────────────────────────────────────────────────────────────────────────────

std::string Life::verdict() const {
  for (const std::string& wrong : {judge_messages(server, client, "down"), judge_messages(client, server, "up"),
                                   judge_end(server, client), judge_end(client, server)})
    if (!wrong.empty()) return wrong;
  if (server.lent_bytes() != 0 || client.lent_bytes() != 0) return "an ended connection holds a buffer";
  return {};
}

std::string Life::judge_messages(const Endpoint& from, const Endpoint& to, const char* way) const {
  const std::string prefix = std::string(way) + ": ";
  if (to.chunk_problems != 0) return prefix + "pieces that make no message";
  std::size_t at = 0;
  for (const Note& note : to.received) {
    // Only `drop_oldest` may leave a gap; what comes is in order.
    while (at < from.sent.size() && from.sent[at] != note && policy == OverflowPolicy::drop_oldest) ++at;
    if (at == from.sent.size() || from.sent[at] != note) return prefix + "a message was changed, lost or reordered";
    ++at;
  }
  const bool complete = fault == Fault::none && to.received.size() != from.sent.size();
  if (complete) return prefix + "messages were lost on a sound wire";
  if (to.pongs > to.pings + 1000) return prefix + "pongs without pings";
  return {};
}

std::string Life::judge_end(const Endpoint& here, const Endpoint& there) const {
  const CloseInfo ours = here.connection().close_info();
  const CloseInfo theirs = there.connection().close_info();
  const bool may_fail = fault != Fault::none;
  if (!may_fail && here.failure) return "failed on a sound wire: " + std::string(name(*here.failure));
  if (!may_fail && !(ours.clean && theirs.clean)) return "not clean on a sound wire";
  if (here.saw_close != (ours.code != close_code::abnormal)) return "1006 does not fit the events";
  if (ours.code != close_code::abnormal && (ours.code != theirs.sent_code || ours.reason != theirs.sent_reason))
    return "the code or the reason is not the one that was sent";
  if (ours.peer_first && theirs.peer_first) return "each says that the other was first";
  const bool honest_failure = !here.failure || *here.failure == Errc::unexpected_eof ||
                              *here.failure == Errc::idle_timeout || *here.failure == Errc::close_timeout ||
                              *here.failure == Errc::outgoing_queue_full;
  if (!honest_failure) return "an honest peer was accused of " + std::string(name(*here.failure));
  if (fault != Fault::slow_reader && here.failure == Errc::outgoing_queue_full) return "overflow without a slow reader";
  return {};
}

void tell(const Life& life) {
  const auto one = [](const char* who, const Endpoint& side) {
    const CloseInfo info = side.connection().close_info();
    std::printf("  %s: sent %zu, received %zu, code %u, sent code %u, %s%s%s\n", who, side.sent.size(),
                side.received.size(), static_cast<unsigned>(info.code), static_cast<unsigned>(info.sent_code),
                info.clean ? "clean" : "not clean", side.failure ? ", " : "",
                side.failure ? std::string(name(*side.failure)).c_str() : "");
  };
  std::printf("seed %llu: fault %d, policy %d\n", static_cast<unsigned long long>(life.seed),
              static_cast<int>(life.fault), static_cast<int>(life.policy));
  one("server", life.server);
  one("client", life.client);
}

bool live(std::uint64_t seed, bool talkative) {
  Life life(seed);
  const std::string wrong = life.run();
  if (talkative || !wrong.empty()) tell(life);
  if (wrong.empty()) return true;
  std::printf("  FAILED: %s\n  replay: pair_sim --seed %llu\n", wrong.c_str(), static_cast<unsigned long long>(seed));
  return false;
}

}  // namespace
}  // namespace fairlead::sim

int main(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  std::uint64_t number = 2000;
  const std::string_view verb = argc == 3 ? words[1] : "--seeds";
  if (argc == 3) std::from_chars(words[2], words[2] + std::strlen(words[2]), number);
  if ((argc != 1 && argc != 3) || (verb != "--seed" && verb != "--seeds")) {
    std::fputs("usage: pair_sim [--seed N | --seeds N]\n", stderr);
    return 2;
  }
  if (verb == "--seed") return fairlead::sim::live(number, true) ? 0 : 1;
  std::uint64_t failures = 0;
  for (std::uint64_t seed = 1; seed <= number && failures < 5; ++seed)
    if (!fairlead::sim::live(seed, false)) ++failures;
  std::printf("%llu seeds, %llu failed\n", static_cast<unsigned long long>(number),
              static_cast<unsigned long long>(failures));
  return failures == 0 ? 0 : 1;
}
