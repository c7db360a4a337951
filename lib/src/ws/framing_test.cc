// SPDX-License-Identifier: Apache-2.0
// RFC 6455 5 as tables that both roles pass: what is refused and why, and what any split of the input must not change.
#include "ws/errors.h"
#include "ws/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace fairlead::ws {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the words of these tests
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

class InBothRoles : public ::testing::TestWithParam<Role> {
 protected:
  [[nodiscard]] static std::string frame(unsigned first_byte, std::string_view payload) {
    return frame_for(GetParam(), first_byte, payload);
  }
  [[nodiscard]] static RawFrame right(unsigned first_byte, std::string_view payload) {
    return {.first_byte = first_byte, .payload = payload, .masked = GetParam() == Role::server, .declared = {}};
  }
};

using Framing = InBothRoles;
INSTANTIATE_TEST_SUITE_P(Server, Framing, ::testing::Values(Role::server));
INSTANTIATE_TEST_SUITE_P(Client, Framing, ::testing::Values(Role::client));

struct Malformed {
  std::string bytes;
  Errc rule;
};

std::vector<Malformed> malformed(Role reader) {
  const auto frame = [&](unsigned first, std::string_view payload) { return frame_for(reader, first, payload); };
  const auto declared = [&](unsigned first, std::uint64_t length, int length_bytes) {
    return raw({.first_byte = first,
                .payload = {},
                .masked = reader == Role::server,
                .declared = length,
                .length_bytes = length_bytes});
  };
  std::vector<Malformed> all{
      {frame(0xC1, "rsv1 without deflate"), Errc::frame_reserved_bit},
      {frame(0xA1, "rsv2"), Errc::frame_reserved_bit},
      {frame(0x91, "rsv3"), Errc::frame_reserved_bit},
      {frame(0xC9, "rsv1 on a ping"), Errc::frame_reserved_bit},
      {frame(0x09, "fragmented ping"), Errc::control_frame_fragmented},
      {frame(0x0A, "fragmented pong"), Errc::control_frame_fragmented},
      {frame(0x08, ""), Errc::control_frame_fragmented},
      {frame(0x89, std::string(126, 'p')), Errc::control_frame_too_long},
      {declared(0x88, 1 << 20, 8), Errc::control_frame_too_long},
      {frame(0x80, "no start"), Errc::continuation_without_start},
      {frame(0x00, ""), Errc::continuation_without_start},
      {frame(0x81, "whole") + frame(0x80, "late"), Errc::continuation_without_start},
      {frame(0x01, "a") + frame(0x81, "b"), Errc::message_interrupted},
      {frame(0x01, "a") + frame(0x02, "b"), Errc::message_interrupted},
      {declared(0x82, 125, 2), Errc::frame_length_not_minimal},
      {declared(0x82, 0, 2), Errc::frame_length_not_minimal},
      {declared(0x82, 0xFFFF, 8), Errc::frame_length_not_minimal},
      {declared(0x82, 0, 8), Errc::frame_length_not_minimal},
      {declared(0x82, std::uint64_t{1} << 63U, 8), Errc::frame_length_too_large},
      {declared(0x82, ~std::uint64_t{0}, 8), Errc::frame_length_too_large},
      {declared(0x82, (std::uint64_t{1} << 63U) - 1, 8), Errc::frame_over_limit},
      {declared(0x82, std::uint64_t{1} << 53U, 8), Errc::frame_over_limit},
      {declared(0x82, std::uint64_t{1} << 32U, 8), Errc::frame_over_limit},
      {declared(0x82, std::uint64_t{1} << 31U, 8), Errc::frame_over_limit},
      {frame(0x88, "x"), Errc::close_frame_malformed},
      {frame(0x81, "\xC0\xAF"), Errc::invalid_utf8},
      {frame(0x81, "ends inside \xE2\x82"), Errc::invalid_utf8},
      {frame(0x01, "\xED") + frame(0x80, "\xA0\x80"), Errc::invalid_utf8},
      {frame(0x01, "fine") + frame(0x00, "") + frame(0x80, "\xFF"), Errc::invalid_utf8},
      {close_for(reader, 1000, "\xF8"), Errc::close_reason_not_utf8},
  };
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U})
    all.push_back({frame(0x80U | opcode, ""), Errc::frame_reserved_opcode});
  for (const CloseCode code :
       std::initializer_list<CloseCode>{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535})
    all.push_back({close_for(reader, code), Errc::close_code_invalid});
  return all;
}

TEST_P(Framing, EachBrokenRuleHasItsNameAndItsCloseCode) {
  for (const Malformed& wrong : malformed(GetParam())) {
    Side side(GetParam());
    const auto all = side.receive(wrong.bytes);
    ASSERT_FALSE(all.empty()) << name(wrong.rule);
    EXPECT_EQ(all.back(), failed(wrong.rule));
    const auto sent = side.sent();
    ASSERT_EQ(sent.size(), 1U) << name(wrong.rule);
    EXPECT_EQ(sent[0].header.opcode, Opcode::close);
    const CloseInfo info = side.connection.close_info();
    EXPECT_EQ(info.sent_code, close_code_for(wrong.rule)) << name(wrong.rule);
    EXPECT_EQ(info.code, close_code::abnormal);
    EXPECT_FALSE(info.clean);
    EXPECT_TRUE(side.connection.finished());
  }
}

TEST_P(Framing, TheVerdictIsTheSameByteByByte) {
  for (const Malformed& wrong : malformed(GetParam())) {
    Side side(GetParam());
    Side whole(GetParam());
    EXPECT_EQ(side.receive_split(wrong.bytes, 1), whole.receive(wrong.bytes)) << name(wrong.rule);
  }
}

TEST_P(Framing, NothingIsReadAfterAFailure) {
  Side side(GetParam());
  const std::string bytes = frame(0xA1, "x") + frame(0x81, "late");
  EXPECT_THAT(side.receive(bytes), ElementsAre(failed(Errc::frame_reserved_bit)));
  EXPECT_THAT(side.receive(frame(0x81, "later")), ElementsAre());
  EXPECT_EQ(side.connection.send(MessageKind::text, as_bytes("x"), side.now), Sent::closed);
}

// RFC 6455 8.1 asks to fail the connection; we do so before the frame is complete.
TEST_P(Framing, ImpossibleTextFailsBeforeTheFrameIsComplete) {
  Side side(GetParam());
  RawFrame frame = right(0x81, "fine so far \xF4\x90");
  frame.declared = 1000;
  EXPECT_THAT(side.receive(raw(frame)), ElementsAre(failed(Errc::invalid_utf8)));
}

TEST_P(Framing, ABrokenFirstByteFailsWithoutTheSecond) {
  Side side(GetParam());
  EXPECT_THAT(side.receive("\x83"), ElementsAre(failed(Errc::frame_reserved_opcode)));
}

TEST_P(Framing, ControlFramesStandBetweenFragments) {
  Side side(GetParam());
  const std::string bytes = frame(0x01, "one ") + frame(0x89, "p") + frame(0x00, "two ") + frame(0x8A, "q") +
                            frame(0x00, "") + frame(0x80, "three") + frame(0x82, "");
  EXPECT_THAT(side.receive(bytes),
              ElementsAre(ping_of("p"), pong_of("q"), text_message("one two three"), binary_message("")));
}

TEST_P(Framing, ACharacterMaySpanFragments) {
  Side side(GetParam());
  EXPECT_THAT(side.receive(frame(0x01, "\xE2") + frame(0x00, "\x82") + frame(0x80, "\xAC")),
              ElementsAre(text_message("€")));
}

std::string every_kind_of_frame(Role reader) {
  const auto frame = [&](unsigned first, std::string_view payload) { return frame_for(reader, first, payload); };
  const std::string long_text(70'000, 'l');
  return frame(0x81, "short") + frame(0x82, std::string(200, '\xFF')) + frame(0x89, std::string(125, 'p')) +
         frame(0x01, "κόσ") + frame(0x8A, "") + frame(0x80, "με") + frame(0x81, long_text) + frame(0x02, "") +
         frame(0x80, "") + frame(0x82, "last") + close_for(reader, 4001, "bye");
}

TEST_P(Framing, AnySplitGivesTheSameEvents) {
  const std::string bytes = every_kind_of_frame(GetParam());
  Side whole(GetParam());
  const auto expected = whole.receive(bytes);
  ASSERT_EQ(expected.size(), 9U);
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 13U, 14U, 15U, 100U, 139U, 1000U, 65535U}) {
    Side side(GetParam());
    EXPECT_THAT(side.receive_split(bytes, piece), ElementsAreArray(expected)) << piece;
  }
  std::mt19937 random(5);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
  for (int round = 0; round < 100; ++round) {
    Side side(GetParam());
    std::vector<Seen> all;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t step = random() % (round % 2 == 0 ? 30'000 : 300) + 1;
      for (auto& one : side.receive(std::string_view(bytes).substr(at, step))) all.push_back(std::move(one));
      at += step;
    }
    ASSERT_EQ(all, expected);
  }
}

TEST_P(Framing, AReaderMayStopAtAnyEventAndGoOnLater) {
  const std::string bytes = every_kind_of_frame(GetParam());
  Side whole(GetParam());
  const auto expected = whole.receive(bytes);
  Side side(GetParam());
  std::vector<Seen> all;
  for (std::size_t at = 0; at < bytes.size(); at += 50) {
    std::string piece = bytes.substr(at, 50);
    side.connection.receive(std::as_writable_bytes(std::span<char>(piece)), side.now);
    if (const auto event = side.connection.next_event()) all.push_back(seen(*event));
    side.connection.retain();
    piece.assign(piece.size(), '!');
  }
  for (const auto& one : side.events()) all.push_back(one);
  EXPECT_EQ(all, expected);
}

TEST_P(Framing, AWholeSmallMessageIsNotCopied) {
  Side side(GetParam());
  std::string bytes = frame(0x81, "in place");
  side.connection.receive(std::as_writable_bytes(std::span<char>(bytes)), side.now);
  const auto event = side.connection.next_event();
  ASSERT_TRUE(event.has_value());
  const std::string_view text = std::get<MessageEvent>(*event).message.text();
  EXPECT_EQ(text, "in place");
  EXPECT_EQ(text.data() + text.size(), bytes.data() + bytes.size());
  EXPECT_EQ(side.pool.lent_bytes(), 0U);
}

TEST_P(Framing, ReceivedViewsSurviveSending) {
  Side side(GetParam());
  std::string bytes = frame(0x81, "echo me");
  side.connection.receive(std::as_writable_bytes(std::span<char>(bytes)), side.now);
  const auto event = side.connection.next_event();
  const MessageView message = std::get<MessageEvent>(*event).message;
  for (int time = 0; time < 3; ++time)
    ASSERT_EQ(side.connection.send(message.kind, message.payload, side.now), Sent::accepted);
  const auto sent = side.sent();
  ASSERT_EQ(sent.size(), 3U);
  for (const auto& one : sent) EXPECT_EQ(one.payload, "echo me");
}

// ── Delivery in chunks ──────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(Framing, ChunksCarryTheSameBytesForAnySplit) {
  Settings settings;
  settings.delivery = Delivery::chunks;
  const std::string text(5000, 't');
  const std::string bytes =
      frame(0x01, text) + frame(0x89, "p") + frame(0x00, "") + frame(0x80, "end") + frame(0x82, "");
  for (const std::size_t piece : {1U, 17U, 999U, 100'000U}) {
    Side side(GetParam(), settings);
    std::string joined;
    int firsts = 0;
    int lasts = 0;
    for (const Seen& seen : side.receive_split(bytes, piece)) {
      if (seen.what != Seen::What::chunk) continue;
      joined += seen.payload;
      firsts += seen.first ? 1 : 0;
      lasts += seen.last ? 1 : 0;
      EXPECT_EQ(seen.kind, lasts == 2 ? MessageKind::binary : MessageKind::text);
    }
    EXPECT_EQ(joined, text + "end");
    EXPECT_EQ(firsts, 2);
    EXPECT_EQ(lasts, 2);
  }
}

TEST_P(Framing, ChunksOfAMessageOfAnyLengthNeedNoMemory) {
  Settings settings;
  settings.delivery = Delivery::chunks;
  settings.limits.message_bytes = unlimited;
  settings.limits.frame_bytes = unlimited;
  Side side(GetParam(), settings);
  RawFrame endless = right(0x82, "");
  endless.declared = std::uint64_t{1} << 40U;
  EXPECT_THAT(side.receive(raw(endless)), ElementsAre());
  const std::string piece(10'000, 'x');
  for (int round = 0; round < 1000; ++round) ASSERT_EQ(side.receive(piece).size(), 1U);
  EXPECT_EQ(side.pool.lent_bytes(), 0U);
}

TEST_P(Framing, ChunksOfTextAreCheckedToo) {
  Settings settings;
  settings.delivery = Delivery::chunks;
  Side side(GetParam(), settings);
  const auto all = side.receive(frame(0x01, "ok\xE2\x82") + frame(0x80, "\x28"));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1], failed(Errc::invalid_utf8));
}

// ── Frame headers alone ─────────────────────────────────────────────────────────────────────────────────────────────

TEST(FrameHeaders, AreReadAsTheyWereWrittenForEveryLengthForm) {
  for (const std::uint64_t length :
       {0ULL, 1ULL, 125ULL, 126ULL, 127ULL, 65535ULL, 65536ULL, 1ULL << 32U, (1ULL << 63U) - 1})
    for (const bool masked : {false, true}) {
      FrameHeader header{.payload_bytes = length, .opcode = Opcode::binary, .fin = false, .masked = masked};
      if (masked) header.mask = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
      std::array<std::byte, max_header_bytes> bytes{};
      const std::size_t size = write_frame_header(header, bytes);
      const FrameRules rules{.reader = masked ? Role::server : Role::client, .deflate = false};
      for (std::size_t part = 0; part < size; ++part) {
        const auto incomplete = parse_frame_header(Bytes(bytes).first(part), rules);
        ASSERT_TRUE(incomplete.has_value());
        EXPECT_FALSE(incomplete->has_value());
      }
      const auto read = parse_frame_header(Bytes(bytes).first(size), rules);
      ASSERT_TRUE(read.has_value() && read->has_value());
      EXPECT_EQ((*read)->payload_bytes, length);
      EXPECT_EQ((*read)->mask, header.mask);
      EXPECT_EQ((*read)->size, size);
      EXPECT_FALSE((*read)->fin);
    }
}

}  // namespace
}  // namespace fairlead::ws
