// SPDX-License-Identifier: Apache-2.0
// The engine as its driver sees it: handshake, records, goodbye, and everything a hostile stream may hold.
#include "tls/engine.h"

#include <gtest/gtest.h>

#include <random>

#include "tls/openssl_engine.h"
#include "tls/testing.h"
#include "tls/ticket_keys.h"

namespace fairlead::tls {
namespace {

using testing::Authority;
using testing::must_build;
using testing::Pair;
using testing::records_in;

struct Fixture {
  Authority authority;
  std::shared_ptr<const ServerContext> server = must_build(authority.server());
  std::shared_ptr<const ClientContext> client = must_build(authority.client());
};

// The same for both versions: a modern client, and a server held at 1.2 by its OpenSSL peer below.
TEST(Handshake, BothEndsAgreeOnTls13AndSayWhatItIs) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  ASSERT_TRUE(pair.both_done());
  const TlsInfo client = pair.client.engine->info();
  const TlsInfo server = pair.server.engine->info();
  EXPECT_EQ(client.version, "TLSv1.3");
  EXPECT_EQ(client.cipher, "TLS_AES_128_GCM_SHA256");
  EXPECT_FALSE(client.group.empty());
  EXPECT_EQ(client.group, server.group);
  EXPECT_EQ(client.alpn, "http/1.1");
  EXPECT_EQ(server.alpn, "http/1.1");
  EXPECT_EQ(server.server_name, "server.example");
  EXPECT_FALSE(client.resumed);
  ASSERT_NE(client.peer_certificate, nullptr);
  EXPECT_EQ(client.peer_certificate->dns_names, std::vector<std::string>{"server.example"});
  EXPECT_EQ(server.peer_certificate, nullptr);
}

TEST(Records, CarryBytesInBothDirections) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  pair.client.send("ping");
  pair.run();
  EXPECT_EQ(pair.server.plaintext, "ping");
  pair.server.send("pong");
  pair.run();
  EXPECT_EQ(pair.client.plaintext, "pong");
}

TEST(Records, AreAtMostSixteenKibibytes) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  const std::string large(1'000'003, 'x');
  pair.server.send(large);
  constexpr std::size_t limit = 16'384 + 1 + 16;  // RFC 8446 5.2: content type and tag
  const auto records = records_in(pair.server.outgoing);
  EXPECT_EQ(records.size(), (large.size() + 16'383) / 16'384);
  for (const auto& record : records) EXPECT_LE(record.length, limit);
  pair.run();
  EXPECT_EQ(pair.client.plaintext, large);
}

TEST(Records, OneSealOfLittleIsOneRecord) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  pair.client.send("hello");
  EXPECT_EQ(records_in(pair.client.outgoing).size(), 1U);
}

TEST(Records, ManySmallOnesComeAsOneEvent) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  for (int i = 0; i < 100; ++i) pair.client.send("0123456789");
  const std::string burst = std::exchange(pair.client.outgoing, {});
  Engine& server = *pair.server.engine;
  server.receive(as_bytes(burst));
  const Event event = server.next_event().value_or(PeerClosed{});
  ASSERT_TRUE(std::holds_alternative<Plaintext>(event));
  EXPECT_EQ(std::get<Plaintext>(event).bytes.size(), 1'000U);
  EXPECT_FALSE(server.next_event());
}

TEST(Records, AnySplitOfTheStreamGivesTheSame) {
  Fixture f;
  for (const std::size_t chunk : {1U, 2U, 3U, 5U, 7U, 64U, 1'000U, 16'384U}) {
    Pair pair(f.server, f.client);
    pair.run(chunk);
    ASSERT_TRUE(pair.both_done()) << chunk;
    pair.client.send("first");
    pair.client.send(std::string(20'000, 'y'));
    pair.client.close();
    pair.run(chunk);
    EXPECT_EQ(pair.server.plaintext, "first" + std::string(20'000, 'y')) << chunk;
    EXPECT_TRUE(pair.server.peer_closed) << chunk;
    EXPECT_FALSE(pair.server.failed) << chunk;
  }
}

TEST(Records, RandomSplitsAndPausesGiveTheSame) {
  Fixture f;
  std::mt19937 random(20'260'721);
  for (int round = 0; round < 20; ++round) {
    Pair pair(f.server, f.client);
    pair.run();
    std::string sent;
    while (sent.size() < 300'000) {
      const std::string piece(1 + random() % 40'000, static_cast<char>('a' + sent.size() % 26));
      pair.client.send(piece);
      sent += piece;
    }
    const std::string stream = std::exchange(pair.client.outgoing, {});
    std::string got;
    Engine& server = *pair.server.engine;
    const auto take = [&](bool all) {
      while (auto event = server.next_event()) {
        ASSERT_TRUE(std::holds_alternative<Plaintext>(*event));
        got += as_text(std::get<Plaintext>(*event).bytes);
        if (!all) return;
      }
    };
    for (std::size_t at = 0; at < stream.size();) {
      std::string buffer = stream.substr(at, 1 + random() % 100'000);
      at += buffer.size();
      server.receive(as_bytes(buffer));
      take(random() % 3 == 0);
      server.retain();
      std::ranges::fill(buffer, '\0');  // the caller reuses its buffer
    }
    take(true);
    EXPECT_EQ(got, sent);
  }
}

TEST(Scratch, ServesManyEnginesInTurn) {
  Fixture f;
  Scratch server_scratch;
  Scratch client_scratch;
  std::vector<testing::End> servers(20);
  std::vector<testing::End> clients(20);
  for (std::size_t i = 0; i < servers.size(); ++i) {
    servers[i].engine = make_engine(f.server, server_scratch);
    clients[i].engine = make_engine(f.client, client_scratch, "server.example");
    clients[i].settle();
  }
  for (int round = 0; round < 6; ++round) {
    for (std::size_t i = 0; i < servers.size(); ++i) servers[i].receive(std::exchange(clients[i].outgoing, {}));
    for (std::size_t i = 0; i < servers.size(); ++i) clients[i].receive(std::exchange(servers[i].outgoing, {}));
  }
  for (std::size_t i = 0; i < servers.size(); ++i) {
    ASSERT_TRUE(servers[i].handshake_done && clients[i].handshake_done);
    clients[i].send("number " + std::to_string(i));
  }
  for (std::size_t i = 0; i < servers.size(); ++i) {
    servers[i].receive(clients[i].outgoing);
    EXPECT_EQ(servers[i].plaintext, "number " + std::to_string(i));
  }
}

// ── Goodbye ─────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Closing, CloseNotifyIsToldApartFromTruncation) {
  Fixture f;
  Pair closed(f.server, f.client);
  closed.run();
  closed.client.send("last words");
  closed.client.close();
  closed.run();
  closed.server.receive_end();
  EXPECT_EQ(closed.server.plaintext, "last words");
  EXPECT_TRUE(closed.server.peer_closed);
  EXPECT_FALSE(closed.server.failed);

  Pair cut(f.server, f.client);
  cut.run();
  cut.client.send("last words");
  cut.run();
  cut.server.receive_end();
  EXPECT_EQ(cut.server.plaintext, "last words");
  EXPECT_FALSE(cut.server.peer_closed);
  ASSERT_TRUE(cut.server.failed);
  EXPECT_EQ(cut.server.failure().code, Errc::unexpected_eof);
}

TEST(Closing, ARecordCutInTheMiddleIsATruncation) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  pair.client.send("never seen");
  pair.client.outgoing.pop_back();
  pair.run();
  pair.server.receive_end();
  EXPECT_EQ(pair.server.plaintext, "");
  ASSERT_TRUE(pair.server.failed);
  EXPECT_EQ(pair.server.failure().code, Errc::unexpected_eof);
}

TEST(Closing, TheOtherDirectionStaysOpen) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  pair.client.close();
  pair.run();
  ASSERT_TRUE(pair.server.peer_closed);
  pair.server.send("still here");
  pair.server.close();
  pair.run();
  EXPECT_EQ(pair.client.plaintext, "still here");
  EXPECT_TRUE(pair.client.peer_closed);
}

TEST(Closing, DuringTheHandshakeTheEndIsAFailure) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.server.receive(pair.client.outgoing.substr(0, 40));
  pair.server.receive_end();
  ASSERT_TRUE(pair.server.failed);
  EXPECT_EQ(pair.server.failure().code, Errc::unexpected_eof);
}

TEST(Closing, BytesAfterCloseNotifyAreIgnored) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  pair.client.close();
  pair.client.outgoing += "garbage behind the end";
  pair.run();
  pair.server.receive("more of it");
  EXPECT_TRUE(pair.server.peer_closed);
  EXPECT_FALSE(pair.server.failed);
}

// ── Hostile streams ─────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Plaintext, AnHttpRequestIsRecognisedWithoutAnAlert) {
  Fixture f;
  for (const std::string_view request : {"GET / HTTP/1.1\r\n\r\n", "POST /a HTTP/1.1\r\n", "HEAD / HTTP/1.0\r\n\r\n",
                                         "CONNECT a:1 HTTP/1.1\r\n", "PUT / HTTP/1.1\r\n"}) {
    for (const std::size_t chunk : {1U, 3U, 100U}) {
      Scratch scratch;
      testing::End server;
      server.engine = make_engine(f.server, scratch);
      for (std::size_t at = 0; at < request.size(); at += chunk) server.receive(request.substr(at, chunk));
      ASSERT_TRUE(server.failed) << request << " " << chunk;
      EXPECT_EQ(server.failure().code, Errc::tls_plaintext_received) << request;
      EXPECT_EQ(server.outgoing, "") << "a 400 in cleartext can follow";
    }
  }
}

TEST(Plaintext, AnHttpAnswerIsRecognisedByTheClient) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.client.receive("HT");
  pair.client.receive("TP/1.1 400 Bad Request\r\n\r\n");
  ASSERT_TRUE(pair.client.failed);
  EXPECT_EQ(pair.client.failure().code, Errc::tls_plaintext_received);
}

TEST(Garbage, FailsAtOnceOnBothEnds) {
  Fixture f;
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string garbage(1 + random() % 300, '\0');
    for (char& c : garbage) c = static_cast<char>(random());
    garbage[0] = static_cast<char>(0xff);  // no content type
    garbage.resize(std::max<std::size_t>(garbage.size(), 16));
    Pair pair(f.server, f.client);
    pair.server.receive(garbage);
    ASSERT_TRUE(pair.server.failed);
    EXPECT_EQ(pair.server.failure().code, Errc::tls_handshake_failed);
    pair.client.receive(garbage);
    ASSERT_TRUE(pair.client.failed);
    EXPECT_EQ(pair.client.failure().code, Errc::tls_handshake_failed);
    pair.server.receive("after the end");  // nothing more happens
    EXPECT_FALSE(pair.server.engine->next_event());
  }
}

TEST(Garbage, AForgedRecordAfterTheHandshakeIsFatal) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  pair.client.send("true words");
  pair.client.outgoing.back() = static_cast<char>(pair.client.outgoing.back() ^ 1);
  pair.run();
  EXPECT_EQ(pair.server.plaintext, "");
  ASSERT_TRUE(pair.server.failed);
  EXPECT_EQ(pair.server.failure().code, Errc::tls_protocol_error);
  ASSERT_TRUE(pair.client.failed) << "the alert tells the client";
  EXPECT_EQ(pair.client.failure().code, Errc::tls_protocol_error);
  pair.server.send("dropped");  // after a failure nothing is sealed
  EXPECT_EQ(pair.server.outgoing, "");
}

TEST(Garbage, WhatCameBeforeIsStillDelivered) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  pair.client.send("good");
  pair.client.outgoing += std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'z');
  pair.run();
  EXPECT_EQ(pair.server.plaintext, "good");
  ASSERT_TRUE(pair.server.failed);
}

TEST(Garbage, ARecordAboveTheLimitIsRefusedByItsHeader) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  pair.server.receive(std::string("\x17\x03\x03\xff\xff", 5));
  ASSERT_TRUE(pair.server.failed);
  EXPECT_EQ(pair.server.failure().code, Errc::tls_protocol_error);
}

// ── KeyUpdate ───────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(KeyUpdate, ComesBeforeAKeyHasSealedTooMuch) {
  Fixture f;
  Pair pair(f.server, f.client);
  pair.run();
  testing::limit_records_per_key(*pair.client.engine, 3);
  std::string sent;
  for (int i = 0; i < 20; ++i) {
    const std::string message = "message " + std::to_string(i);
    pair.client.send(message);
    sent += message;
  }
  EXPECT_GT(records_in(pair.client.outgoing).size(), 20U) << "KeyUpdate messages are records too";
  pair.run();
  EXPECT_EQ(pair.server.plaintext, sent);
  pair.server.send("answer");
  pair.run();
  EXPECT_EQ(pair.client.plaintext, "answer");
}

// ── A peer that stops in the middle of a handshake message ──────────────────────────────────────────────────────────

// A ticket that carries a client certificate, cut into two records: OpenSSL seals nothing between the two, our layer
// does.
struct SplitTicket {
  Authority authority;
  testing::PlainServer server;
  Scratch scratch;
  testing::End client;
  std::string first;   // of the server's answer to Finished: the record that begins the ticket
  std::string second;  // the rest

  explicit SplitTicket(RecordLayer layer)
      : SplitTicket(testing::must_issue(testing::leaf_request({"DNS:server.example"}), nullptr), layer) {}

  SplitTicket(const Issued& leaf, RecordLayer layer) : server(testing::pem_of(leaf), testing::key_pem_of(leaf)) {
    constexpr unsigned small_record = 512;
    SSL_set_max_send_fragment(server.ssl.get(), small_record);
    SSL_set_num_tickets(server.ssl.get(), 1);
    SSL_set_verify(server.ssl.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    SSL_set_session_id_context(server.ssl.get(), reinterpret_cast<const unsigned char*>("test"), 4);  // NOLINT
    TlsClient options;
    options.record_layer = layer;
    options.dangerously_disable_certificate_verification = true;
    auto request = testing::leaf_request({});
    request.extended_key_usage = "clientAuth";
    for (int i = 0; i < 20; ++i) request.alternative_names.push_back("DNS:name-" + std::to_string(i) + ".example");
    options.identity = authority.identity(request);
    client.engine = make_engine(must_build(options), scratch, "server.example");
    client.settle();
    server.step(std::exchange(client.outgoing, {}));
    client.receive(server.take_output());
    EXPECT_TRUE(client.handshake_done);
    server.step(std::exchange(client.outgoing, {}));
    const std::string tickets = server.take_output();
    const auto records = records_in(tickets);
    EXPECT_GE(records.size(), 2U) << server.problem << (client.failed ? to_string(client.failure()) : "");
    first = tickets.substr(0, 5 + records.front().length);
    second = tickets.substr(first.size());
  }
};

TEST(SplitHandshakeMessage, PlaintextWaitsForItsRestAndIsNotLost) {
  SplitTicket wire(RecordLayer::openssl);
  wire.client.receive(wire.first);
  wire.client.send("one,");
  wire.client.send("two");
  EXPECT_EQ(wire.client.outgoing, "");
  wire.client.receive(wire.second);
  EXPECT_FALSE(wire.client.failed);
  EXPECT_FALSE(wire.client.outgoing.empty());
  EXPECT_EQ(wire.server.step(wire.client.outgoing), "one,two");
}

TEST(SplitHandshakeMessageInOurLayer, PlaintextDoesNotWaitForTheRestOfAMessage) {
  SplitTicket wire(RecordLayer::automatic);
  ASSERT_TRUE(testing::took_over(*wire.client.engine));
  wire.client.receive(wire.first);
  wire.client.send("one,");
  EXPECT_EQ(wire.server.step(std::exchange(wire.client.outgoing, {})), "one,");
  wire.client.receive(wire.second);
  wire.client.send("two");
  EXPECT_FALSE(wire.client.failed);
  EXPECT_EQ(wire.server.step(wire.client.outgoing), "two");
}

TEST(SplitHandshakeMessage, PlaintextDoesNotWaitWithoutBound) {
  SplitTicket wire(RecordLayer::openssl);
  wire.client.receive(wire.first);
  const std::string megabyte(std::size_t{1} << 20U, 'x');
  for (int i = 0; i < 4; ++i) {
    wire.client.send(megabyte);
    EXPECT_FALSE(wire.client.failed);
  }
  wire.client.send("x");
  ASSERT_TRUE(wire.client.failed);
  EXPECT_EQ(wire.client.failure().code, Errc::tls_protocol_error);
}

// What a memory image taken later must not hold: neither ours nor the peer's, in neither role.
TEST(KeyExchange, ItsKeysAreForgottenWithTheHandshake) {
  const Authority authority;
  Tls served = authority.server();
  TlsClient asking = authority.client();
  served.record_layer = asking.record_layer = RecordLayer::openssl;
  Pair pair(must_build(served), must_build(asking));
  pair.run();
  ASSERT_TRUE(pair.both_done());
  int keys = 0;
  for (const testing::End* end : {&pair.client, &pair.server}) {
    auto* ssl = const_cast<SSL*>(dynamic_cast<const OpensslEngine&>(*end->engine).ssl());  // NOLINT: a control
    for (const int which : {SSL_CTRL_GET_TMP_KEY, SSL_CTRL_GET_PEER_TMP_KEY}) {
      EVP_PKEY* key = nullptr;
      if (SSL_ctrl(ssl, which, 0, static_cast<void*>(&key)) != 1) continue;
      ++keys;
      std::size_t size = 0;
      EXPECT_NE(EVP_PKEY_get_raw_public_key(key, nullptr, &size), 1);
      EXPECT_EQ(EVP_PKEY_get_id(key), EVP_PKEY_NONE);
      EVP_PKEY_free(key);
    }
    EXPECT_FALSE(end->engine->info().group.empty());
  }
  EXPECT_GT(keys, 0);
  ERR_clear_error();
  testing::limit_records_per_key(*pair.server.engine, 1);  // and keys go on changing without them
  for (const std::string_view text : {"one,", "two,", "three"}) {
    pair.server.send(text);
    pair.run();
  }
  EXPECT_EQ(pair.client.plaintext, "one,two,three");
}

TEST(PresentedChain, IsShownEvenWhenNobodyVerifiedIt) {
  const Authority authority;
  const Issued intermediate = testing::must_issue(testing::ca_request("Intermediate"), &authority.issued);
  const Issued leaf = testing::must_issue(testing::leaf_request({"DNS:server.example"}), &intermediate);
  TlsClient options;
  options.dangerously_disable_certificate_verification = true;
  Pair pair(must_build(Tls::pem(testing::pem_of(leaf) + testing::pem_of(intermediate), testing::key_pem_of(leaf))),
            must_build(options));
  pair.run();
  const auto chain = pair.client.engine->presented_chain();
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0].info.common_name, "leaf");
  EXPECT_EQ(chain[1].info.common_name, "Intermediate");
  EXPECT_TRUE(pair.server.engine->presented_chain().empty());
}

}  // namespace
}  // namespace fairlead::tls
