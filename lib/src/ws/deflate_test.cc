// SPDX-License-Identifier: Apache-2.0
// permessage-deflate (RFC 7692) in both roles: every window, context takeover or not, and what is malformed.
#include "ws/deflate.h"

#include "ws/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace fairlead::ws {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the words of these tests
using ::testing::ElementsAre;

std::string compressible(std::mt19937& random, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes)
    text += "\"key" + std::to_string(random() % 50) + "\":" + std::to_string(random() % 9) + ",";
  text.resize(bytes);
  return text;
}

std::string squeeze(Deflater& deflater, std::string_view plain, bool last = true) {
  Buffer out;
  deflater.compress(as_bytes(plain), last, out);
  return std::string(as_text(std::as_const(out).readable()));
}

// Inflates with room for one byte at a time, so that nothing but the window itself can be referred to.
std::string inflate_strictly(Inflater& inflater, std::string_view compressed) {
  std::string plain;
  const std::string whole = std::string(compressed) + std::string(as_text(Inflater::flush_tail()));
  Bytes in = as_bytes(whole);
  while (true) {
    std::array<std::byte, 1> out{};
    const auto step = inflater.inflate(in, out);
    if (step.malformed) return "malformed";
    in = in.subspan(step.consumed);
    plain.append(as_text(Bytes(out).first(step.produced)));
    if (step.produced == 0 && in.empty()) return plain;
  }
}

// zlib makes no raw stream for windows of 8 bits; what it makes with 9 must fit a receiver with 8.
TEST(DeflateWindow, NeverRefersBackFurtherThanAgreed) {
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
  for (int bits = 8; bits <= 15; ++bits)
    for (int level = 1; level <= 9; ++level) {
      Deflater deflater(level, bits);
      Inflater inflater(bits);
      for (int message = 0; message < 6; ++message) {
        const std::string plain = compressible(random, random() % 6000);
        ASSERT_EQ(inflate_strictly(inflater, squeeze(deflater, plain)), plain) << bits << " " << level;
      }
    }
}

TEST(DeflateWindow, RepetitionsAtEveryDistanceAroundTheSmallestWindow) {
  for (std::size_t distance = 240; distance <= 270; ++distance) {
    std::mt19937 random(static_cast<unsigned>(distance));  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
    std::string period(distance, '\0');
    for (char& c : period) c = static_cast<char>(random());
    std::string plain;
    for (int time = 0; time < 20; ++time) plain += period;
    Deflater deflater(9, 8);
    Inflater inflater(8);
    ASSERT_EQ(inflate_strictly(inflater, squeeze(deflater, plain)), plain) << distance;
  }
}

TEST(DeflateWindow, AWiderReferenceThanAgreedIsMalformed) {
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
  std::string period(5000, '\0');
  for (char& c : period) c = static_cast<char>(random());
  Deflater deflater(9, 15);
  Inflater inflater(10);
  EXPECT_EQ(inflate_strictly(inflater, squeeze(deflater, period + period)), "malformed");
}

struct Pair {
  Pair(DeflateAgreement servers, Settings settings)
      : server(Role::server, settings, servers),
        client(Role::client, settings,
               DeflateAgreement{servers.their_window_bits, servers.our_window_bits, servers.their_context_takeover,
                                servers.our_context_takeover}) {}
  Side server;
  Side client;
};

TEST(Deflate, RoundTripsForEveryAgreementAndCompressor) {
  std::mt19937 random(2);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
  for (const int bits : {8, 9, 12, 15})
    for (const bool ours : {false, true})
      for (const bool theirs : {false, true})
        for (const CompressorUse use : {CompressorUse::shared, CompressorUse::dedicated}) {
          Settings settings;
          settings.compressor = use;
          const auto window = static_cast<std::uint8_t>(bits);
          Pair pair({window, static_cast<std::uint8_t>(23 - bits), ours, theirs}, settings);
          for (int message = 0; message < 10; ++message) {
            const std::string down = compressible(random, random() % 3000);
            const std::string up = compressible(random, random() % 3000);
            ASSERT_EQ(pair.server.connection.send(MessageKind::text, as_bytes(down), pair.server.now), Sent::accepted);
            ASSERT_EQ(pair.client.connection.send(MessageKind::binary, as_bytes(up), pair.client.now), Sent::accepted);
            const Exchange seen = exchange(pair.server, pair.client);
            ASSERT_EQ(seen.client.size(), 1U);
            ASSERT_EQ(seen.server.size(), 1U);
            ASSERT_EQ(seen.client[0].payload, down);
            ASSERT_EQ(seen.server[0].payload, up);
            ASSERT_EQ(seen.client[0].compressed, down.size() >= settings.compress_from_bytes);
          }
        }
}

TEST(Deflate, ContextTakeoverMakesTheSecondMessageSmaller) {
  const std::string text = "a sentence that is said twice, " + std::string(300, 'x') + "once and once more";
  const auto sizes = [&](bool takeover) {
    Side server(Role::server, {}, DeflateAgreement{15, 15, takeover, true});
    std::vector<std::size_t> both;
    for (int time = 0; time < 2; ++time) {
      EXPECT_EQ(server.connection.send(MessageKind::text, as_bytes(text), server.now), Sent::accepted);
      both.push_back(server.output().size());
    }
    return both;
  };
  EXPECT_LT(sizes(true)[1], sizes(true)[0]);
  EXPECT_EQ(sizes(false)[1], sizes(false)[0]) << "a message stands for itself";
}

TEST(Deflate, ChosenByThresholdAndPerMessage) {
  Settings settings;
  settings.compress_from_bytes = 100;
  Side server(Role::server, settings, DeflateAgreement{15, 15, false, false});
  const std::string below(99, 'b');
  const std::string at(100, 'a');
  const auto rsv1 = [&](std::string_view payload, Compress compress) {
    EXPECT_EQ(server.connection.send(MessageKind::text, as_bytes(payload), server.now, compress), Sent::accepted);
    return server.sent().at(0).header.rsv1;
  };
  EXPECT_FALSE(rsv1(below, Compress::by_settings));
  EXPECT_TRUE(rsv1(at, Compress::by_settings));
  EXPECT_FALSE(rsv1(at, Compress::never));
  EXPECT_TRUE(rsv1(below, Compress::always));
  EXPECT_FALSE(rsv1("x", Compress::always)) << "what does not become smaller is sent as it is";
}

TEST(Deflate, NothingIsCompressedWithoutAnAgreement) {
  Side server(Role::server);
  const std::string text(1000, 't');
  ASSERT_EQ(server.connection.send(MessageKind::text, as_bytes(text), server.now, Compress::always), Sent::accepted);
  EXPECT_FALSE(server.sent().at(0).header.rsv1);
}

class DeflateRules : public ::testing::TestWithParam<Role> {
 protected:
  [[nodiscard]] static std::string frame(unsigned first_byte, std::string_view payload) {
    return frame_for(GetParam(), first_byte, payload);
  }
};
INSTANTIATE_TEST_SUITE_P(Server, DeflateRules, ::testing::Values(Role::server));
INSTANTIATE_TEST_SUITE_P(Client, DeflateRules, ::testing::Values(Role::client));

TEST_P(DeflateRules, Rsv1StandsOnTheFirstFrameOnly) {
  for (const unsigned first : {0xC0U, 0xC8U, 0xC9U, 0xCAU}) {
    Side side(GetParam(), {}, DeflateAgreement{});
    const std::string start = first == 0xC0 ? frame(0x41, from_hex("f2 48 cd")) : "";
    EXPECT_THAT(side.receive(start + frame(first, "")), ElementsAre(failed(Errc::frame_reserved_bit))) << first;
  }
}

TEST_P(DeflateRules, MalformedDataIs1007) {
  const std::vector<std::string> wrong{
      from_hex("06"),                 // a reserved block type
      from_hex("f2 48 cd c9"),        // ends inside a block
      "",                             // not even an empty block
      from_hex("00 05 00 05 00 48"),  // a stored block whose lengths do not match
      from_hex("f2 48 cd c9 c9 07 00 00 11 22 33"),
      std::string(50, '\xFF'),
  };
  for (const std::string& payload : wrong)
    for (const Delivery delivery : {Delivery::messages, Delivery::chunks}) {
      Settings settings;
      settings.delivery = delivery;
      Side side(GetParam(), settings, DeflateAgreement{});
      const auto all = side.receive(frame(0xC2, payload));
      ASSERT_FALSE(all.empty()) << payload.size();
      EXPECT_EQ(all.back(), failed(Errc::deflate_malformed));
      EXPECT_EQ(side.connection.close_info().sent_code, close_code::invalid_payload);
    }
}

TEST_P(DeflateRules, InflatedTextIsCheckedAtTheFirstImpossibleByte) {
  Deflater deflater(6, 15);
  const std::string start = squeeze(deflater, "fine so far \xED\xA0\x80 and so on", false);
  Side side(GetParam(), {}, DeflateAgreement{});
  EXPECT_THAT(side.receive(frame(0x41, start)), ElementsAre(failed(Errc::invalid_utf8))) << "the message is not over";
  deflater.reset();
  Side open(GetParam(), {}, DeflateAgreement{});
  EXPECT_THAT(open.receive(frame(0xC1, squeeze(deflater, "ends inside \xE2\x82"))),
              ElementsAre(failed(Errc::invalid_utf8)));
}

TEST_P(DeflateRules, WithoutTakeoverTheWindowIsEmptyForEachMessage) {
  Side side(GetParam(), {}, DeflateAgreement{15, 15, true, false});
  const auto all =
      side.receive(frame(0xC1, from_hex("f2 48 cd c9 c9 07 00")) + frame(0xC1, from_hex("f2 00 11 00 00")));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1], failed(Errc::deflate_malformed));
}

TEST_P(DeflateRules, PlainAndCompressedMessagesMix) {
  Side side(GetParam(), {}, DeflateAgreement{});
  const auto all = side.receive(frame(0xC1, from_hex("f2 48 cd c9 c9 07 00")) + frame(0x81, "plain") + frame(0x89, "") +
                                frame(0xC1, from_hex("f2 00 11 00 00")));
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1], text_message("plain"));
  EXPECT_EQ(all[3].payload, "Hello");
  EXPECT_TRUE(all[3].compressed);
}

TEST_P(DeflateRules, AnySplitGivesTheSameMessages) {
  std::mt19937 random(4);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
  Deflater deflater(6, 15);
  const std::string long_text = compressible(random, 60'000);
  const std::string first = squeeze(deflater, long_text);
  const std::string second = squeeze(deflater, "second");
  const std::string bytes = frame(0x41, std::string_view(first).substr(0, 777)) + frame(0x89, "p") + frame(0x00, "") +
                            frame(0x80, std::string_view(first).substr(777)) + frame(0xC1, second);
  Side whole(GetParam(), {}, DeflateAgreement{});
  const auto expected = whole.receive(bytes);
  ASSERT_EQ(expected.size(), 3U);
  EXPECT_EQ(expected[1].payload, long_text);
  for (const std::size_t piece : {1U, 2U, 5U, 100U, 4096U}) {
    Side side(GetParam(), {}, DeflateAgreement{});
    EXPECT_EQ(side.receive_split(bytes, piece), expected) << piece;
    Settings settings;
    settings.delivery = Delivery::chunks;
    Side chunks(GetParam(), settings, DeflateAgreement{});
    std::string joined;
    int lasts = 0;
    for (const Seen& one : chunks.receive_split(bytes, piece)) {
      if (one.what == Seen::What::chunk) joined += one.payload;
      lasts += one.last ? 1 : 0;
    }
    EXPECT_EQ(joined, long_text + "second");
    EXPECT_EQ(lasts, 2);
  }
}

TEST_P(DeflateRules, ChunksThroughDeflateNeedBoundedMemory) {
  Settings settings;
  settings.delivery = Delivery::chunks;
  settings.limits.message_bytes = unlimited;
  Side side(GetParam(), settings, DeflateAgreement{});
  Deflater deflater(1, 15);
  std::string bytes = frame(0xC2, squeeze(deflater, std::string(std::size_t{32} * 1024 * 1024, 'z')));
  side.connection.receive(std::as_writable_bytes(std::span<char>(bytes)), side.now);
  std::size_t total = 0;
  while (const auto event = side.connection.next_event()) {
    total += std::get<ChunkEvent>(*event).payload.size();
    ASSERT_LE(side.pool.lent_bytes(), side.pool.block_bytes());
  }
  EXPECT_EQ(total, std::size_t{32} * 1024 * 1024);
}

// A flood of empty final blocks, each of which starts the inflater anew: the work must stay proportional to the input.
TEST_P(DeflateRules, AFloodOfFinalBlocksIsLinear) {
  Settings settings;
  Side side(GetParam(), settings, DeflateAgreement{});
  std::string blocks;
  while (blocks.size() < 1'000'000) blocks += from_hex("03 00");
  const auto all = side.receive(frame(0xC2, blocks + std::string(1, '\0')));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].payload, "");
}

// ── Streaming out ───────────────────────────────────────────────────────────────────────────────────────────────────

TEST(StreamedMessages, ArriveWholeCompressedOrNot) {
  std::mt19937 random(6);  // NOLINT(cert-msc32-c,cert-msc51-cpp): a repeatable run
  for (const bool takeover : {false, true})
    for (const Compress compress : {Compress::never, Compress::always}) {
      Pair pair({15, 15, takeover, takeover}, {});
      for (int message = 0; message < 20; ++message) {
        std::string whole;
        const int pieces = static_cast<int>(random() % 5) + 1;
        for (int piece = 1; piece <= pieces; ++piece) {
          const std::string part = compressible(random, random() % 3 == 0 ? 0 : random() % 5000);
          whole += part;
          ASSERT_EQ(pair.client.connection.send_chunk(MessageKind::text, as_bytes(part), piece == pieces,
                                                      pair.client.now, compress),
                    Sent::accepted);
        }
        const Exchange seen = exchange(pair.server, pair.client);
        ASSERT_EQ(seen.server.size(), 1U);
        ASSERT_EQ(seen.server[0].payload, whole);
        EXPECT_EQ(seen.server[0].compressed, compress == Compress::always);
      }
    }
}

TEST(DeflatePool, KnowsWhatZlibHasTaken) {
  DeflatePool pool(1);
  EXPECT_EQ(pool.held_bytes(), 0U);
  auto deflater = pool.lend_deflater(6, 15);
  EXPECT_GT(deflater->held_bytes(), 200U * 1024);  // a window of 64 KiB, 128 KiB of chains, and what waits to be coded
  EXPECT_EQ(pool.held_bytes(), deflater->held_bytes());
  auto inflater = pool.lend_inflater(15);
  std::array<std::byte, 8> out{};
  Buffer compressed;
  deflater->compress(as_bytes("hi"), true, compressed);
  ASSERT_EQ(inflater->inflate(compressed.readable(), out).produced, 2U);
  static_cast<void>(inflater->inflate(Inflater::flush_tail(), out));
  EXPECT_EQ(pool.held_bytes(), deflater->held_bytes() + inflater->held_bytes());
  auto another = pool.lend_deflater(1, 9);
  EXPECT_LT(another->held_bytes(), deflater->held_bytes());
  pool.take_back(std::move(deflater));  // kept
  pool.take_back(std::move(another));   // one too many
  pool.take_back(std::move(inflater));
  const std::size_t kept = pool.held_bytes();
  auto again = pool.lend_deflater(6, 15);
  EXPECT_EQ(pool.held_bytes(), kept) << "the idle one is lent again";
}

TEST(DeflatePool, LendsTheSameOnesAgainAndClean) {
  DeflatePool pool(1);
  auto first = pool.lend_deflater(6, 15);
  const Deflater* address = first.get();
  const std::string once = squeeze(*first, "the same text, the same bytes");
  pool.take_back(std::move(first));
  auto other = pool.lend_deflater(6, 12);
  EXPECT_NE(other.get(), address);
  auto again = pool.lend_deflater(6, 15);
  EXPECT_EQ(again.get(), address);
  EXPECT_EQ(squeeze(*again, "the same text, the same bytes"), once);
}

}  // namespace
}  // namespace fairlead::ws
