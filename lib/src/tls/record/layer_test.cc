// SPDX-License-Identifier: Apache-2.0
// The record layer as its peer sees it: what it sends, what it takes, and everything that it refuses.
#include "tls/record/layer.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "tls/record/testing.h"

namespace fairlead::tls::record {
namespace {

using namespace std::string_literals;
using testing::End;
using testing::from_hex;
using testing::Pair;

constexpr std::string_view key_update = std::string_view("\x18\0\0\1\0", 5);
constexpr std::string_view key_update_requested = std::string_view("\x18\0\0\1\1", 5);
// lifetime, age_add, nonce of 1, ticket of 1, no extensions
const std::string ticket = from_hex("04 00 00 0f 00 00 0e 10 01 02 03 04 01 00 00 01 aa 00 00");

class Layers : public ::testing::TestWithParam<Suite> {
 protected:
  Pair pair{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Suites, Layers,
                         ::testing::Values(Suite::aes_128_gcm_sha256, Suite::aes_256_gcm_sha384,
                                           Suite::chacha20_poly1305_sha256));

// `victim` has refused what came with this alert, and `honest` hears it.
void expect_refusal(End& victim, End& honest, std::string_view alert) {
  ASSERT_TRUE(victim.failed);
  EXPECT_EQ(victim.failure(), Errc::tls_protocol_error);
  EXPECT_EQ(victim.plaintext, "");
  honest.receive(std::exchange(victim.outgoing, {}));
  ASSERT_TRUE(honest.failed) << "no alert for " << victim.failed->detail;
  EXPECT_NE(honest.failed->detail.find(alert), std::string::npos) << honest.failed->detail;
  victim.send("nothing happens any more");
  victim.close();
  EXPECT_EQ(victim.outgoing, "");
}

// What `from` forges with good keys, `to` refuses.
void expect_refused(ContentType type, std::string_view content, std::string_view alert, bool by_client) {
  Pair pair;
  End& victim = by_client ? pair.client : pair.server;
  End& honest = by_client ? pair.server : pair.client;
  honest.send_raw(type, content);
  victim.receive(std::exchange(honest.outgoing, {}));
  expect_refusal(victim, honest, alert);
}

// ── Data ────────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_P(Layers, CarryBytesInBothDirections) {
  pair.client.send("ping");
  pair.server.send("pong");
  pair.run();
  EXPECT_EQ(pair.server.plaintext, "ping");
  EXPECT_EQ(pair.client.plaintext, "pong");
}

TEST_P(Layers, CarryEverySizeAroundTheLimits) {
  std::string sent;
  for (const std::size_t size : {1U, 15U, 16U, 17U, 4'095U, 4'096U, 4'097U, 16'383U, 16'384U, 16'385U, 40'000U}) {
    std::string text(size, static_cast<char>('a' + size % 26));
    pair.client.send(text);
    sent += text;
  }
  pair.run();
  EXPECT_FALSE(pair.server.failed);
  EXPECT_EQ(pair.server.plaintext, sent);
}

TEST_P(Layers, GiveTheSameForAnySplit) {
  for (const std::size_t chunk : {1U, 4U, 5U, 6U, 21U, 22U, 500U, 16'406U}) {
    Pair one(GetParam());
    one.server.send("first");
    one.server.send(std::string(20'000, 'x'));
    one.server.close();
    one.run(chunk);
    EXPECT_EQ(one.client.plaintext, "first" + std::string(20'000, 'x')) << chunk;
    EXPECT_TRUE(one.client.said_goodbye) << chunk;
  }
}

TEST_P(Layers, RefuseARecordInWhichAnyBitIsChanged) {
  Pair original(GetParam());
  original.client.send("true words");
  const std::string record = original.client.outgoing;
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    std::string mutated = record;
    mutated[bit / 8] = static_cast<char>(mutated[bit / 8] ^ (1 << bit % 8));
    Pair one(GetParam());
    one.server.receive(mutated);
    const bool waits = !one.server.failed;  // the header promises more than there is
    EXPECT_EQ(one.server.outgoing.empty(), waits) << "an alert is due";
    one.server.receive_end();
    EXPECT_TRUE(one.server.failed) << bit;
    EXPECT_EQ(one.server.plaintext, "") << bit;
    EXPECT_TRUE(!waits || bit / 8 == 3 || bit / 8 == 4) << "only the length makes it wait";
  }
}

TEST_P(Layers, LeaveNothingOfAForgedRecordInTheRoom) {
  std::ranges::fill(pair.server.room, std::byte{0xee});
  pair.client.send(std::string(1'000, 's'));
  pair.client.outgoing.back() = static_cast<char>(pair.client.outgoing.back() ^ 1);
  pair.server.receive(pair.client.outgoing);
  ASSERT_TRUE(pair.server.failed);
  for (std::size_t at = 0; at < 1'001; ++at) ASSERT_EQ(pair.server.room[at], std::byte{0}) << at;
}

TEST_P(Layers, DeliverWhatCameBeforeAForgedRecord) {
  pair.client.send("good");
  pair.client.outgoing += std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'z');
  pair.server.receive(pair.client.outgoing);
  EXPECT_EQ(pair.server.plaintext, "good");
  EXPECT_EQ(pair.server.failure(), Errc::tls_protocol_error);
}

TEST(Refusal, ARecordReplayedOrMissingIsForged) {
  Pair replayed;
  replayed.client.send("once");
  const std::string record = replayed.client.outgoing;
  replayed.server.receive(record);
  replayed.server.receive(record);
  EXPECT_EQ(replayed.server.plaintext, "once");
  EXPECT_TRUE(replayed.server.failed);
  Pair skipped;
  skipped.client.send("lost");
  skipped.client.outgoing.clear();
  skipped.client.send("arrives");
  skipped.server.receive(skipped.client.outgoing);
  EXPECT_EQ(skipped.server.plaintext, "");
  EXPECT_TRUE(skipped.server.failed);
}

// ── Headers and limits ──────────────────────────────────────────────────────────────────────────────────────────────

TEST(RecordLimit, AtTheLimitIsOpenedAndPastItIsRefusedByTheHeader) {
  Pair pair;
  pair.client.send_raw(ContentType::application_data, std::string(16'384, 'm'));
  pair.client.send_raw(ContentType::application_data, std::string(16'000, 'p'), 384);
  pair.run();
  EXPECT_FALSE(pair.server.failed);
  EXPECT_EQ(pair.server.plaintext.size(), 32'384U);
  pair.server.plaintext.clear();
  pair.server.receive(std::string("\x17\x03\x03\x40\x12", 5));  // 2^14 + 1 + 16 + 1
  expect_refusal(pair.server, pair.client, "record_overflow");
}

TEST(RecordLimit, ARecordWithoutRoomForATagIsForged) {
  for (const char length : {'\0', '\1', '\17', '\20'}) {
    Pair pair;
    pair.server.receive(std::string("\x17\x03\x03\0", 4) + length + std::string(static_cast<std::size_t>(length), 'z'));
    expect_refusal(pair.server, pair.client, "bad_record_mac");
  }
}

TEST(Header, UnprotectedRecordsAndOtherVersionsAreRefused) {
  for (const char type : {'\x14', '\x15', '\x16', '\x18', '\0'}) {
    Pair pair;
    pair.client.receive(std::string(1, type) + std::string("\x03\x03\x00\x01\x01", 5));
    expect_refusal(pair.client, pair.server, "unexpected_message");
  }
  Pair pair;
  pair.server.receive(std::string("\x17\x03\x01\x00\x20", 5));
  expect_refusal(pair.server, pair.client, "protocol_version");
}

TEST(Padding, IsTakenOffAndPaddingAloneIsRefused) {
  Pair pair;
  for (const std::size_t padding : {1U, 2U, 100U, 10'000U}) {
    pair.client.send_raw(ContentType::application_data, "text\0"s, padding);
  }
  pair.run();
  EXPECT_EQ(pair.server.plaintext, "text\0text\0text\0text\0"s);
  for (const bool by_client : {false, true}) {
    expect_refused(ContentType{}, "", "unexpected_message", by_client);
    expect_refused(ContentType{}, std::string(500, '\0'), "unexpected_message", by_client);
  }
}

TEST(InnerType, UnknownOnesAreRefused) {
  for (const bool by_client : {false, true}) {
    for (const int type : {1, 19, 20, 24, 255}) {
      expect_refused(static_cast<ContentType>(type), "\x01", "unexpected_message", by_client);
    }
  }
}

TEST(SequenceNumber, DoesNotWrap) {
  const std::string secret(32, 'k');
  constexpr auto last = std::numeric_limits<std::uint64_t>::max();
  End writer(Side::client, Suite::aes_128_gcm_sha256, secret, secret, 0, 0);
  End reader(Side::server, Suite::aes_128_gcm_sha256, secret, secret, last, 0);
  writer.send("x");
  reader.receive(writer.outgoing);
  expect_refusal(reader, writer, "internal_error");
}

// ── Alerts ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Alerts, CloseNotifyIsToldApartFromTruncation) {
  Pair closed;
  closed.client.close();
  closed.run();
  closed.server.receive_end();
  EXPECT_TRUE(closed.server.said_goodbye);
  EXPECT_FALSE(closed.server.failed);
  closed.server.send("the other direction stays open");
  closed.server.close();
  closed.run();
  EXPECT_EQ(closed.client.plaintext, "the other direction stays open");
  Pair cut;
  cut.client.send("half a record");
  cut.client.outgoing.resize(10);
  cut.run();
  cut.server.receive_end();
  EXPECT_EQ(cut.server.failure(), Errc::unexpected_eof);
}

TEST(Alerts, CloseNotifyIsSentOnceAndNothingBehindIt) {
  Pair pair;
  pair.client.close();
  const std::size_t one = pair.client.outgoing.size();
  pair.client.close();
  EXPECT_EQ(pair.client.outgoing.size(), one);
  pair.server.send_raw(ContentType::handshake, key_update_requested);
  pair.client.receive(pair.server.outgoing);
  EXPECT_EQ(pair.client.outgoing.size(), one) << "not even the KeyUpdate that is asked for";
  pair.client.receive("a forged record is worth no alert any more");
  EXPECT_TRUE(pair.client.failed);
  EXPECT_EQ(pair.client.outgoing.size(), one);
}

TEST(Alerts, AllButTwoAreFatalWhateverTheirLevel) {
  for (const int level : {1, 2, 77}) {
    for (const int number : {10, 20, 40, 48, 80, 116, 200}) {
      Pair pair;
      pair.server.send_raw(ContentType::alert, std::string{static_cast<char>(level), static_cast<char>(number)});
      pair.run();
      ASSERT_TRUE(pair.client.failed);
      EXPECT_EQ(pair.client.failure(), number == 116 ? Errc::tls_client_certificate_missing : Errc::tls_protocol_error);
      EXPECT_EQ(pair.client.outgoing, "") << "RFC 8446 6.2: nothing is sent any more";
    }
  }
}

TEST(Alerts, UserCanceledIsFollowedByCloseNotify) {
  Pair pair;
  pair.client.send_raw(ContentType::alert, "\x01\x5a");
  pair.client.send_raw(ContentType::application_data, "still");
  pair.client.send_raw(ContentType::alert, "\x01\0"s);
  pair.run();
  EXPECT_FALSE(pair.server.failed);
  EXPECT_EQ(pair.server.plaintext, "still");
  EXPECT_TRUE(pair.server.said_goodbye);
}

TEST(Alerts, OtherLengthsAreRefused) {
  for (const bool by_client : {false, true}) {
    expect_refused(ContentType::alert, "", "unexpected_message", by_client);
    expect_refused(ContentType::alert, "\x01", "decode_error", by_client);
    expect_refused(ContentType::alert, "\x01\0\x01\0"s, "decode_error", by_client);
  }
}

// ── KeyUpdate and the other messages ────────────────────────────────────────────────────────────────────────────────

TEST_P(Layers, ChangeTheirKeysAsOftenAsTheyWant) {
  for (int i = 0; i < 10; ++i) {
    pair.client.layer->update_keys(pair.client.lend(), i % 2 == 0);
    pair.client.send("c");
    pair.run();
    pair.server.layer->update_keys(pair.server.lend(), i % 3 == 0);
    pair.server.send("s");
    pair.run();
  }
  EXPECT_FALSE(pair.client.failed || pair.server.failed);
  EXPECT_EQ(pair.server.plaintext, std::string(10, 'c'));
  EXPECT_EQ(pair.client.plaintext, std::string(10, 's'));
}

TEST(KeyUpdate, OneAnswerIsEnoughForAllThatCameTogether) {
  for (const int requests : {1, 2, 5}) {
    Pair pair;
    for (int i = 0; i < requests; ++i) pair.client.layer->update_keys(pair.client.lend(), true);
    pair.client.settle();
    pair.server.receive(std::exchange(pair.client.outgoing, {}));
    EXPECT_EQ(pair.server.outgoing.size(), overhead_bytes + key_update.size()) << requests;
    pair.server.send("under the new key");
    pair.run();
    EXPECT_EQ(pair.client.plaintext, "under the new key");
  }
}

TEST(KeyUpdate, ComesBehindATicketInOneRecordAndInPieces) {
  Pair together;
  together.server.send_raw(ContentType::handshake, ticket + ticket + std::string(key_update));
  together.server.forger->update(together.server.keys);
  together.server.send_raw(ContentType::application_data, "new key");
  together.run();
  EXPECT_FALSE(together.client.failed);
  EXPECT_EQ(together.client.plaintext, "new key");
  for (std::size_t cut = 1; cut < key_update.size(); ++cut) {
    Pair pieces;
    pieces.client.send_raw(ContentType::handshake, key_update.substr(0, cut));
    pieces.client.send_raw(ContentType::handshake, key_update.substr(cut));
    pieces.client.forger->update(pieces.client.keys);
    pieces.client.send_raw(ContentType::application_data, "new key");
    pieces.run();
    EXPECT_EQ(pieces.server.plaintext, "new key") << cut;
  }
}

TEST(KeyUpdate, MustEndItsRecordAndBeWellFormed) {
  for (const bool by_client : {false, true}) {
    const auto refused = [by_client](std::string_view content, std::string_view alert) {
      expect_refused(ContentType::handshake, content, alert, by_client);
    };
    refused(std::string(key_update) + std::string(key_update), "unexpected_message");
    refused(std::string(key_update) + "\x18", "unexpected_message");
    refused("\x18\0\0\1\2"s, "illegal_parameter");
    refused("\x18\0\0\1\xff"s, "illegal_parameter");
    refused("\x18\0\0\0"s, "decode_error");
    refused("\x18\0\0\2\0\0"s, "decode_error");
    refused("\x18\1\0\1\0"s, "decode_error");
    refused("", "unexpected_message");
  }
}

TEST(KeyUpdate, NothingElseMayComeInTheMiddle) {
  const std::pair<ContentType, std::string> others[] = {{ContentType::application_data, "between"},  // NOLINT
                                                        {ContentType::alert, "\1\x5a"},
                                                        {ContentType::alert, "\1\0"s}};
  for (const auto& [type, content] : others) {
    Pair pair;
    pair.client.send_raw(ContentType::handshake, key_update.substr(0, 2));
    pair.client.send_raw(type, content);
    pair.server.receive(std::exchange(pair.client.outgoing, {}));
    expect_refusal(pair.server, pair.client, "unexpected_message");
    EXPECT_FALSE(pair.server.said_goodbye);
  }
}

TEST(KeyUpdate, ComesByItselfBeforeAKeyHasSealedTooMuch) {
  Pair pair;
  pair.server.layer->limit_records_per_key(4);
  std::string sent;
  std::size_t key_updates = 0;
  for (int i = 0; i < 30; ++i) {
    const std::size_t before = pair.server.outgoing.size();
    pair.server.send("x");
    sent += "x";
    if (pair.server.outgoing.size() - before > overhead_bytes + 1) ++key_updates;
  }
  EXPECT_EQ(key_updates, 9U) << "three messages and the KeyUpdate for each key";
  pair.run();
  EXPECT_EQ(pair.client.plaintext, sent);
}

// A client that waited for its ticket may have used the key up with OpenSSL.
TEST(KeyUpdate, IsTheFirstThingUnderAKeyThatWasUsedUpBefore) {
  const std::string secret(32, 'k');
  for (const std::uint64_t before : {records_per_key - 2, records_per_key - 1, records_per_key, records_per_key + 5}) {
    End writer(Side::client, Suite::aes_128_gcm_sha256, secret, secret, 0, before);
    End reader(Side::server, Suite::aes_128_gcm_sha256, secret, secret, before, 0);
    writer.send("x");
    const bool updated = writer.outgoing.size() > overhead_bytes + 1;
    EXPECT_EQ(updated, before + 1 >= records_per_key);
    reader.receive(writer.outgoing);
    EXPECT_EQ(reader.plaintext, "x");
  }
}

TEST(KeyUpdate, AMessageOfManyRecordsChangesKeysInTheMiddle) {
  Pair pair;
  pair.client.layer->limit_records_per_key(3);
  const std::string large(200'000, 'l');
  pair.client.send(large);
  pair.run();
  EXPECT_FALSE(pair.server.failed);
  EXPECT_EQ(pair.server.plaintext, large);
}

TEST(Tickets, AreSkippedByAClientWhateverTheirSize) {
  Pair pair;
  pair.server.send_raw(ContentType::handshake, ticket);
  // The longest that there can be, over many records: header, times, 255 of nonce, and both lengths at their ends.
  const std::string longest = from_hex("04 02 01 09") + std::string(8, 't') + from_hex("ff") + std::string(255, 'n') +
                              from_hex("ff ff") + std::string(65'535, 't') + from_hex("ff fe aa aa ff fa") +
                              std::string(65'530, 'e');
  for (std::size_t at = 0; at < longest.size(); at += 16'000) {
    pair.server.send_raw(ContentType::handshake, std::string_view(longest).substr(at, 16'000));
  }
  pair.server.send_raw(ContentType::application_data, "behind");
  pair.run();
  EXPECT_FALSE(pair.client.failed) << pair.client.failed->detail;
  EXPECT_EQ(pair.client.plaintext, "behind");
}

TEST(Tickets, WhoseLengthsContradictEachOtherAreRefused) {
  const std::string broken[] = {
      // NOLINTBEGIN: what is wrong stands behind each
      from_hex("04 00 00 0f 00 00 0e 10 01 02 03 04 02 00 00 01 aa 00 00"),     // the nonce takes a byte of the rest
      from_hex("04 00 00 0f 00 00 0e 10 01 02 03 04 01 00 00 09 aa 00 00"),     // the ticket ends behind the message
      from_hex("04 00 00 0f 00 00 0e 10 01 02 03 04 02 00 00 00 00 00 00"),     // no ticket
      from_hex("04 00 00 0f 00 00 0e 10 01 02 03 04 01 00 00 01 aa 00 01"),     // the extensions end behind the message
      from_hex("04 00 00 10 00 00 0e 10 01 02 03 04 01 00 00 01 aa 00 00 ff"),  // a byte behind the extensions
                                                                                // NOLINTEND
  };
  for (const std::string& one : broken) {
    expect_refused(ContentType::handshake, one, "decode_error", true);
    Pair pieces;
    for (std::size_t at = 0; at < one.size(); at += 3)
      pieces.server.send_raw(ContentType::handshake, one.substr(at, 3));
    pieces.client.receive(std::exchange(pieces.server.outgoing, {}));
    expect_refusal(pieces.client, pieces.server, "decode_error");
  }
}

TEST(Tickets, WithAnExtensionTwiceAreRefused) {
  expect_refused(ContentType::handshake,
                 from_hex("04 00 00 17 00 00 0e 10 01 02 03 04 01 00 00 01 aa 00 08 aa aa 00 00 aa aa 00 00"),
                 "illegal_parameter", true);
}

TEST(Messages, WithoutAPlaceAfterTheHandshakeAreRefused) {
  // NewSessionTicket from a client, CertificateRequest (post-handshake authentication), Finished, ClientHello.
  expect_refused(ContentType::handshake, ticket, "unexpected_message", false);
  for (const bool by_client : {false, true}) {
    for (const char type : {'\1', '\2', '\x8', '\xb', '\xd', '\x14'}) {
      expect_refused(ContentType::handshake, std::string(1, type) + "\0\0\1\0"s, "unexpected_message", by_client);
    }
  }
  expect_refused(ContentType::handshake, "\4\0\0\x0d"s, "decode_error", true);  // too short for a ticket
  expect_refused(ContentType::handshake, "\4\2\1\x0a"s, "decode_error", true);  // too long
}

// ── Floods ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Flood, OfMessagesAndEmptyRecordsIsCutOff) {
  constexpr int burst = 20;  // twice Limits::tls_messages_per_second
  const std::string user_canceled = "\x01\x5a";
  for (const auto& [type, content] :
       {std::pair{ContentType::handshake, std::string(key_update_requested)},
        std::pair{ContentType::application_data, std::string()}, std::pair{ContentType::alert, user_canceled}}) {
    Pair pair;
    const auto send_one = [&] {
      pair.client.send_raw(type, content);
      if (type == ContentType::handshake) pair.client.forger->update(pair.client.keys);
      pair.server.receive(std::exchange(pair.client.outgoing, {}));
    };
    for (int i = 0; i < burst; ++i) send_one();
    EXPECT_FALSE(pair.server.failed);
    send_one();
    EXPECT_EQ(pair.server.failure(), Errc::tls_message_rate_exceeded);
    pair.client.receive(pair.server.outgoing);
    EXPECT_TRUE(pair.client.said_goodbye);
  }
}

TEST(Flood, OfPiecesOfOneMessageIsCutOff) {
  Pair pair;
  const std::string longest = from_hex("04 02 01 09") + std::string(1'000, 't');
  for (const char c : longest) pair.server.send_raw(ContentType::handshake, {&c, 1});
  pair.run();
  EXPECT_EQ(pair.client.failure(), Errc::tls_message_rate_exceeded);
}

// ── Keys in memory ──────────────────────────────────────────────────────────────────────────────────────────────────

template <class T>
struct Storage {
  alignas(T) std::array<std::byte, sizeof(T)> bytes{};
  [[nodiscard]] bool contains(std::string_view text) const {
    return as_text(Bytes(bytes)).find(text) != std::string_view::npos;
  }
  [[nodiscard]] T* place() { return reinterpret_cast<T*>(bytes.data()); }  // NOLINT
};

TEST(Wiping, KeysAndSecretsGoWithTheirObject) {
  const std::string secret(32, 'k');
  Storage<TrafficKeys> storage;
  TrafficKeys* keys = std::construct_at(storage.place(), Suite::aes_128_gcm_sha256, as_bytes(secret));
  const std::string key(as_text(keys->key()));
  EXPECT_TRUE(storage.contains(secret) && storage.contains(key));
  keys->update();
  EXPECT_FALSE(storage.contains(secret) || storage.contains(key)) << "the generation before";
  const std::string next(as_text(keys->key()));
  EXPECT_TRUE(storage.contains(next));
  std::destroy_at(keys);
  EXPECT_FALSE(storage.contains(next));
  for (std::size_t at = 0; at < 92; ++at) EXPECT_EQ(storage.bytes[at], std::byte{0}) << at;
}

TEST(Wiping, ExpandedKeysGoWithTheirConnectionAndGeneration) {
  const std::string secret(32, 'k');
  const TrafficKeys keys(Suite::aes_128_gcm_sha256, as_bytes(secret));
  Storage<ExpandedKey> storage;
  ExpandedKey* expanded = std::construct_at(storage.place());
  expanded->expand(Suite::aes_128_gcm_sha256, Use::seal, keys.key());
  const std::string key(as_text(keys.key()));
  EXPECT_EQ(storage.contains(key), fast_gcm_available()) << "the first round key of AES is the key itself";
  expanded->wipe();
  EXPECT_FALSE(storage.contains(key));
  std::destroy_at(expanded);

  Pair pair;
  pair.client.send("x");
  const KeyId first = 2;  // the client's sealer is the second name that its cache gave
  EXPECT_TRUE(pair.client.keys.holds(first));
  pair.client.layer->update_keys(pair.client.lend(), false);
  EXPECT_FALSE(pair.client.keys.holds(first));
  pair.client.send("x");
  const KeyId next = pair.client.keys.next_id() - 1;
  EXPECT_TRUE(pair.client.keys.holds(next));
  pair.client.layer.reset();
  EXPECT_FALSE(pair.client.keys.holds(next));
}

TEST(KeyCache, ServesMoreConnectionsThanItHasRoomFor) {
  KeyCache cache(4);
  std::vector<std::unique_ptr<TrafficKeys>> keys;
  std::vector<KeyId> ids;
  for (char i = 0; i < 20; ++i) {
    keys.push_back(std::make_unique<TrafficKeys>(Suite::aes_128_gcm_sha256, as_bytes(std::string(32, i))));
    ids.push_back(cache.next_id());
  }
  std::mt19937 random(8'446);
  for (int round = 0; round < 500; ++round) {
    const std::size_t who = random() % keys.size();
    std::array<std::byte, 17 + 16> sealed{};
    cache.find(ids[who], Use::seal, *keys[who]).seal({}, {}, as_bytes("sixteen bytes ab"), std::byte{7}, sealed.data());
    ExpandedKey alone;
    alone.expand(Suite::aes_128_gcm_sha256, Use::open, keys[who]->key());
    std::array<std::byte, 17> opened{};
    ASSERT_TRUE(alone.open({}, {}, sealed, opened.data()));
    ASSERT_EQ(as_text(Bytes(opened).first(16)), "sixteen bytes ab");
  }
}

}  // namespace
}  // namespace fairlead::tls::record
