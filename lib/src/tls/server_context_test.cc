// SPDX-License-Identifier: Apache-2.0
// What a server offers, chooses and refuses.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tls/testing.h"
#include "tls/ticket_keys.h"

namespace fairlead::tls {
namespace {

using testing::Authority;
using testing::Directory;
using testing::End;
using testing::key_pem_of;
using testing::leaf_request;
using testing::must_build;
using testing::must_issue;
using testing::Pair;
using testing::pem_of;
using testing::PlainClient;
using testing::PlainServer;

// ── Versions, suites, groups ────────────────────────────────────────────────────────────────────────────────────────

struct VersionCase {
  int version;
  TlsProfile profile;
  bool accepted;
};

TEST(Versions, OnlyThoseOfTheProfile) {
  const Authority authority;
  for (const VersionCase& one : {VersionCase{TLS1_VERSION, TlsProfile::intermediate, false},
                                 VersionCase{TLS1_1_VERSION, TlsProfile::intermediate, false},
                                 VersionCase{TLS1_2_VERSION, TlsProfile::intermediate, true},
                                 VersionCase{TLS1_3_VERSION, TlsProfile::intermediate, true},
                                 VersionCase{TLS1_2_VERSION, TlsProfile::modern, false},
                                 VersionCase{TLS1_3_VERSION, TlsProfile::modern, true}}) {
    Tls options = authority.server();
    options.profile = one.profile;
    PlainClient client(must_build(options));
    SSL_set_min_proto_version(client.ssl.get(), one.version);
    SSL_set_max_proto_version(client.ssl.get(), one.version);
    client.run();
    EXPECT_EQ(client.done, one.accepted) << one.version;
    EXPECT_EQ(client.server.handshake_done, one.accepted) << one.version;
    if (!one.accepted) {
      EXPECT_EQ(client.server.failure().code, Errc::tls_handshake_failed);
    }
  }
}

bool accepts_tls12_suites(const std::shared_ptr<const ServerContext>& server, const char* suites) {
  PlainClient client(server);
  SSL_set_max_proto_version(client.ssl.get(), TLS1_2_VERSION);
  EXPECT_EQ(SSL_set_cipher_list(client.ssl.get(), suites), 1) << suites;
  client.run();
  return client.done && client.server.handshake_done;
}

TEST(Suites, Tls12HasOnlyEcdheWithAead) {
  const Authority authority;
  const auto server = must_build(authority.server());
  for (const char* good :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    EXPECT_TRUE(accepts_tls12_suites(server, good)) << good;
  }
  for (const char* bad : {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-CCM",
                          "AES128-GCM-SHA256", "AES128-SHA", "DHE-RSA-AES128-GCM-SHA256", "ADH-AES128-GCM-SHA256"}) {
    EXPECT_FALSE(accepts_tls12_suites(server, bad)) << bad;
  }
}

TEST(Suites, TheClientsOrderDecides) {
  const Authority authority;
  const auto server = must_build(authority.server());
  for (const char* first : {"TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"}) {
    PlainClient client(server);
    const std::string order = std::string(first) + ":TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
    SSL_set_ciphersuites(client.ssl.get(), order.c_str());
    client.run();
    EXPECT_EQ(client.server.engine->info().cipher, first);
  }
}

TEST(Groups, AreModernCurvesOnly) {
  const Authority authority;
  const auto server = must_build(authority.server());
  for (const char* good : {"X25519", "P-256", "P-384"}) {
    PlainClient client(server);
    SSL_set1_groups_list(client.ssl.get(), good);
    client.run();
    EXPECT_TRUE(client.done) << good;
  }
  for (const char* bad : {"P-521", "X448", "ffdhe2048"}) {
    PlainClient client(server);
    SSL_set1_groups_list(client.ssl.get(), bad);
    client.run();
    EXPECT_FALSE(client.done) << bad;
  }
}

TEST(Renegotiation, IsRefused) {
  const Authority authority;
  PlainClient client(must_build(authority.server()));
  SSL_set_max_proto_version(client.ssl.get(), TLS1_2_VERSION);
  client.run();
  ASSERT_TRUE(client.done);
  ASSERT_EQ(SSL_renegotiate(client.ssl.get()), 1);
  SSL_do_handshake(client.ssl.get());
  client.run();
  // OpenSSL as a client gives up, with an alert of its own, when it hears no_renegotiation.
  EXPECT_EQ(client.problem, "no renegotiation");
  ASSERT_TRUE(client.server.failed);
  EXPECT_EQ(client.server.failure().code, Errc::tls_protocol_error);
}

TEST(KeyUpdate, OfThePeerIsAnswered) {
  const Authority authority;
  PlainClient client(must_build(authority.server()));
  client.run();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(SSL_key_update(client.ssl.get(), SSL_KEY_UPDATE_REQUESTED), 1);
    client.send("after update;");
    client.run();
    client.server.send("answer;");
    client.run();
  }
  EXPECT_EQ(client.server.plaintext, "after update;after update;after update;after update;after update;");
  EXPECT_EQ(client.plaintext, "answer;answer;answer;answer;answer;");
  EXPECT_FALSE(client.server.failed);
}

// ── Floods of handshake messages ────────────────────────────────────────────────────────────────────────────────────

constexpr int message_burst = 20;  // twice Limits::tls_messages_per_second
TimePoint fake_now{};
TimePoint tell_fake_now() { return fake_now; }

// Puts `count` KeyUpdates into the output of a plain OpenSSL endpoint.
void update_keys(SSL* ssl, int count, int type) {
  for (int i = 0; i < count; ++i) {
    ASSERT_EQ(SSL_key_update(ssl, type), 1);
    ASSERT_EQ(SSL_do_handshake(ssl), 1);
  }
}

TEST(KeyUpdate, AFloodIsCutOffByTheServer) {
  const Authority authority;
  for (const int type : {SSL_KEY_UPDATE_REQUESTED, SSL_KEY_UPDATE_NOT_REQUESTED}) {
    PlainClient client(must_build(authority.server()));
    client.server_scratch.clock = tell_fake_now;
    client.run();
    update_keys(client.ssl.get(), message_burst, type);
    client.send("at the limit");
    client.run();
    ASSERT_FALSE(client.server.failed) << to_string(client.server.failure());
    EXPECT_EQ(client.server.plaintext, "at the limit");

    update_keys(client.ssl.get(), 1, type);
    client.send("past it");
    client.run();
    ASSERT_TRUE(client.server.failed);
    EXPECT_EQ(client.server.failure().code, Errc::tls_message_rate_exceeded);
    EXPECT_EQ(client.server.plaintext, "at the limit") << "nothing behind the flood is read";
    EXPECT_NE(SSL_get_shutdown(client.ssl.get()) & SSL_RECEIVED_SHUTDOWN, 0) << "the client hears close_notify";
    client.server.send("nothing happens any more");
  }
}

TEST(KeyUpdate, AsManyPerSecondAsAllowedGoOnForEver) {
  const Authority authority;
  PlainClient client(must_build(authority.server()));
  client.server_scratch.clock = tell_fake_now;
  client.run();
  for (int i = 0; i < 10 * message_burst; ++i) {
    update_keys(client.ssl.get(), 1, SSL_KEY_UPDATE_REQUESTED);
    client.run();
    fake_now += std::chrono::milliseconds(100);
  }
  EXPECT_FALSE(client.server.failed) << to_string(client.server.failure());
}

TEST(KeyUpdate, AFloodInOneBufferCostsNoMoreThanTheLimit) {
  const Authority authority;
  PlainClient client(must_build(authority.server()));
  client.server_scratch.clock = tell_fake_now;
  client.server.engine->limit_messages(1);
  client.run();
  update_keys(client.ssl.get(), 5'000, SSL_KEY_UPDATE_REQUESTED);
  client.run();
  ASSERT_TRUE(client.server.failed);
  EXPECT_EQ(client.server.failure().code, Errc::tls_message_rate_exceeded);
}

TEST(KeyUpdate, AFloodIsCutOffByTheClient) {
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  testing::PlainServer server(testing::pem_of(leaf), testing::key_pem_of(leaf));
  SSL_set_num_tickets(server.ssl.get(), 0);
  tls::Scratch scratch;
  scratch.clock = tell_fake_now;
  testing::End client;
  client.engine = make_engine(must_build(authority.client()), scratch, "server.example");
  server.run(client);
  ASSERT_TRUE(client.handshake_done);
  update_keys(server.ssl.get(), message_burst, SSL_KEY_UPDATE_NOT_REQUESTED);
  server.run(client);
  ASSERT_FALSE(client.failed);
  update_keys(server.ssl.get(), 1, SSL_KEY_UPDATE_NOT_REQUESTED);
  server.run(client);
  ASSERT_TRUE(client.failed);
  EXPECT_EQ(client.failure().code, Errc::tls_message_rate_exceeded);
}

TEST(EarlyData, IsNeverOfferedByATicket) {
  const Authority authority;
  PlainClient client(must_build(authority.server()));
  client.run();
  client.server.send("x");
  client.run();
  ASSERT_TRUE(client.done);
  const SSL_SESSION* session = SSL_get0_session(client.ssl.get());
  ASSERT_EQ(SSL_SESSION_is_resumable(session), 1);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(session), 0U);
}

// ── ALPN ────────────────────────────────────────────────────────────────────────────────────────────────────────────

struct AlpnCase {
  std::vector<std::string> offered;
  bool accepted;
  std::string chosen;
};

TEST(Alpn, Matrix) {
  const Authority authority;
  const auto server = must_build(authority.server());
  for (const AlpnCase& one : {AlpnCase{{"http/1.1"}, true, "http/1.1"}, AlpnCase{{"h2", "http/1.1"}, true, "http/1.1"},
                              AlpnCase{{}, true, ""}, AlpnCase{{"h2"}, false, ""}, AlpnCase{{"http/1.0"}, false, ""},
                              AlpnCase{{"HTTP/1.1"}, false, ""}}) {
    TlsClient options = authority.client();
    options.alpn = one.offered;
    Pair pair(server, must_build(options));
    pair.run();
    EXPECT_EQ(pair.both_done(), one.accepted);
    if (one.accepted) {
      EXPECT_EQ(pair.server.engine->info().alpn, one.chosen);
    } else {
      EXPECT_EQ(pair.client.failure().code, Errc::tls_handshake_failed);
      EXPECT_NE(pair.client.failure().detail.find("no application protocol"), std::string::npos)
          << pair.client.failure().detail;
    }
  }
}

// ── SNI ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string subject_shown_for(const std::shared_ptr<const ServerContext>& server, const char* name) {
  PlainClient client(server);
  if (name != nullptr) SSL_set_tlsext_host_name(client.ssl.get(), name);
  client.run();
  EXPECT_TRUE(client.done);
  char text[256] = {};  // NOLINT(modernize-avoid-c-arrays): OpenSSL's interface
  X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client.ssl.get())), NID_commonName, text,
                            sizeof(text));
  return text;
}

TEST(Sni, ExactBeforeWildcardAndTheFirstByDefault) {
  const Authority authority;
  const auto named = [&](std::string common_name, std::vector<std::string> names) {
    auto request = leaf_request(std::move(names));
    request.common_name = std::move(common_name);
    return authority.identity(request);
  };
  const auto server = must_build(Tls::several(
      {named("default", {"DNS:default.example"}), named("wildcard", {"DNS:*.example.org"}),
       named("exact", {"DNS:chat.example.org", "DNS:Upper.Example"}), named("late", {"DNS:chat.example.org"})}));
  EXPECT_EQ(subject_shown_for(server, nullptr), "default");
  EXPECT_EQ(subject_shown_for(server, "unknown.example"), "default");
  EXPECT_EQ(subject_shown_for(server, "default.example"), "default");
  EXPECT_EQ(subject_shown_for(server, "chat.example.org"), "exact");
  EXPECT_EQ(subject_shown_for(server, "CHAT.example.ORG"), "exact");
  EXPECT_EQ(subject_shown_for(server, "upper.example"), "exact");
  EXPECT_EQ(subject_shown_for(server, "other.example.org"), "wildcard");
  EXPECT_EQ(subject_shown_for(server, "a.b.example.org"), "default") << "a wildcard stands for one label";
  EXPECT_EQ(subject_shown_for(server, "example.org"), "default");
}

// ── Tickets ─────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Resumption {
  Authority authority;
  std::shared_ptr<TicketKeys> keys = std::make_shared<TicketKeys>();
  std::shared_ptr<const ServerContext> server = must_build(authority.server(), keys);
  std::shared_ptr<const ClientContext> client = must_build(authority.client());
  std::shared_ptr<ClientSession> session = std::make_shared<ClientSession>();

  // True when the connection was resumed on both ends.
  [[nodiscard]] bool connect() const {
    Pair pair(server, client, "server.example", session);
    pair.run();
    pair.server.send("ticket and data");
    pair.run();
    EXPECT_TRUE(pair.both_done());
    EXPECT_EQ(pair.client.plaintext, "ticket and data");
    const bool resumed = pair.server.engine->info().resumed;
    EXPECT_EQ(pair.client.engine->info().resumed, resumed);
    EXPECT_NE(pair.client.engine->info().peer_certificate, nullptr);
    return resumed;
  }
};

TEST(Tickets, ResumeAndAreUsedOnce) {
  Resumption r;
  EXPECT_FALSE(r.connect());
  EXPECT_TRUE(r.session->available());
  EXPECT_TRUE(r.connect());
  EXPECT_TRUE(r.connect());
  r.session->forget();
  EXPECT_FALSE(r.connect());
}

TEST(Tickets, SurviveOneRotationButNotTwo) {
  Resumption r;
  EXPECT_FALSE(r.connect());
  r.keys->rotate();
  EXPECT_TRUE(r.connect());
  r.keys->rotate();
  r.keys->rotate();
  EXPECT_FALSE(r.connect());
}

TEST(Tickets, RotateByTheCallersClock) {
  TicketKeys keys(std::chrono::hours{12});
  const TimePoint start{};
  const auto first = keys.current().name;
  EXPECT_FALSE(keys.rotate_if_due(start));
  EXPECT_FALSE(keys.rotate_if_due(start + std::chrono::hours{11}));
  EXPECT_TRUE(keys.rotate_if_due(start + std::chrono::hours{12}));
  EXPECT_NE(keys.current().name, first);
  const auto old = keys.find(first.data());
  EXPECT_TRUE(old && !old->current);
  EXPECT_FALSE(keys.rotate_if_due(start + std::chrono::hours{13}));
  EXPECT_TRUE(keys.rotate_if_due(start + std::chrono::hours{24}));
  EXPECT_FALSE(keys.find(first.data()));
}

TEST(Tickets, SurviveANewCertificate) {
  Resumption r;
  EXPECT_FALSE(r.connect());
  r.server = must_build(r.authority.server(), r.keys);
  EXPECT_TRUE(r.connect());
}

TEST(Tickets, OfAnotherServerMeanAFullHandshake) {
  Resumption r;
  EXPECT_FALSE(r.connect());
  r.server = must_build(r.authority.server());
  EXPECT_FALSE(r.connect());
}

TEST(Tickets, AreNotSharedBetweenClientContexts) {
  Resumption r;
  TlsClient careless = r.authority.client();
  careless.dangerously_disable_certificate_verification = true;
  const auto strict = r.client;
  r.client = must_build(careless);
  Pair first(r.server, r.client, "server.example", r.session);
  first.run();
  ASSERT_TRUE(r.session->available());
  r.client = strict;
  EXPECT_FALSE(r.connect()) << "the unverified session must not stand in for a verification";
}

TEST(Tickets, CanBeSwitchedOff) {
  Resumption r;
  Tls options = r.authority.server();
  options.tickets = false;
  r.server = must_build(options);
  EXPECT_FALSE(r.connect());
  EXPECT_FALSE(r.session->available());
  EXPECT_FALSE(r.connect());
}

// RFC 5077 3.3: without a new ticket the client keeps the one it has.
TEST(Tickets, ResumeEachConnectionOfAClientInTls12) {
  const Authority authority;
  const auto client = must_build(authority.client());
  const auto leaf = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  const auto session = std::make_shared<ClientSession>();
  PlainServer server(pem_of(leaf), key_pem_of(leaf));
  for (const bool resumed : {false, true, true, true}) {
    server.start_over();
    SSL_set_max_proto_version(server.ssl.get(), TLS1_2_VERSION);
    Scratch scratch;
    End end;
    end.engine = make_engine(client, scratch, "server.example", session);
    server.run(end);
    ASSERT_TRUE(end.handshake_done) << end.failure().detail;
    EXPECT_EQ(end.engine->info().version, "TLSv1.2");
    EXPECT_EQ(end.engine->info().resumed, resumed);
    EXPECT_TRUE(session->available());
  }
}

TEST(Tickets, WorkInTls12) {
  const Authority authority;
  const auto server = must_build(authority.server());
  PlainClient first(server);
  SSL_set_max_proto_version(first.ssl.get(), TLS1_2_VERSION);
  first.run();
  ASSERT_TRUE(first.done);
  PlainClient second(server);
  SSL_set_max_proto_version(second.ssl.get(), TLS1_2_VERSION);
  SSL_set_session(second.ssl.get(), SSL_get0_session(first.ssl.get()));
  second.run();
  ASSERT_TRUE(second.done);
  EXPECT_EQ(SSL_session_reused(second.ssl.get()), 1);
  EXPECT_TRUE(second.server.engine->info().resumed);
  EXPECT_EQ(second.server.engine->info().version, "TLSv1.2");
}

// ── OCSP, key log ───────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Staple, IsSentToWhoAsksAndOnlyWhenGood) {
  const Directory directory;
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  const Issued other = must_issue(leaf_request({"DNS:other.example"}), &authority.issued);
  const Authority stranger("Somebody else");
  const std::string good = testing::ocsp_of(authority.issued, leaf, true);
  TlsIdentity identity{.chain = PemSource::from_text(testing::pem_of(leaf) + authority.pem()),
                       .key = PemSource::from_text(testing::key_pem_of(leaf))};

  identity.ocsp_file = directory.write("good.der", good);
  PlainClient client(must_build(Tls::several({identity})));
  SSL_set_tlsext_status_type(client.ssl.get(), TLSEXT_STATUSTYPE_ocsp);
  client.run();
  const unsigned char* staple = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(client.ssl.get(), static_cast<void*>(&staple));
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(staple), static_cast<std::size_t>(size)), good);  // NOLINT

  for (const auto& bad :
       {testing::ocsp_of(authority.issued, leaf, false), testing::ocsp_of(authority.issued, other, true),
        testing::ocsp_of(authority.issued, leaf, true, &stranger.issued), good.substr(0, 40), std::string("no DER")}) {
    identity.ocsp_file = directory.write("bad.der", bad);
    const auto built = ServerContext::build(Tls::several({identity}));
    ASSERT_FALSE(built);
    EXPECT_NE(built.error().detail.find("bad.der"), std::string::npos);
  }
}

TEST(KeyLogFile, IsWrittenOnlyWhenAskedFor) {
  const Directory directory;
  const Authority authority;
  ASSERT_EQ(::setenv("SSLKEYLOGFILE", directory.file("environment").c_str(), 1), 0);  // NOLINT(concurrency-mt-unsafe)
  Pair without(must_build(authority.server()), must_build(authority.client()));
  without.run();
  ::unsetenv("SSLKEYLOGFILE");  // NOLINT(concurrency-mt-unsafe)
  EXPECT_FALSE(std::filesystem::exists(directory.file("environment")));

  Tls options = authority.server();
  options.key_log_file = directory.file("keys");
  Pair with(must_build(options), must_build(authority.client()));
  with.run();
  std::ifstream log(options.key_log_file);
  const std::string text((std::istreambuf_iterator<char>(log)), {});
  EXPECT_NE(text.find("CLIENT_TRAFFIC_SECRET_0 "), std::string::npos);
  EXPECT_EQ(std::filesystem::status(options.key_log_file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace fairlead::tls
