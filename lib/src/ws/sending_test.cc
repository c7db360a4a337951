// SPDX-License-Identifier: Apache-2.0
// What is sent: the outgoing queue and its policies, shared messages, streamed messages, and mistakes of the caller.
#include "ws/joined.h"
#include "ws/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <random>

namespace fairlead::ws {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the words of these tests
using ::testing::ElementsAre;

Settings with(OverflowPolicy policy, std::size_t limit) {
  Settings settings;
  settings.limits.overflow = policy;
  settings.limits.outgoing_queue_bytes = limit;
  return settings;
}

Sent send(Side& side, std::string_view text) {
  return side.connection.send(MessageKind::text, as_bytes(text), side.now);
}

std::vector<std::string> payloads(const std::vector<SentFrame>& frames) {
  std::vector<std::string> all;
  all.reserve(frames.size());
  for (const auto& frame : frames) all.push_back(frame.payload);
  return all;
}

// A text message, compressed or not.
auto text_like(std::string_view payload) {
  return ::testing::AllOf(::testing::Field(&Seen::what, Seen::What::message),
                          ::testing::Field(&Seen::payload, std::string(payload)));
}

// Takes the first bytes of the output, as a slow peer would.
std::string take(Side& side, std::size_t bytes) {
  std::array<Bytes, 8> views;
  const std::size_t count = side.connection.output(views);
  std::string all;
  for (const Bytes view : std::span(views).first(count)) all.append(as_text(view));
  all.resize(std::min(all.size(), bytes));
  side.connection.consume(all.size());
  return all;
}

TEST(Mistakes, OfTheCallerSendNothing) {
  Side side(Role::server);
  EXPECT_EQ(send(side, "\xFF"), Sent::invalid);
  EXPECT_EQ(side.connection.send(MessageKind::binary, as_bytes("\xFF"), side.now), Sent::accepted);
  EXPECT_EQ(side.connection.ping(as_bytes(std::string(126, 'p')), side.now), Sent::invalid);
  EXPECT_EQ(side.connection.ping(as_bytes(std::string(125, 'p')), side.now), Sent::accepted);
  EXPECT_EQ(side.connection.send(SharedMessage(), side.now), Sent::invalid);
  EXPECT_FALSE(SharedMessage::text("\xC0\x80")) << "text that is not UTF-8 makes an empty handle";
  EXPECT_EQ(side.sent().size(), 2U);
}

TEST(StreamedMessages, AreFragmentsThatNothingButControlFramesInterrupts) {
  Side side(Role::server);
  EXPECT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes("a\xE2\x82"), false, side.now), Sent::accepted);
  EXPECT_EQ(side.connection.send_chunk(MessageKind::binary, as_bytes("x"), false, side.now), Sent::invalid);
  EXPECT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes("\xFF"), false, side.now), Sent::invalid);
  EXPECT_EQ(side.connection.ping(as_bytes("p"), side.now), Sent::accepted);
  EXPECT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes("\xAC"), true, side.now), Sent::accepted)
      << "a refused piece leaves the message as it was";
  EXPECT_EQ(send(side, "next"), Sent::accepted);
  const auto sent = side.sent();
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_FALSE(sent[0].header.fin);
  EXPECT_EQ(sent[1].header.opcode, Opcode::ping);
  EXPECT_EQ(sent[2].header.opcode, Opcode::continuation);
  EXPECT_TRUE(sent[2].header.fin);
}

// Every kind of message, compressed with a context, between the pieces of a compressed one.
TEST(StreamedMessages, OthersWaitForTheirEndAndKeepTheirOrder) {
  for (const bool deflate : {false, true}) {
    for (const Role role : {Role::server, Role::client}) {
      const auto agreement = deflate ? std::optional(DeflateAgreement()) : std::nullopt;
      Side side(role, {}, agreement);
      Side peer(role == Role::server ? Role::client : Role::server, {}, agreement);
      const std::string large(2'000, 'l');
      EXPECT_EQ(send(side, large), Sent::accepted);
      EXPECT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes("be"), false, side.now), Sent::accepted);
      EXPECT_EQ(send(side, large), Sent::waiting);
      EXPECT_EQ(side.connection.send(SharedMessage::text(large), side.now), Sent::waiting);
      EXPECT_EQ(send(side, "\xFF"), Sent::invalid) << "a mistake is told at once";
      EXPECT_GE(side.connection.queued_bytes(), side.connection.output_bytes() + 2 * large.size());
      EXPECT_EQ(side.connection.ping(as_bytes("p"), side.now), Sent::accepted) << "control frames may stand between";
      EXPECT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes("gun"), true, side.now), Sent::accepted);
      EXPECT_EQ(send(side, "next"), Sent::accepted);
      EXPECT_THAT(peer.receive(side.output()), ElementsAre(text_like(large), ping_of("p"), text_like("begun"),
                                                           text_like(large), text_like(large), text_like("next")));
      EXPECT_EQ(side.connection.queued_bytes(), 0U);
      EXPECT_EQ(side.pool.lent_bytes(), 0U);
    }
  }
}

TEST(StreamedMessages, WhatWaitsForThemIsBoundedByThePolicy) {
  const std::string half(500, 'h');
  const auto open = [](Side& side) {
    ASSERT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes("a"), false, side.now), Sent::accepted);
  };
  Side closing(Role::server, with(OverflowPolicy::close, 1200));
  open(closing);
  EXPECT_EQ(send(closing, half), Sent::waiting);
  EXPECT_EQ(send(closing, half), Sent::waiting);
  EXPECT_EQ(send(closing, half), Sent::over_limit);
  EXPECT_FALSE(closing.connection.may_send());
  EXPECT_EQ(closing.connection.take_dropped(), 2U) << "they will never leave";

  Side newest(Role::server, with(OverflowPolicy::drop_newest, 1200));
  open(newest);
  EXPECT_EQ(send(newest, "1" + half), Sent::waiting);
  EXPECT_EQ(send(newest, "2" + half), Sent::waiting);
  EXPECT_EQ(send(newest, "3" + half), Sent::over_limit);
  EXPECT_EQ(newest.connection.take_dropped(), 1U);
  EXPECT_EQ(newest.connection.send_chunk(MessageKind::text, as_bytes("b"), true, newest.now), Sent::accepted)
      << "what waits takes no room from the pieces";
  EXPECT_THAT(payloads(newest.sent()), ElementsAre("a", "b", "1" + half, "2" + half));

  Side oldest(Role::server, with(OverflowPolicy::drop_oldest, 1200));
  open(oldest);
  EXPECT_EQ(send(oldest, "1" + half), Sent::waiting);
  EXPECT_EQ(oldest.connection.send(SharedMessage::text("2" + half), oldest.now), Sent::waiting);
  EXPECT_EQ(send(oldest, "3" + half), Sent::waiting);
  EXPECT_EQ(oldest.connection.send_chunk(MessageKind::text, as_bytes("b"), true, oldest.now), Sent::accepted);
  EXPECT_EQ(oldest.connection.take_dropped(), 1U);
  EXPECT_THAT(payloads(oldest.sent()), ElementsAre("a", "b", "2" + half, "3" + half));
}

// Whatever waits, and however much of it: one message makes room for itself in one pass over what it drops.
TEST(StreamedMessages, ManyThatWaitForTheirEndAreDroppedTogether) {
  constexpr std::size_t limit = std::size_t{16} << 20;
  Side side(Role::server, with(OverflowPolicy::drop_oldest, limit));
  constexpr int pieces = 20'000;
  for (int i = 0; i < pieces; ++i) {
    ASSERT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes("p"), false, side.now), Sent::accepted);
  }
  const std::size_t pieces_bytes = side.connection.queued_bytes();
  ASSERT_EQ(send(side, "0123456789"), Sent::waiting);
  const std::size_t of_each = side.connection.queued_bytes() - pieces_bytes;
  std::uint32_t waiting = 1;
  for (; side.connection.queued_bytes() + of_each <= limit; ++waiting) {
    ASSERT_EQ(send(side, "0123456789"), Sent::waiting);
  }
  ASSERT_GT(waiting, 100'000U);
  EXPECT_EQ(send(side, std::string(limit, 'L')), Sent::waiting);
  const std::uint32_t dropped = side.connection.take_dropped();
  EXPECT_GT(dropped, 50'000U);
  EXPECT_EQ(side.connection.take_dropped(), 0U) << "each is told once";
  EXPECT_EQ(side.connection.output_bytes(), pieces_bytes);
  EXPECT_LE(side.connection.queued_bytes(), limit / 2 + limit + of_each);
  EXPECT_EQ(side.connection.send_chunk(MessageKind::text, {}, true, side.now), Sent::accepted);
  const auto sent = side.sent();
  ASSERT_EQ(sent.size(), pieces + 2U + waiting - dropped);
  EXPECT_EQ(sent.back().payload.front(), 'L');
}

// Pieces that have to stay, then messages, then more of both: what is dropped leaves no gap.
TEST(StreamedMessages, MessagesBetweenThemAreDroppedAndTheirPiecesStay) {
  Side side(Role::server, with(OverflowPolicy::drop_oldest, 300));
  const auto streamed = [&](std::string_view text) {
    EXPECT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes(text), true, side.now), Sent::accepted);
  };
  streamed("first");
  EXPECT_EQ(send(side, std::string(50, 'a')), Sent::accepted);
  EXPECT_EQ(side.connection.send(SharedMessage::text(std::string(50, 'b')), side.now), Sent::accepted);
  streamed("second");
  EXPECT_EQ(send(side, std::string(50, 'c')), Sent::accepted);
  EXPECT_EQ(side.connection.ping(as_bytes("p"), side.now), Sent::accepted);
  EXPECT_EQ(send(side, std::string(50, 'd')), Sent::accepted);
  EXPECT_EQ(send(side, std::string(200, 'e')), Sent::accepted);
  EXPECT_EQ(side.connection.take_dropped(), 2U);
  EXPECT_THAT(payloads(side.sent()),
              ElementsAre("first", "second", std::string(50, 'c'), "p", std::string(50, 'd'), std::string(200, 'e')));
}

TEST(StreamedMessages, WhatWaitsCountsWithTheRecordOfIt) {
  Side side(Role::server, with(OverflowPolicy::drop_newest, 10'000));
  ASSERT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes("a"), false, side.now), Sent::accepted);
  int taken = 0;
  while (taken < 5'000 && send(side, "x") == Sent::waiting) ++taken;
  EXPECT_LT(taken, 300) << "three bytes on the wire, and more than thirty in memory";
}

TEST(Dropped, AreCountedWhereTheyWereDropped) {
  Side one(Role::server, with(OverflowPolicy::drop_newest, 100));
  Connection other(Role::server, one.settings, one.resources, {}, one.now);
  ASSERT_EQ(send(one, std::string(90, 'a')), Sent::accepted);
  EXPECT_EQ(send(one, std::string(90, 'b')), Sent::over_limit);
  EXPECT_EQ(other.take_dropped(), 0U);
  EXPECT_EQ(one.connection.take_dropped(), 1U);
  ASSERT_EQ(one.connection.send_chunk(MessageKind::text, {}, false, one.now), Sent::accepted);
  one.output();
  ASSERT_EQ(send(one, "waits"), Sent::waiting);
  one.connection.stop_sending();
  EXPECT_EQ(one.connection.take_dropped(), 1U) << "the streamed message was never ended";
}

// Or the peer would take the pieces behind it for what comes next.
TEST(StreamedMessages, APieceThatDoesNotFitEndsTheConnectionWhateverThePolicy) {
  for (const auto policy : {OverflowPolicy::close, OverflowPolicy::drop_newest, OverflowPolicy::drop_oldest}) {
    for (const bool begun : {true, false}) {
      Side side(Role::server, with(policy, 1000));
      const std::string piece(600, 'p');
      EXPECT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes(piece), !begun, side.now), Sent::accepted);
      std::string wire = take(side, 10);
      EXPECT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes(piece), false, side.now), Sent::over_limit);
      EXPECT_EQ(side.connection.send_chunk(MessageKind::text, {}, true, side.now), Sent::closed);
      EXPECT_THAT(side.events(), ElementsAre(failed(Errc::outgoing_queue_full)));
      wire += side.output();
      const auto frames = parse_sent(Role::server, wire);
      ASSERT_EQ(frames.size(), 2U);
      EXPECT_EQ(frames[0].header.fin, !begun);
      EXPECT_EQ(frames[1].header.opcode, Opcode::close);
      EXPECT_EQ(side.connection.close_info().sent_code, close_code::try_again_later);
    }
  }
}

// ── Overflow (CVE-2020-35896: a peer that stops reading) ────────────────────────────────────────────────────────────

TEST(Overflow, CloseFinishesTheBegunFrameAndSends1013) {
  Side side(Role::server, with(OverflowPolicy::close, 1000));
  ASSERT_EQ(send(side, std::string(400, 'a')), Sent::accepted);
  ASSERT_EQ(send(side, std::string(400, 'b')), Sent::accepted);
  std::string wire = take(side, 10);
  EXPECT_EQ(send(side, std::string(400, 'c')), Sent::over_limit);
  EXPECT_EQ(send(side, "d"), Sent::closed);
  EXPECT_THAT(side.events(), ElementsAre(failed(Errc::outgoing_queue_full)));
  wire += side.output();
  const auto frames = parse_sent(Role::server, wire);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].payload, std::string(400, 'a'));
  EXPECT_EQ(frames[1].header.opcode, Opcode::close);
  EXPECT_EQ(side.connection.close_info().sent_code, close_code::try_again_later);
  EXPECT_TRUE(side.connection.finished());
}

TEST(Overflow, CloseFinishesABegunSharedFrame) {
  for (const std::size_t taken : {0U, 5U}) {
    Side side(Role::server, with(OverflowPolicy::close, 1000));
    const auto shared = SharedMessage::text(std::string(400, 's'));
    ASSERT_EQ(side.connection.send(shared, side.now), Sent::accepted);
    ASSERT_EQ(send(side, std::string(400, 'a')), Sent::accepted);
    std::string wire = take(side, taken);
    EXPECT_EQ(side.connection.send(shared, side.now), Sent::over_limit);
    wire += side.output();
    const auto frames = parse_sent(Role::server, wire);
    ASSERT_EQ(frames.size(), taken == 0 ? 1U : 2U);
    EXPECT_EQ(frames.back().header.opcode, Opcode::close);
  }
}

TEST(Overflow, DropNewestKeepsWhatIsQueued) {
  Side side(Role::server, with(OverflowPolicy::drop_newest, 100));
  ASSERT_EQ(send(side, std::string(60, 'a')), Sent::accepted);
  EXPECT_EQ(send(side, std::string(60, 'b')), Sent::over_limit);
  EXPECT_EQ(send(side, std::string(30, 'c')), Sent::accepted);
  EXPECT_TRUE(side.connection.may_send());
  EXPECT_THAT(payloads(side.sent()), ElementsAre(std::string(60, 'a'), std::string(30, 'c')));
}

TEST(Overflow, DropOldestKeepsWhatHasBegunToLeave) {
  Side side(Role::server, with(OverflowPolicy::drop_oldest, 200));
  const auto shared = SharedMessage::text(std::string(50, 's'));
  ASSERT_EQ(send(side, std::string(50, 'a')), Sent::accepted);
  ASSERT_EQ(side.connection.ping(as_bytes("p"), side.now), Sent::accepted);
  ASSERT_EQ(side.connection.send(shared, side.now), Sent::accepted);
  ASSERT_EQ(send(side, std::string(50, 'b')), Sent::accepted);
  std::string wire = take(side, 3);
  ASSERT_EQ(send(side, std::string(50, 'c')), Sent::accepted) << "drops the shared one";
  ASSERT_EQ(send(side, std::string(90, 'd')), Sent::accepted) << "drops b and nothing more than needed";
  EXPECT_LE(side.connection.queued_bytes(), 200U + 3U);
  wire += side.output();
  EXPECT_THAT(payloads(parse_sent(Role::server, wire)),
              ElementsAre(std::string(50, 'a'), "p", std::string(50, 'c'), std::string(90, 'd')));
}

TEST(Overflow, DropOldestCostsWhatItDropsAndNotWhatWaits) {  // or one slow receiver would slow down a whole fan-out
  constexpr std::size_t limit = std::size_t{512} * 1024;
  Side side(Role::server, with(OverflowPolicy::drop_oldest, limit));
  const auto shared = SharedMessage::text("0123456789");
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 300'000; ++i) ASSERT_EQ(side.connection.send(shared, side.now), Sent::accepted);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10)) << "44,000 messages are waiting";
  EXPECT_LE(side.connection.queued_bytes(), limit);
  EXPECT_GT(side.connection.queued_bytes(), limit - 100);
}

TEST(Overflow, DropOldestRefusesWhatCannotFit) {
  Side side(Role::server, with(OverflowPolicy::drop_oldest, 100));
  ASSERT_EQ(send(side, std::string(90, 'a')), Sent::accepted);
  const std::string begun = take(side, 1);
  EXPECT_EQ(send(side, std::string(50, 'b')), Sent::over_limit);
  EXPECT_THAT(payloads(parse_sent(Role::server, begun + side.output())), ElementsAre(std::string(90, 'a')));
}

TEST(Overflow, AMessageLargerThanTheLimitMayStandAlone) {
  for (const auto policy : {OverflowPolicy::close, OverflowPolicy::drop_newest, OverflowPolicy::drop_oldest}) {
    Side side(Role::client, with(policy, 100));
    EXPECT_EQ(send(side, std::string(5000, 'L')), Sent::accepted);
    EXPECT_EQ(payloads(side.sent()), std::vector{std::string(5000, 'L')});
  }
}

// Whoever waits for room before each message never meets the limit, whatever its messages' size.
TEST(Overflow, AMessageIsTakenWhileAtMostHalfOfTheLimitIsWaiting) {
  constexpr std::size_t header = 4;
  for (const auto policy : {OverflowPolicy::close, OverflowPolicy::drop_newest, OverflowPolicy::drop_oldest}) {
    for (const std::size_t size : {600U, 5'000U}) {
      Side side(Role::server, with(policy, 1000));
      ASSERT_EQ(send(side, std::string(500 - header, 'h')), Sent::accepted);
      EXPECT_EQ(side.connection.send(SharedMessage::text(std::string(size, 'm')), side.now), Sent::accepted);
      EXPECT_EQ(side.connection.take_dropped(), 0U);
      EXPECT_EQ(side.sent().size(), 2U);
      ASSERT_EQ(send(side, std::string(500 - header, 'h')), Sent::accepted);
      EXPECT_EQ(side.connection.send_chunk(MessageKind::text, as_bytes(std::string(size, 'p')), true, side.now),
                Sent::accepted);
    }
  }
  Side past_half(Role::server, with(OverflowPolicy::drop_newest, 1000));
  ASSERT_EQ(send(past_half, std::string(501 - header, 'h')), Sent::accepted);
  EXPECT_EQ(send(past_half, std::string(600, 'm')), Sent::over_limit);
  EXPECT_EQ(send(past_half, std::string(499 - header, 'm')), Sent::accepted) << "it fits";
  EXPECT_EQ(past_half.connection.send_chunk(MessageKind::text, as_bytes("p"), true, past_half.now), Sent::over_limit);
}

// What is dropped for a message is dropped until there is room for it, and no further.
TEST(Overflow, DropOldestKeepsHalfOfTheLimit) {
  Side side(Role::server, with(OverflowPolicy::drop_oldest, 1000));
  for (const char name : {'a', 'b', 'c', 'd'}) ASSERT_EQ(send(side, std::string(238, name)), Sent::accepted);
  EXPECT_EQ(send(side, std::string(900, 'e')), Sent::accepted);
  EXPECT_EQ(side.connection.take_dropped(), 2U);
  EXPECT_THAT(payloads(side.sent()), ElementsAre(std::string(238, 'c'), std::string(238, 'd'), std::string(900, 'e')));
}

TEST(Overflow, DroppingNeverBreaksThePeersWindow) {
  Settings settings = with(OverflowPolicy::drop_oldest, 1500);
  settings.compress_from_bytes = 0;
  Side server(Role::server, settings, DeflateAgreement{});
  Side client(Role::client, settings, DeflateAgreement{});
  std::mt19937 random(8);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
  int arrived = 0;
  for (int round = 0; round < 200; ++round) {
    for (int message = 0; message < 20; ++message) {
      const std::string text(random() % 400, static_cast<char>('a' + random() % 4));
      ASSERT_EQ(server.connection.send(MessageKind::text, as_bytes(text), server.now, Compress::always),
                Sent::accepted);
    }
    for (const auto& one : client.receive(take(server, random() % 500))) {
      ASSERT_EQ(one.what, Seen::What::message);
      ++arrived;
    }
    client.pass(std::chrono::seconds(1));
  }
  EXPECT_GT(arrived, 200);
}

// A model check: for any mix of messages, partial writes and policies the wire holds whole frames in order, and the
// queue keeps its bound.
TEST(Overflow, TheWireHoldsWholeFramesInOrderForAnyMix) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
    const auto policy = static_cast<OverflowPolicy>(seed % 3);
    const Role role = seed % 2 == 0 ? Role::server : Role::client;
    Side side(role, with(policy, 2000));
    std::string wire;
    int next = 0;
    for (int step = 0; step < 200; ++step) {
      const std::string payload = std::to_string(next++) + ":" + std::string(random() % 300, 'x');
      switch (random() % 4) {
        case 0:
          (void)send(side, payload);
          break;
        case 1:
          (void)side.connection.send(SharedMessage::text(payload), side.now);
          break;
        case 2:
          (void)side.connection.ping(as_bytes("-1:"), side.now);
          break;
        default:
          wire += take(side, random() % 900);
      }
      ASSERT_LE(side.connection.queued_bytes(), 2000U + 4096U + 127U);
    }
    wire += side.output();
    int last = -1;
    for (const auto& frame : parse_sent(role, wire)) {
      if (is_control(frame.header.opcode)) continue;
      const int number = std::stoi(frame.payload);
      ASSERT_GT(number, last) << seed;
      last = number;
    }
  }
}

// ── Shared messages ─────────────────────────────────────────────────────────────────────────────────────────────────

TEST(SharedMessages, LeaveAServerWithoutACopy) {
  Side side(Role::server);
  const auto shared = SharedMessage::text("for everybody");
  ASSERT_EQ(side.connection.send(shared, side.now), Sent::accepted);
  std::array<Bytes, 2> views;
  ASSERT_EQ(side.connection.output(views), 1U);
  EXPECT_EQ(views[0].data(), shared.frame().data());
  EXPECT_EQ(side.pool.lent_bytes(), 0U);
  EXPECT_THAT(payloads(side.sent()), ElementsAre("for everybody"));
}

TEST(SharedMessages, AreMaskedAfreshByAClient) {
  Side side(Role::client);
  const auto shared = SharedMessage::binary(as_bytes("same"));
  ASSERT_EQ(side.connection.send(shared, side.now), Sent::accepted);
  ASSERT_EQ(side.connection.send(shared, side.now), Sent::accepted);
  const auto sent = side.sent();
  EXPECT_THAT(payloads(sent), ElementsAre("same", "same"));
  EXPECT_NE(sent[0].header.mask, sent[1].header.mask);
}

TEST(SharedMessages, KeepTheirPlaceAmongOthers) {
  Side side(Role::server);
  const auto shared = SharedMessage::text("shared");
  ASSERT_EQ(send(side, "one"), Sent::accepted);
  ASSERT_EQ(side.connection.send(shared, side.now), Sent::accepted);
  ASSERT_EQ(send(side, "two"), Sent::accepted);
  ASSERT_EQ(send(side, "three"), Sent::accepted);
  ASSERT_EQ(side.connection.send(shared, side.now), Sent::accepted);
  std::string wire;
  for (std::string piece = take(side, 1); !piece.empty(); piece = take(side, 3)) wire += piece;
  EXPECT_THAT(payloads(parse_sent(Role::server, wire)), ElementsAre("one", "shared", "two", "three", "shared"));
}

TEST(SharedMessages, SeveralLeaveAsOneBlockOfFrames) {
  const std::array messages{SharedMessage::text("a"), SharedMessage::binary(as_bytes("b")), SharedMessage::text("c")};
  const SharedMessage joined = join(messages);
  Side side(Role::server);
  EXPECT_EQ(send(side, "before"), Sent::accepted);
  EXPECT_TRUE(side.connection.send_joined(joined));
  EXPECT_EQ(send(side, "behind"), Sent::accepted);
  const auto sent = side.sent();
  EXPECT_THAT(payloads(sent), ElementsAre("before", "a", "b", "c", "behind"));
  EXPECT_EQ(sent[2].header.opcode, Opcode::binary);
}

// Where they are not the same as one after the other, or do not all fit, they are not sent.
TEST(SharedMessages, AreNotJoinedWhereEachHasToBeTakenByItself) {
  const std::array messages{SharedMessage::text("a"), SharedMessage::text(std::string(60, 'b'))};
  const SharedMessage joined = join(messages);
  Side client(Role::client);
  EXPECT_FALSE(client.connection.send_joined(joined));
  Side streaming(Role::server);
  EXPECT_EQ(streaming.connection.send_chunk(MessageKind::text, as_bytes("piece"), false, streaming.now),
            Sent::accepted);
  EXPECT_FALSE(streaming.connection.send_joined(joined));
  Side dropping(Role::server, with(OverflowPolicy::drop_oldest, 1'000));
  EXPECT_FALSE(dropping.connection.send_joined(joined));
  Side full(Role::server, with(OverflowPolicy::close, 100));
  EXPECT_EQ(send(full, std::string(40, 'x')), Sent::accepted);
  EXPECT_FALSE(full.connection.send_joined(joined)) << "one message may pass the limit, several may not";
  EXPECT_TRUE(full.connection.may_send()) << "the policy is for those that are sent one by one";
  Side closing(Role::server);
  EXPECT_TRUE(closing.connection.close(close_code::normal, {}, closing.now));
  EXPECT_FALSE(closing.connection.send_joined(joined));
}

TEST(SharedMessages, TheCompressedFormGoesToThoseWhoKeepNoContextOfOurs) {
  const auto shared = SharedMessage::text(std::string(1000, 'c'), SharedMessage::Compression::once);
  ASSERT_FALSE(shared.compressed_frame().empty());
  const auto compressed = [&](std::optional<DeflateAgreement> agreement) {
    Side server(Role::server, {}, agreement);
    EXPECT_EQ(server.connection.send(shared, server.now), Sent::accepted);
    const std::string wire = server.output();
    Side client(Role::client, {}, agreement);
    EXPECT_EQ(client.receive(wire).at(0).payload, std::string(1000, 'c'));
    return parse_sent(Role::server, wire).at(0).header.rsv1;
  };
  EXPECT_TRUE(compressed(DeflateAgreement{15, 15, false, false}));
  EXPECT_FALSE(compressed(DeflateAgreement{15, 15, true, true}));
  EXPECT_FALSE(compressed(DeflateAgreement{12, 15, false, false}));
  EXPECT_FALSE(compressed(std::nullopt));
}

TEST(SharedMessages, ThatDoNotShrinkHaveNoCompressedForm) {
  EXPECT_TRUE(SharedMessage::text("x", SharedMessage::Compression::once).compressed_frame().empty());
}

TEST(Output, SmallFramesLeaveTogetherFromOnePooledBuffer) {
  Side side(Role::server);
  for (int round = 0; round < 3; ++round) {
    for (int message = 0; message < 10; ++message) ASSERT_EQ(send(side, "small"), Sent::accepted);
    std::array<Bytes, 4> views;
    EXPECT_EQ(side.connection.output(views), 1U);
    EXPECT_EQ(views[0].size(), 70U);
    EXPECT_EQ(side.pool.lent_bytes(), side.pool.block_bytes());
    side.connection.consume(70);
    EXPECT_EQ(side.pool.lent_bytes(), 0U);
  }
}

}  // namespace
}  // namespace fairlead::ws
