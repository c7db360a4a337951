// SPDX-License-Identifier: Apache-2.0
// Every limit on what a peer may send, at, below and above, in both roles; and the floods that other libraries fell to.
#include "ws/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace fairlead::ws {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the words of these tests
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

constexpr DeflateAgreement deflated{};

class IncomingLimits : public ::testing::TestWithParam<Role> {
 protected:
  [[nodiscard]] static std::string frame(unsigned first_byte, std::string_view payload) {
    return frame_for(GetParam(), first_byte, payload);
  }
  [[nodiscard]] static std::string announced(unsigned first_byte, std::uint64_t length) {
    return raw({.first_byte = first_byte, .payload = {}, .masked = GetParam() == Role::server, .declared = length});
  }
  // `plain` as a compressed payload.
  [[nodiscard]] static std::string squeezed(std::string_view plain) {
    Buffer out;
    Deflater(9, 15).compress(as_bytes(plain), true, out);
    return std::string(as_text(out.readable()));
  }
};
INSTANTIATE_TEST_SUITE_P(Server, IncomingLimits, ::testing::Values(Role::server));
INSTANTIATE_TEST_SUITE_P(Client, IncomingLimits, ::testing::Values(Role::client));

TEST_P(IncomingLimits, MessageBytesAtAndAbove) {
  Settings settings;
  settings.limits.message_bytes = 1000;
  const std::string half(500, 'h');
  const std::string full(1000, 'f');
  Side at(GetParam(), settings);
  EXPECT_THAT(at.receive(frame(0x81, full) + frame(0x01, half) + frame(0x80, half)),
              ElementsAre(text_message(full), text_message(half + half)));
  Side above(GetParam(), settings);
  EXPECT_THAT(above.receive(announced(0x81, 1001)), ElementsAre(failed(Errc::message_over_limit)));
  EXPECT_EQ(above.connection.close_info().sent_code, close_code::message_too_big);
  Side assembled(GetParam(), settings);
  EXPECT_THAT(assembled.receive(frame(0x01, half) + announced(0x80, 501)),
              ElementsAre(failed(Errc::message_over_limit)));
}

TEST_P(IncomingLimits, FrameBytesAtAndAbove) {
  Settings settings;
  settings.limits.frame_bytes = 100;
  const std::string full(100, 'f');
  Side at(GetParam(), settings);
  EXPECT_THAT(at.receive(frame(0x01, full) + frame(0x80, full)), ElementsAre(text_message(full + full)));
  Side above(GetParam(), settings);
  EXPECT_THAT(above.receive(announced(0x81, 101)), ElementsAre(failed(Errc::frame_over_limit)));
}

TEST_P(IncomingLimits, FragmentsAtAndAboveEmptyOnesCounted) {
  Settings settings;
  settings.limits.fragments_per_message = 4;
  const std::string three = frame(0x01, "a") + frame(0x00, "") + frame(0x00, "");
  Side at(GetParam(), settings);
  EXPECT_THAT(at.receive(three + frame(0x80, "b") + three + frame(0x80, "c")),
              ElementsAre(text_message("ab"), text_message("ac")));
  Side above(GetParam(), settings);
  EXPECT_THAT(above.receive(three + frame(0x00, "") + frame(0x80, "")), ElementsAre(failed(Errc::too_many_fragments)));
  EXPECT_EQ(above.connection.close_info().sent_code, close_code::policy_violation);
}

TEST_P(IncomingLimits, ControlFramesPerSecondWithABurstOfTwice) {
  Settings settings;
  settings.limits.control_frames_per_second = 5;
  Side side(GetParam(), settings);
  for (int ping = 0; ping < 10; ++ping) ASSERT_THAT(side.receive(frame(0x89, "")), ElementsAre(ping_of("")));
  side.pass(std::chrono::seconds(1));
  for (int pong = 0; pong < 5; ++pong) ASSERT_THAT(side.receive(frame(0x8A, "")), ElementsAre(pong_of("")));
  EXPECT_THAT(side.receive(frame(0x8A, "")), ElementsAre(failed(Errc::control_rate_exceeded)));
  EXPECT_EQ(side.connection.close_info().sent_code, close_code::policy_violation);
}

TEST_P(IncomingLimits, MessagesPerSecondWithABurstOfTwice) {
  Settings settings;
  settings.limits.messages_per_second = 3;
  Side side(GetParam(), settings);
  for (int message = 0; message < 6; ++message) ASSERT_EQ(side.receive(frame(0x81, "m")).at(0), text_message("m"));
  EXPECT_THAT(side.receive(frame(0x81, "m")), ElementsAre(failed(Errc::message_rate_exceeded)));
  Side slow(GetParam(), settings);
  for (int message = 0; message < 100; ++message) {
    ASSERT_EQ(slow.receive(frame(0x01, "m") + frame(0x80, "")).at(0), text_message("m"));
    slow.pass(std::chrono::milliseconds(334));
  }
}

// CVE-2026-0716: reads out of bounds when the limit is "unset".
TEST_P(IncomingLimits, MayAllBeLifted) {
  Settings settings;
  Limits& limits = settings.limits;
  limits.message_bytes = limits.frame_bytes = limits.fragments_per_message = unlimited;
  limits.control_frames_per_second = limits.messages_per_second = limits.outgoing_queue_bytes = unlimited;
  for (const Delivery delivery : {Delivery::messages, Delivery::chunks}) {
    settings.delivery = delivery;
    Side side(GetParam(), settings, deflated);
    std::string bytes = frame(0xC1, squeezed(std::string(100'000, 'z'))) + frame(0x01, "a");
    for (int fragment = 0; fragment < 3000; ++fragment) bytes += frame(0x00, "b") + frame(0x89, "");
    bytes += frame(0x80, "c") + announced(0x82, std::numeric_limits<std::int64_t>::max());
    const auto all = side.receive(bytes);
    EXPECT_THAT(all, Not(Contains(::testing::Field(&Seen::what, Seen::What::failed))));
    EXPECT_LE(side.pool.lent_bytes(), 100'000U);
  }
}

TEST_P(IncomingLimits, OfZeroRefuseEverything) {
  Settings settings;
  Limits& limits = settings.limits;
  limits.message_bytes = limits.frame_bytes = limits.fragments_per_message = 0;
  Side fragments(GetParam(), settings, deflated);
  EXPECT_THAT(fragments.receive(frame(0x81, "")), ElementsAre(failed(Errc::too_many_fragments)));
  limits.fragments_per_message = 2;
  Side bytes(GetParam(), settings, deflated);
  EXPECT_THAT(bytes.receive(frame(0x81, "") + frame(0x81, "x")),
              ElementsAre(text_message(""), failed(Errc::frame_over_limit)));
  limits.frame_bytes = 10;
  Side inflated(GetParam(), settings, deflated);
  EXPECT_THAT(inflated.receive(frame(0xC1, squeezed("x"))), ElementsAre(failed(Errc::deflate_over_limit)));
  limits.control_frames_per_second = limits.messages_per_second = 0;
  Side rates(GetParam(), settings);
  EXPECT_THAT(rates.receive(frame(0x89, "")), ElementsAre(failed(Errc::control_rate_exceeded)));
}

// ── Floods ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// CVE-2026-48779: the structural cost of tiny fragments.
TEST_P(IncomingLimits, AMillionTinyFragmentsAreCutOffWithBoundedMemory) {
  for (const std::string_view payload : {"", "x"}) {
    Side side(GetParam());
    std::string flood;
    const std::string fragment = frame(0x00, payload);
    for (int count = 0; count < 1'000'000; ++count) flood += fragment;
    const auto all = side.receive(frame(0x01, payload) + flood);
    EXPECT_THAT(all, ElementsAre(failed(Errc::too_many_fragments)));
    EXPECT_LE(side.pool.lent_bytes(), 2 * side.pool.block_bytes());
  }
}

// CVE-2022-35922: a header that announces much, then silence.
TEST_P(IncomingLimits, AnAnnouncedLengthAllocatesNothing) {
  Settings settings;
  settings.limits.frame_bytes = settings.limits.message_bytes = unlimited;
  Side side(GetParam(), settings);
  EXPECT_THAT(side.receive(announced(0x82, std::uint64_t{1} << 40U)), ElementsAre());
  EXPECT_EQ(side.pool.lent_bytes(), 0U);
  side.receive("only a few bytes");
  EXPECT_LE(side.pool.lent_bytes(), 5 * side.pool.block_bytes());
}

// A recursion per control frame overflowed another library's stack.
TEST_P(IncomingLimits, AMillionControlFramesInOneBufferDoNotRecurse) {
  Settings settings;
  settings.limits.control_frames_per_second = unlimited;
  Side side(GetParam(), settings);
  std::string flood;
  const std::string pair = frame(0x89, "ping") + frame(0x8A, "");
  for (int count = 0; count < 500'000; ++count) flood += pair;
  EXPECT_EQ(side.receive(flood).size(), 1'000'000U);
  EXPECT_LE(side.connection.queued_bytes(), side.settings.limits.outgoing_queue_bytes + 8192)
      << "pongs that are not taken do not pile up";
}

TEST_P(IncomingLimits, APingFloodIsCutOffByDefault) {
  Side side(GetParam());
  std::string flood;
  for (int count = 0; count < 101; ++count) flood += frame(0x89, "");
  EXPECT_EQ(side.receive(flood).back(), failed(Errc::control_rate_exceeded));
}

// CVE-2026-1526, CVE-2018-1000518: inflate bombs, against servers and clients, whole and in fragments.
TEST_P(IncomingLimits, AnInflateBombStopsWhileInflating) {
  const std::string bomb = squeezed(std::string(std::size_t{64} * 1024 * 1024, '\0'));
  for (const Delivery delivery : {Delivery::messages, Delivery::chunks}) {
    Settings settings;
    settings.delivery = delivery;
    Side whole(GetParam(), settings, deflated);
    const auto all = whole.receive(frame(0xC2, bomb));
    EXPECT_EQ(all.back(), failed(Errc::deflate_over_limit));
    std::size_t handed_over = 0;
    for (const Seen& one : all) handed_over += one.payload.size();
    EXPECT_LE(handed_over, settings.limits.message_bytes);
    EXPECT_EQ(whole.connection.close_info().sent_code, close_code::message_too_big);

    Side pieces(GetParam(), settings, deflated);
    std::string fragments = frame(0x42, std::string_view(bomb).substr(0, 64));
    for (std::size_t at = 64; at < bomb.size(); at += 64)
      fragments += frame(0x00, std::string_view(bomb).substr(at, 64));
    EXPECT_EQ(pieces.receive(fragments).back(), failed(Errc::deflate_over_limit));
    EXPECT_LE(pieces.pool.lent_bytes(), 3 * settings.limits.message_bytes);
  }
}

TEST_P(IncomingLimits, InflatedBytesAtAndAbove) {
  Settings settings;
  settings.limits.message_bytes = 50'000;
  const std::string full(50'000, 'f');
  Side at(GetParam(), settings, deflated);
  EXPECT_EQ(at.receive(frame(0xC1, squeezed(full))).at(0).payload, full);
  Side above(GetParam(), settings, deflated);
  EXPECT_THAT(above.receive(frame(0xC1, squeezed(full + "+"))), ElementsAre(failed(Errc::deflate_over_limit)));
}

// CVE-2018-21035, CVE-2016-10544: no limit by default.
TEST_P(IncomingLimits, AGibibyteIsRefusedByDefault) {
  Side side(GetParam());
  EXPECT_THAT(side.receive(announced(0x82, std::uint64_t{1} << 30U)), ElementsAre(failed(Errc::frame_over_limit)));
}

TEST_P(IncomingLimits, AnIdleConnectionHoldsNoBuffer) {
  Side side(GetParam(), {}, DeflateAgreement{15, 15, false, false});
  const std::string text(20'000, 't');
  side.receive_split(frame(0x81, text) + frame(0xC1, squeezed(text)) + frame(0x01, text) + frame(0x80, text), 1000);
  ASSERT_EQ(side.connection.send(MessageKind::text, as_bytes(text), side.now), Sent::accepted);
  side.output();
  side.events();
  EXPECT_EQ(side.pool.lent_bytes(), 0U);
}

}  // namespace
}  // namespace fairlead::ws
