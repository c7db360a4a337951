// SPDX-License-Identifier: Apache-2.0
// How it ends (RFC 6455 7), and what time does to a connection.
#include "ws/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace fairlead::ws {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the words of these tests
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

class Closing : public ::testing::TestWithParam<Role> {};
INSTANTIATE_TEST_SUITE_P(Server, Closing, ::testing::Values(Role::server));
INSTANTIATE_TEST_SUITE_P(Client, Closing, ::testing::Values(Role::client));

TEST_P(Closing, GivingUpDropsWhatWaitsAndSaysWhy) {
  Side side(GetParam());
  ASSERT_EQ(side.connection.send(MessageKind::binary, as_bytes(std::string(500, 'a')), side.now), Sent::accepted);
  ASSERT_EQ(side.connection.send(MessageKind::binary, as_bytes(std::string(500, 'b')), side.now), Sent::accepted);
  const std::string half(600, 'x');
  EXPECT_THAT(side.receive(frame_for(GetParam(), 0x02, half)), ElementsAre());
  EXPECT_EQ(side.connection.held_bytes(), side.connection.queued_bytes() + half.size());
  side.connection.give_up(Errc::memory_budget_exceeded, side.now);
  EXPECT_THAT(side.events(), ElementsAre(failed(Errc::memory_budget_exceeded)));
  EXPECT_EQ(side.connection.close_info().sent_code, close_code::try_again_later);
  EXPECT_EQ(side.sent().size(), 1U) << "the close frame alone";
  EXPECT_EQ(side.connection.held_bytes(), 0U);
  side.connection.give_up(Errc::memory_budget_exceeded, side.now);
  EXPECT_THAT(side.events(), ElementsAre()) << "once";
}

TEST_P(Closing, ThePeersCodeIsAnsweredAndBothSidesKnowWhoWasFirst) {
  Side side(GetParam());
  EXPECT_THAT(side.receive(close_for(GetParam(), 4321, "enough")), ElementsAre(closed()));
  const auto sent = side.sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].payload, from_hex("10 e1"));
  const CloseInfo info = side.connection.close_info();
  EXPECT_EQ(info.code, 4321);
  EXPECT_EQ(info.reason, "enough");
  EXPECT_EQ(info.sent_code, 4321);
  EXPECT_TRUE(info.peer_first);
  EXPECT_TRUE(info.clean);
}

TEST_P(Closing, AnEmptyCloseFrameIs1005OnBothSides) {
  Side side(GetParam());
  EXPECT_THAT(side.receive(frame_for(GetParam(), 0x88, "")), ElementsAre(closed()));
  EXPECT_EQ(side.sent().at(0).payload, "");
  EXPECT_EQ(side.connection.close_info().code, close_code::no_status);
  EXPECT_EQ(side.connection.close_info().sent_code, close_code::no_status);
}

TEST_P(Closing, OurCloseIsSentOnceAndTheAnswerEndsIt) {
  Side side(GetParam());
  ASSERT_TRUE(side.connection.close(1000, "done", side.now));
  ASSERT_TRUE(side.connection.close(1001, "again", side.now));
  EXPECT_EQ(side.sent().size(), 1U);
  EXPECT_FALSE(side.connection.finished());
  EXPECT_THAT(side.receive(close_for(GetParam(), 1000)), ElementsAre(closed()));
  EXPECT_EQ(side.sent().size(), 0U);
  const CloseInfo info = side.connection.close_info();
  EXPECT_EQ(info.sent_reason, "done");
  EXPECT_FALSE(info.peer_first);
  EXPECT_TRUE(info.clean);
}

TEST_P(Closing, NoDataFollowsOurCloseFrame) {
  Side side(GetParam());
  ASSERT_TRUE(side.connection.close(1000, {}, side.now));
  EXPECT_FALSE(side.connection.may_send());
  EXPECT_EQ(side.connection.send(MessageKind::text, {}, side.now), Sent::closed);
  EXPECT_EQ(side.connection.send(SharedMessage::text("x"), side.now), Sent::closed);
  EXPECT_EQ(side.connection.send_chunk(MessageKind::text, {}, true, side.now), Sent::closed);
  EXPECT_EQ(side.connection.ping({}, side.now), Sent::closed);
  EXPECT_EQ(side.sent().size(), 1U);
}

TEST_P(Closing, WhatThePeerStillSendsIsDeliveredUntilItsCloseFrame) {
  Side side(GetParam());
  ASSERT_TRUE(side.connection.close(1000, {}, side.now));
  const std::string bytes =
      frame_for(GetParam(), 0x81, "on its way") + close_for(GetParam(), 1000) + frame_for(GetParam(), 0x81, "too late");
  EXPECT_THAT(side.receive(bytes), ElementsAre(text_message("on its way"), closed()));
  EXPECT_THAT(side.receive(frame_for(GetParam(), 0x81, "later still")), ElementsAre());
}

TEST_P(Closing, APingBetweenTheCloseFramesIsNotAnswered) {
  Side side(GetParam());
  ASSERT_TRUE(side.connection.close(1000, {}, side.now));
  EXPECT_THAT(side.receive(frame_for(GetParam(), 0x89, "p")), ElementsAre(ping_of("p")));
  EXPECT_EQ(side.sent().size(), 1U);
}

TEST(Closing, TheServerEndsTheStreamAtOnceAndTheClientWaits) {
  Side server(Role::server);
  Side client(Role::client);
  ASSERT_TRUE(client.connection.close(1000, {}, client.now));
  const Exchange seen = exchange(server, client);
  EXPECT_THAT(seen.server, ElementsAre(closed()));
  EXPECT_THAT(seen.client, ElementsAre(closed()));
  EXPECT_TRUE(server.connection.finished());
  EXPECT_FALSE(client.connection.finished()) << "the server ends the stream (7.1.1)";
  client.connection.receive_end(client.now);
  EXPECT_THAT(client.events(), ElementsAre());
  EXPECT_TRUE(client.connection.finished());
}

TEST(Closing, TheClientDoesNotWaitForever) {
  Side client(Role::client);
  ASSERT_TRUE(client.connection.close(1000, {}, client.now));
  client.output();
  client.receive(close_for(Role::client, 1000));
  ASSERT_EQ(client.connection.deadline(), client.now + client.settings.limits.close_time);
  client.pass(client.settings.limits.close_time);
  client.connection.on_deadline(client.now);
  EXPECT_TRUE(client.connection.finished());
  EXPECT_THAT(client.events(), ElementsAre()) << "the handshake was complete: nothing failed";
  EXPECT_TRUE(client.connection.close_info().clean);
}

TEST_P(Closing, TheCloseFrameMustHaveLeftBeforeTheEnd) {
  Side side(GetParam());
  side.receive(frame_for(GetParam(), 0x83, ""));
  EXPECT_FALSE(side.connection.finished()) << "the close frame is still in the output";
  side.output();
  EXPECT_TRUE(side.connection.finished());
}

TEST_P(Closing, BothMayCloseAtTheSameTime) {
  Side server(Role::server);
  Side client(Role::client);
  ASSERT_TRUE(server.connection.close(1001, "s", server.now));
  ASSERT_TRUE(client.connection.close(4000, "c", client.now));
  exchange(server, client);
  EXPECT_EQ(server.connection.close_info().code, 4000);
  EXPECT_EQ(client.connection.close_info().code, 1001);
  EXPECT_FALSE(server.connection.close_info().peer_first);
  EXPECT_FALSE(client.connection.close_info().peer_first);
  EXPECT_TRUE(server.connection.close_info().clean && client.connection.close_info().clean);
}

TEST_P(Closing, RefusesWhatACloseFrameCannotCarry) {
  Side side(GetParam());
  for (const CloseCode code : std::initializer_list<CloseCode>{0, 999, 1004, 1006, 1015, 1016, 2999, 5000})
    EXPECT_FALSE(side.connection.close(code, {}, side.now)) << code;
  EXPECT_FALSE(side.connection.close(1000, std::string(124, 'r'), side.now));
  EXPECT_FALSE(side.connection.close(1000, "\xFF", side.now));
  EXPECT_FALSE(side.connection.close(1005, "a reason without a code", side.now));
  EXPECT_TRUE(side.connection.may_send());
  EXPECT_TRUE(side.connection.close(1000, std::string(123, 'r'), side.now));
  EXPECT_EQ(side.sent().at(0).payload.size(), 125U);
}

TEST_P(Closing, Code1005SendsAnEmptyCloseFrame) {
  Side side(GetParam());
  EXPECT_TRUE(side.connection.close(1005, {}, side.now));
  EXPECT_EQ(side.sent().at(0).payload, "");
}

TEST_P(Closing, AStreamThatEndsWithoutACloseFrameIs1006) {
  Side side(GetParam());
  std::string bytes = frame_for(GetParam(), 0x81, "unread") + "\x81";
  side.connection.receive(std::as_writable_bytes(std::span<char>(bytes)), side.now);
  side.connection.receive_end(side.now);
  EXPECT_THAT(side.events(), ElementsAre(text_message("unread"), failed(Errc::unexpected_eof)));
  EXPECT_TRUE(side.connection.finished());
  const CloseInfo info = side.connection.close_info();
  EXPECT_EQ(info.code, close_code::abnormal);
  EXPECT_EQ(info.sent_code, close_code::abnormal);
  EXPECT_FALSE(info.clean);
  EXPECT_FALSE(side.connection.may_send());
}

TEST_P(Closing, QueuedMessagesLeaveBeforeTheCloseFrame) {
  Side side(GetParam());
  ASSERT_EQ(side.connection.send(MessageKind::text, as_bytes("first"), side.now), Sent::accepted);
  ASSERT_TRUE(side.connection.close(1000, {}, side.now));
  const auto sent = side.sent();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[1].header.opcode, Opcode::close);
}

TEST_P(Closing, WhoHasClosedWasFirstAlsoWhereItsFrameStillWaits) {
  Side side(GetParam());
  ASSERT_TRUE(side.connection.close(4000, {}, side.now));
  side.receive(frame_for(GetParam(), 0x88, "\x0f\xa1"));
  EXPECT_FALSE(side.connection.close_info().peer_first);
  EXPECT_EQ(side.connection.close_info().sent_code, 4000);
  EXPECT_GT(side.connection.output_bytes(), 0U);
}

// ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

class Liveness : public ::testing::TestWithParam<Role> {};
INSTANTIATE_TEST_SUITE_P(Server, Liveness, ::testing::Values(Role::server));
INSTANTIATE_TEST_SUITE_P(Client, Liveness, ::testing::Values(Role::client));

TEST_P(Liveness, APingGoesOutAtHalfOfTheIdleTimeAndTheLimitCloses) {
  Side side(GetParam());
  const auto idle = side.settings.limits.idle_time;
  ASSERT_EQ(side.connection.deadline(), side.now + idle / 2);
  side.pass(idle / 2 - milliseconds(1));
  side.connection.on_deadline(side.now);
  EXPECT_EQ(side.output(), "") << "too early";
  side.pass(milliseconds(1));
  side.connection.on_deadline(side.now);
  EXPECT_EQ(side.sent().at(0).header.opcode, Opcode::ping);
  side.pass(idle / 2);
  ASSERT_EQ(side.connection.deadline(), side.now);
  side.connection.on_deadline(side.now);
  EXPECT_THAT(side.events(), ElementsAre(failed(Errc::idle_timeout)));
  EXPECT_EQ(side.connection.close_info().sent_code, close_code::going_away);
  EXPECT_EQ(side.sent().at(0).header.opcode, Opcode::close);
}

TEST_P(Liveness, AnythingReceivedStartsTheIdleTimeAnew) {
  Side side(GetParam());
  const auto idle = side.settings.limits.idle_time;
  side.pass(idle / 2);
  side.connection.on_deadline(side.now);
  side.output();
  side.pass(idle / 4);
  side.receive(frame_for(GetParam(), 0x8A, ""));
  EXPECT_EQ(side.connection.deadline(), side.now + idle / 2);
}

TEST_P(Liveness, WhatWasNotReadDoesNotCountAsSilence) {
  Side side(GetParam());
  const auto idle = side.settings.limits.idle_time;
  side.pass(idle / 2);
  side.connection.on_deadline(side.now);
  EXPECT_EQ(side.sent().at(0).header.opcode, Opcode::ping);
  side.pass(idle);
  side.connection.restart_idle_time(side.now);
  EXPECT_EQ(side.connection.deadline(), side.now + idle / 2);
}

TEST_P(Liveness, ALoopThatWasLateDoesNotTakeThePeersTimeAway) {
  Side side(GetParam());
  const auto idle = side.settings.limits.idle_time;
  side.pass(idle * 3);
  side.connection.on_deadline(side.now);
  EXPECT_EQ(side.sent().at(0).header.opcode, Opcode::ping);
  EXPECT_EQ(side.connection.deadline(), side.now + idle / 2);
}

TEST_P(Liveness, TheShortestIdleTimeWakesNoSoonerThanAfterAMillisecond) {
  Settings settings;
  settings.limits.idle_time = milliseconds(1);
  Side side(GetParam(), settings);
  EXPECT_EQ(side.connection.deadline(), side.now + milliseconds(1));
  side.pass(milliseconds(1));
  side.connection.on_deadline(side.now);
  EXPECT_EQ(side.sent().at(0).header.opcode, Opcode::ping);
  EXPECT_EQ(side.connection.deadline(), side.now + milliseconds(1)) << "for the answer";
}

TEST_P(Liveness, ALiftedIdleTimeNeverWakes) {
  for (const milliseconds lifted : {milliseconds::max(), milliseconds(0)}) {
    Settings settings;
    settings.limits.idle_time = lifted;
    settings.limits.close_time = milliseconds::max();
    Side side(GetParam(), settings);
    EXPECT_EQ(side.connection.deadline(), std::nullopt);
    ASSERT_TRUE(side.connection.close(1000, {}, side.now));
    EXPECT_EQ(side.connection.deadline(), std::nullopt);
  }
}

TEST_P(Liveness, ACloseFrameThatIsNotAnsweredEndsInTime) {
  Side side(GetParam());
  ASSERT_TRUE(side.connection.close(1000, {}, side.now));
  side.output();
  side.pass(side.settings.limits.close_time);
  side.connection.on_deadline(side.now);
  EXPECT_THAT(side.events(), ElementsAre(failed(Errc::close_timeout)));
  EXPECT_TRUE(side.connection.finished());
  EXPECT_EQ(side.connection.deadline(), std::nullopt);
  EXPECT_EQ(side.connection.close_info().code, close_code::abnormal);
}

TEST_P(Liveness, AFailureWhoseCloseFrameCannotLeaveEndsInTime) {
  Side side(GetParam());
  side.receive("\x83");
  side.pass(side.settings.limits.close_time);
  side.connection.on_deadline(side.now);
  EXPECT_TRUE(side.connection.finished());
  EXPECT_EQ(side.connection.queued_bytes(), 0U);
  EXPECT_THAT(side.events(), ElementsAre()) << "one failure is one event";
}

}  // namespace
}  // namespace fairlead::ws
