// SPDX-License-Identifier: Apache-2.0
// How our record layer takes over from OpenSSL: no byte is lost and no sequence number is off, wherever the stream is
// cut and whatever the handshake leaves behind.
#include "tls/record_engine.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tls/context_body.h"
#include "tls/testing.h"

namespace fairlead::tls {
namespace {

using testing::Authority;
using testing::must_build;
using testing::Pair;
using testing::PlainClient;
using testing::PlainServer;
using testing::records_in;
using testing::took_over;

constexpr std::string_view every_suite[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",  // NOLINT
                                            "TLS_CHACHA20_POLY1305_SHA256"};

// Not run where testing.h holds a role at OpenSSL's layer.
struct TakingOver : ::testing::Test {
  Authority authority;
  std::shared_ptr<const ServerContext> server = must_build(authority.server());
  std::shared_ptr<const ClientContext> client = must_build(authority.client());
};

// A server that OpenSSL plays, with a certificate that our client believes.
struct Opposite {
  explicit Opposite(const Authority& authority, int tickets = 2)
      : Opposite(testing::must_issue(testing::leaf_request({"DNS:server.example"}), &authority.issued)) {
    SSL_set_num_tickets(server.ssl.get(), static_cast<std::size_t>(tickets));
    SSL_set_session_id_context(server.ssl.get(), reinterpret_cast<const unsigned char*>("test"), 4);  // NOLINT
  }
  explicit Opposite(const Issued& leaf) : server(testing::pem_of(leaf), testing::key_pem_of(leaf)) {}

  void connect(const std::shared_ptr<const ClientContext>& context, std::shared_ptr<ClientSession> session = nullptr) {
    client.engine = make_engine(context, scratch, "server.example", std::move(session));
    client.settle();
    server.step(std::exchange(client.outgoing, {}));
    client.receive(server.take_output());
    server.step(std::exchange(client.outgoing, {}));
  }
  void say(std::string_view text) const {
    ASSERT_GT(SSL_write(server.ssl.get(), text.data(), static_cast<int>(text.size())), 0);
  }

  Scratch scratch;
  PlainServer server;
  testing::End client;
};

TEST_F(TakingOver, HappensWithEachSuiteInBothRoles) {
  for (const std::string_view suite : every_suite) {
    PlainClient plain(server);
    ASSERT_EQ(SSL_set_ciphersuites(plain.ssl.get(), std::string(suite).c_str()), 1);
    plain.run();
    ASSERT_TRUE(took_over(*plain.server.engine)) << suite;
    plain.send("to the server");
    plain.server.send("to the client");
    plain.run();
    EXPECT_EQ(plain.server.plaintext, "to the server");
    EXPECT_EQ(plain.plaintext, "to the client");
    EXPECT_EQ(plain.server.engine->info().cipher, suite);

    Opposite opposite(authority);
    ASSERT_EQ(SSL_set_ciphersuites(opposite.server.ssl.get(), std::string(suite).c_str()), 1);
    opposite.connect(client);
    ASSERT_TRUE(took_over(*opposite.client.engine)) << suite;
    opposite.client.send("to the server");
    EXPECT_EQ(opposite.server.step(std::exchange(opposite.client.outgoing, {})), "to the server");
    opposite.say("to the client");
    opposite.client.receive(opposite.server.take_output());
    EXPECT_EQ(opposite.client.plaintext, "to the client");
  }
}

TEST_F(TakingOver, DoesNotHappenInTls12) {
  PlainClient plain(server);
  SSL_set_max_proto_version(plain.ssl.get(), TLS1_2_VERSION);
  plain.run();
  ASSERT_TRUE(plain.done);
  EXPECT_FALSE(took_over(*plain.server.engine));
  EXPECT_FALSE(plain.server.engine->info().own_record_layer);
  plain.send("as ever");
  plain.run();
  EXPECT_EQ(plain.server.plaintext, "as ever");
}

TEST_F(TakingOver, DoesNotHappenWhenShortRecordsWereAgreedOn) {
  PlainClient plain(server);
  ASSERT_EQ(SSL_set_tlsext_max_fragment_length(plain.ssl.get(), TLSEXT_max_fragment_length_512), 1);
  plain.run();
  ASSERT_TRUE(plain.done);
  EXPECT_FALSE(took_over(*plain.server.engine));
  const std::string text(5'000, 'x');
  plain.server.send(text);
  plain.run();
  EXPECT_EQ(plain.problem, "");
  EXPECT_EQ(plain.plaintext, text);
}

TEST_F(TakingOver, DoesNotHappenWhenTheOptionSaysSo) {
  Tls options = authority.server();
  options.record_layer = RecordLayer::openssl;
  TlsClient client_options = authority.client();
  client_options.record_layer = RecordLayer::openssl;
  Pair pair(must_build(options), must_build(client_options));
  pair.run();
  ASSERT_TRUE(pair.both_done());
  EXPECT_FALSE(took_over(*pair.server.engine) || took_over(*pair.client.engine));
}

// The client's Finished, two messages, a goodbye: one stream, cut at every place, in one piece, and byte by byte.
TEST_F(TakingOver, LosesNothingOfWhatFollowsFinishedWhereverItIsCut) {
  for (std::size_t cut = 0;; ++cut) {
    Pair pair(server, client);
    pair.server.receive(std::exchange(pair.client.outgoing, {}));
    pair.client.receive(std::exchange(pair.server.outgoing, {}));
    ASSERT_TRUE(pair.client.handshake_done);
    pair.client.send("together with Finished");
    pair.client.send("and more");
    pair.client.close();
    const std::string stream = std::exchange(pair.client.outgoing, {});
    if (cut > stream.size()) break;
    pair.server.receive(stream.substr(0, cut));
    pair.server.receive(stream.substr(cut));
    ASSERT_FALSE(pair.server.failed) << cut << " " << pair.server.failure().detail;
    ASSERT_EQ(pair.server.plaintext, "together with Finishedand more") << cut;
    ASSERT_TRUE(pair.server.peer_closed) << cut;
    pair.server.send("the answer");
    pair.client.receive(pair.server.outgoing);
    ASSERT_EQ(pair.client.plaintext, "the answer") << cut;
  }
}

TEST_F(TakingOver, KeepsWhatThePausedCallerRetained) {
  Pair pair(server, client);
  pair.server.receive(std::exchange(pair.client.outgoing, {}));
  pair.client.receive(std::exchange(pair.server.outgoing, {}));
  pair.client.send("kept");
  std::string stream = std::exchange(pair.client.outgoing, {});
  Engine& engine = *pair.server.engine;
  engine.receive(as_bytes(stream));
  EXPECT_TRUE(std::holds_alternative<HandshakeDone>(engine.next_event().value_or(PeerClosed{})));
  engine.retain();
  std::ranges::fill(stream, '\0');  // the caller reuses its buffer
  engine.consume(engine.output().size());
  pair.server.settle();
  EXPECT_EQ(pair.server.plaintext, "kept");
}

TEST_F(TakingOver, CountsTheTicketsOfAServer) {
  for (const int tickets : {0, 1, 2, 5}) {
    const auto context = must_build(authority.server());
    SSL_CTX_set_num_tickets(context->body().entries.front().context.get(), static_cast<std::size_t>(tickets));
    PlainClient plain(context);
    plain.run();
    ASSERT_TRUE(took_over(*plain.server.engine));
    plain.server.send("under the right number");
    plain.run();
    EXPECT_EQ(plain.plaintext, "under the right number") << tickets << plain.problem;
  }
}

TEST_F(TakingOver, SkipsTheTicketsThatAClientDoesNotWant) {
  for (const int tickets : {0, 1, 2, 5}) {
    Opposite opposite(authority, tickets);
    opposite.connect(client);
    ASSERT_TRUE(took_over(*opposite.client.engine));
    opposite.say("behind the tickets");
    opposite.client.receive(opposite.server.take_output());
    EXPECT_EQ(opposite.client.plaintext, "behind the tickets") << tickets;
  }
}

TEST_F(TakingOver, AClosingServerStillSaysGoodbyeInOrder) {
  Pair pair(server, client);
  pair.server.receive(std::exchange(pair.client.outgoing, {}));
  pair.client.receive(std::exchange(pair.server.outgoing, {}));
  const std::string finished = std::exchange(pair.client.outgoing, {});
  Engine& engine = *pair.server.engine;
  engine.receive(as_bytes(finished));
  EXPECT_TRUE(std::holds_alternative<HandshakeDone>(engine.next_event().value_or(PeerClosed{})));
  engine.seal(as_bytes("last words"));
  engine.close();
  pair.server.settle();
  pair.client.receive(pair.server.outgoing);
  EXPECT_EQ(pair.client.plaintext, "last words");
  EXPECT_TRUE(pair.client.peer_closed);
}

TEST_F(TakingOver, AStreamThatEndsWithFinishedIsCutShort) {
  Pair pair(server, client);
  pair.server.receive(std::exchange(pair.client.outgoing, {}));
  pair.client.receive(std::exchange(pair.server.outgoing, {}));
  pair.client.send("and gone");
  Engine& engine = *pair.server.engine;
  engine.receive(as_bytes(pair.client.outgoing));
  engine.receive_end();
  pair.server.settle();
  EXPECT_TRUE(pair.server.handshake_done);
  EXPECT_EQ(pair.server.plaintext, "and gone");
  EXPECT_EQ(pair.server.failure().code, Errc::unexpected_eof);
}

// ── A client that wants to resume ───────────────────────────────────────────────────────────────────────────────────

TEST_F(TakingOver, AClientWaitsForItsTicketAndResumesWithIt) {
  const auto session = std::make_shared<ClientSession>();
  for (const bool resumed : {false, true, true}) {
    Pair pair(server, client, "server.example", session);
    EXPECT_EQ(session->available(), false);
    while (!pair.client.handshake_done) {
      pair.server.receive(std::exchange(pair.client.outgoing, {}));
      pair.client.receive(std::exchange(pair.server.outgoing, {}));
    }
    EXPECT_FALSE(took_over(*pair.client.engine));
    pair.client.send("before the ticket;");
    pair.run();
    EXPECT_TRUE(took_over(*pair.client.engine));
    EXPECT_TRUE(session->available());
    EXPECT_EQ(pair.client.engine->info().resumed, resumed);
    pair.client.send("behind it");
    pair.server.send("answer");
    pair.run();
    EXPECT_EQ(pair.server.plaintext, "before the ticket;behind it");
    EXPECT_EQ(pair.client.plaintext, "answer");
    EXPECT_FALSE(pair.client.failed || pair.server.failed);
  }
}

// Data, then the ticket, then data; cut at every place.
TEST_F(TakingOver, ALateTicketIsWaitedForWhereverTheStreamIsCut) {
  for (std::size_t cut = 0;; ++cut) {
    const auto session = std::make_shared<ClientSession>();
    Opposite opposite(authority, 0);
    opposite.connect(client, session);
    opposite.client.send("one;");
    EXPECT_EQ(opposite.server.step(std::exchange(opposite.client.outgoing, {})), "one;");
    opposite.say("early;");
    ASSERT_EQ(SSL_new_session_ticket(opposite.server.ssl.get()), 1);
    opposite.say("late;");
    const std::string stream = opposite.server.take_output();
    if (cut > stream.size()) break;
    opposite.client.receive(stream.substr(0, cut));
    opposite.client.receive(stream.substr(cut));
    ASSERT_EQ(opposite.client.plaintext, "early;late;") << cut;
    ASSERT_TRUE(took_over(*opposite.client.engine)) << cut;
    ASSERT_TRUE(session->available());
    opposite.client.send("two");
    ASSERT_EQ(opposite.server.step(opposite.client.outgoing), "two");
  }
}

// The two tickets of a server, in records of other lengths: RFC 8446 5.1 lets messages be cut anywhere.
struct RecutTickets {
  static constexpr record::Suite suite = record::Suite::aes_128_gcm_sha256;

  explicit RecutTickets(const Authority& authority) : opposite(authority, 2) {
    SSL_CTX_set_keylog_callback(opposite.server.context.get(), note_secret);
    EXPECT_EQ(SSL_set_ciphersuites(opposite.server.ssl.get(), "TLS_AES_128_GCM_SHA256"), 1);
  }

  // What the server has to say behind the handshake, first with the keys that it uses itself.
  void connect(const std::shared_ptr<const ClientContext>& context, const std::shared_ptr<ClientSession>& session) {
    opposite.connect(context, session);
    const std::string sealed = opposite.server.take_output();
    record::Opener opener(keys, suite, secret, 0);
    std::size_t at = 0;
    for (const testing::Record& one : records_in(sealed)) {
      const Bytes record = as_bytes(sealed).subspan(at, record::header_bytes + one.length);
      std::vector<std::byte> room(one.length);
      const auto content = opener.open(keys, record, room);
      ASSERT_TRUE(content && content->type == record::ContentType::handshake);
      messages += as_text(Bytes(room).first(content->bytes));
      if (first_message_bytes == 0) first_message_bytes = messages.size();
      at += record.size();
    }
  }
  std::string seal(record::ContentType type, std::string_view content) {
    Buffer out;
    sealer->seal(keys, type, as_bytes(content), out);
    return std::string(as_text(std::as_const(out).readable()));
  }
  static void note_secret(const SSL* /*ssl*/, const char* line) {
    const std::string_view text(line);
    if (!text.starts_with("SERVER_TRAFFIC_SECRET_0 ")) return;
    const std::string hex(text.substr(text.rfind(' ') + 1));
    secret.clear();
    for (std::size_t at = 0; at < hex.size(); at += 2) {
      secret.push_back(static_cast<std::byte>(std::stoi(hex.substr(at, 2), nullptr, 16)));
    }
  }

  static inline std::vector<std::byte> secret;
  Opposite opposite;
  record::KeyCache keys;
  std::optional<record::Sealer> sealer;
  std::string messages;
  std::size_t first_message_bytes = 0;
};

TEST_F(TakingOver, WaitsForTheRestOfAMessageThatBeginsBehindTheTicket) {
  using record::ContentType;
  for (int behind = -5; behind <= 5; ++behind) {
    const auto session = std::make_shared<ClientSession>();
    RecutTickets tickets(authority);
    tickets.connect(client, session);
    ASSERT_GT(tickets.first_message_bytes, 0U);
    testing::End& end = tickets.opposite.client;
    tickets.sealer.emplace(tickets.keys, RecutTickets::suite, RecutTickets::secret, 0);
    const std::size_t cut = tickets.first_message_bytes + static_cast<std::size_t>(behind);
    end.receive(tickets.seal(ContentType::handshake, tickets.messages.substr(0, cut)));
    end.send("one;");
    end.receive(tickets.seal(ContentType::handshake, tickets.messages.substr(cut)));
    ASSERT_FALSE(end.failed) << behind << ": " << end.failure().detail;
    EXPECT_TRUE(took_over(*end.engine)) << behind;
    EXPECT_TRUE(session->available()) << behind;
    end.receive(tickets.seal(ContentType::application_data, "answer"));
    EXPECT_EQ(end.plaintext, "answer") << behind;
    end.send("two");
    EXPECT_EQ(tickets.opposite.server.step(end.outgoing), "one;two") << behind;
  }
}

TEST_F(TakingOver, AClientDoesNotWaitForEverForATicket) {
  const auto session = std::make_shared<ClientSession>();
  Opposite opposite(authority, 0);
  opposite.connect(client, session);
  for (int record = 1; record <= 20; ++record) {
    opposite.say("x");
    opposite.client.receive(opposite.server.take_output());
    EXPECT_EQ(took_over(*opposite.client.engine), record >= 16) << record;
    opposite.client.send("y");
    EXPECT_EQ(opposite.server.step(std::exchange(opposite.client.outgoing, {})), "y");
  }
  ASSERT_EQ(SSL_new_session_ticket(opposite.server.ssl.get()), 1);
  opposite.say("behind a ticket");
  opposite.client.receive(opposite.server.take_output());
  EXPECT_EQ(opposite.client.plaintext, std::string(20, 'x') + "behind a ticket");
  EXPECT_FALSE(session->available());
  opposite.client.receive_end();
  EXPECT_EQ(opposite.client.failure().code, Errc::unexpected_eof);
}

TEST_F(TakingOver, NeverHappensOnceAKeyHasChanged) {
  for (const int type : {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED}) {
    const auto session = std::make_shared<ClientSession>();
    Opposite opposite(authority, 0);
    opposite.connect(client, session);
    ASSERT_EQ(SSL_key_update(opposite.server.ssl.get(), type), 1);
    opposite.say("under the next key;");
    opposite.client.receive(opposite.server.take_output());
    ASSERT_EQ(SSL_new_session_ticket(opposite.server.ssl.get()), 1);
    opposite.say("behind the ticket");
    opposite.client.receive(opposite.server.take_output());
    EXPECT_EQ(opposite.client.plaintext, "under the next key;behind the ticket");
    EXPECT_TRUE(session->available());
    EXPECT_FALSE(took_over(*opposite.client.engine));
    opposite.client.send("answer");
    EXPECT_EQ(opposite.server.step(opposite.client.outgoing), "answer");
  }
}

TEST_F(TakingOver, AForgedRecordIsRefusedByAWaitingClientToo) {
  for (const char* header : {"\x17\x03\x03\x00\x20", "\x15\x03\x03\x00\x20", "\x17\x03\x03\xff\xff"}) {
    Opposite opposite(authority, 0);
    opposite.connect(client, std::make_shared<ClientSession>());
    opposite.client.receive(std::string(header, 5) + std::string(32, 'z'));
    ASSERT_TRUE(opposite.client.failed);
    EXPECT_EQ(opposite.client.failure().code, Errc::tls_protocol_error);
    EXPECT_FALSE(opposite.client.outgoing.empty()) << "an alert";
  }
}

// ── Facts, and the key log ──────────────────────────────────────────────────────────────────────────────────────────

TEST_F(TakingOver, TheFactsAreTheSameAsWithOpenssl) {
  Authority clients("Client CA");
  Tls options = authority.server();
  options.client_certificates = ClientCertificates::required;
  options.client_ca = PemSource::from_text(clients.pem());
  TlsClient client_options = authority.client();
  auto request = testing::leaf_request({"DNS:alice.example"});
  request.extended_key_usage = "clientAuth";
  client_options.identity = clients.identity(request);
  std::vector<TlsInfo> infos;
  std::vector<std::vector<CertificateDetails>> chains;
  for (const RecordLayer layer : {RecordLayer::automatic, RecordLayer::openssl}) {
    options.record_layer = client_options.record_layer = layer;
    Pair pair(must_build(options), must_build(client_options));
    pair.run();
    ASSERT_TRUE(pair.both_done());
    for (const testing::End* end : {&pair.client, &pair.server}) {
      EXPECT_EQ(took_over(*end->engine), layer == RecordLayer::automatic);
      infos.push_back(end->engine->info());
      EXPECT_EQ(std::exchange(infos.back().own_record_layer, false), layer == RecordLayer::automatic);
      chains.push_back(end->engine->presented_chain());
    }
  }
  for (const std::size_t end : {0U, 1U}) {
    ASSERT_NE(infos[end].peer_certificate, nullptr);
    EXPECT_EQ(infos[end].peer_certificate->sha256, infos[end + 2].peer_certificate->sha256);
    infos[end].peer_certificate = infos[end + 2].peer_certificate;
    EXPECT_EQ(infos[end], infos[end + 2]);
    ASSERT_EQ(chains[end].size(), chains[end + 2].size());
    EXPECT_EQ(chains[end].front().info.sha256, chains[end + 2].front().info.sha256);
  }
}

TEST_F(TakingOver, ConnectionsShareTheFactsThatTheyAgreedOn) {
  Scratch server_scratch;
  std::vector<testing::End> servers(3);
  for (testing::End& one : servers) {
    Pair pair(server, client);
    one.engine = make_engine(server, server_scratch);
    one.receive(std::exchange(pair.client.outgoing, {}));
    pair.client.receive(std::exchange(one.outgoing, {}));
    one.receive(std::exchange(pair.client.outgoing, {}));
    ASSERT_TRUE(took_over(*one.engine));
  }
  EXPECT_EQ(server_scratch.last_info.use_count(), 1 + static_cast<long>(servers.size()));
}

TEST_F(TakingOver, TheKeyLogIsWrittenWhenAskedForAndOnlyThen) {
  const testing::Directory directory;
  Tls options = authority.server();
  options.key_log_file = directory.file("keys.txt");
  for (const auto& context : {must_build(options), server}) {
    Pair pair(context, client);
    pair.run();
    ASSERT_TRUE(took_over(*pair.server.engine));
  }
  std::stringstream log;
  log << std::ifstream(options.key_log_file).rdbuf();
  std::string line;
  std::vector<std::string> labels;
  while (std::getline(log, line)) labels.push_back(line.substr(0, line.find(' ')));
  EXPECT_EQ(std::ranges::count(labels, "CLIENT_TRAFFIC_SECRET_0"), 1);
  EXPECT_EQ(std::ranges::count(labels, "SERVER_TRAFFIC_SECRET_0"), 1);
  EXPECT_EQ(std::ranges::count(labels, "CLIENT_HANDSHAKE_TRAFFIC_SECRET"), 1);
}

TEST(TrafficSecrets, AreThoseOfApplicationData) {
  const std::string first(32, '\xaa');
  const std::string second(48, '\xbb');
  TrafficSecrets secrets;
  for (const char* label : {"c hs traffic", "s hs traffic", "c ap traffi", "exp master", ""}) {
    secrets.take(label, as_bytes(first));
  }
  EXPECT_TRUE(secrets.client().empty() && secrets.server().empty());
  secrets.take("c ap traffic", as_bytes(first));
  EXPECT_FALSE(secrets.complete());
  secrets.take("s ap traffic", as_bytes(second));
  ASSERT_TRUE(secrets.complete());
  EXPECT_EQ(as_text(secrets.client()), first);
  EXPECT_EQ(as_text(secrets.server()), second);
  TrafficSecrets none;  // longer than any hash
  none.take("c ap traffic", as_bytes(std::string(49, 'a')));
  EXPECT_TRUE(none.client().empty());
}

}  // namespace
}  // namespace fairlead::tls
