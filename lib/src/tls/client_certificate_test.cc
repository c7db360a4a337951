// SPDX-License-Identifier: Apache-2.0
// Whom a server that asks for client certificates lets in, at first and with a ticket.
#include <gtest/gtest.h>

#include "tls/testing.h"
#include "tls/ticket_keys.h"

namespace fairlead::tls {
namespace {

using testing::Authority;
using testing::leaf_request;
using testing::must_build;
using testing::must_issue;
using testing::Pair;
using testing::PlainClient;

struct MutualTls {
  Authority authority;
  Authority clients{"Client CA"};
  Authority strangers{"Stranger CA"};

  [[nodiscard]] Tls server(ClientCertificates mode) const {
    Tls options = authority.server();
    options.client_certificates = mode;
    options.client_ca = PemSource::from_text(clients.pem());
    return options;
  }
  [[nodiscard]] TlsClient client(const Authority* issuer, std::string usage = "clientAuth") const {
    TlsClient options = authority.client();
    if (issuer == nullptr) return options;
    auto request = leaf_request({"DNS:alice.example", "URI:spiffe://example/alice"});
    request.common_name = "alice";
    request.extended_key_usage = std::move(usage);
    options.identity = issuer->identity(request);
    return options;
  }
};

TEST(ClientCertificate, RequiredReallyRequires) {
  const MutualTls m;
  for (const TlsProfile profile : {TlsProfile::modern, TlsProfile::intermediate}) {
    TlsClient without = m.client(nullptr);
    without.profile = profile;
    Pair pair(must_build(m.server(ClientCertificates::required)), must_build(without));
    pair.run();
    EXPECT_FALSE(pair.server.handshake_done);
    ASSERT_TRUE(pair.server.failed);
    EXPECT_EQ(pair.server.failure().code, Errc::tls_client_certificate_missing);
    ASSERT_TRUE(pair.client.failed);
    EXPECT_EQ(pair.client.failure().code, Errc::tls_client_certificate_missing);
  }
}

TEST(ClientCertificate, RequiredReallyRequiresInTls12) {
  const MutualTls m;
  PlainClient client(must_build(m.server(ClientCertificates::required)));
  SSL_set_max_proto_version(client.ssl.get(), TLS1_2_VERSION);
  client.run();
  EXPECT_FALSE(client.done);
  EXPECT_EQ(client.server.failure().code, Errc::tls_client_certificate_missing);
}

TEST(ClientCertificate, TheVerifiedIdentityIsKnown) {
  const MutualTls m;
  for (const ClientCertificates mode : {ClientCertificates::required, ClientCertificates::request}) {
    Pair pair(must_build(m.server(mode)), must_build(m.client(&m.clients)));
    pair.run();
    ASSERT_TRUE(pair.both_done());
    const auto peer = pair.server.engine->info().peer_certificate;
    ASSERT_NE(peer, nullptr);
    EXPECT_EQ(peer->common_name, "alice");
    EXPECT_EQ(peer->uris, std::vector<std::string>{"spiffe://example/alice"});
  }
}

TEST(ClientCertificate, RequestLetsInWithoutOneButNotWithABadOne) {
  const MutualTls m;
  const auto server = must_build(m.server(ClientCertificates::request));
  Pair without(server, must_build(m.client(nullptr)));
  without.run();
  EXPECT_TRUE(without.both_done());
  EXPECT_EQ(without.server.engine->info().peer_certificate, nullptr);

  Pair stranger(server, must_build(m.client(&m.strangers)));
  stranger.run();
  EXPECT_FALSE(stranger.server.handshake_done);
  EXPECT_EQ(stranger.server.failure().code, Errc::tls_certificate_rejected);

  Pair wrong_usage(server, must_build(m.client(&m.clients, "serverAuth")));
  wrong_usage.run();
  EXPECT_FALSE(wrong_usage.server.handshake_done);
  EXPECT_EQ(wrong_usage.server.failure().code, Errc::tls_certificate_rejected);
}

TEST(ClientCertificate, NoneIgnoresWhatTheClientHas) {
  const MutualTls m;
  Pair pair(must_build(m.authority.server()), must_build(m.client(&m.clients)));
  pair.run();
  EXPECT_TRUE(pair.both_done());
  EXPECT_EQ(pair.server.engine->info().peer_certificate, nullptr);
}

TEST(ClientCertificate, ARevokedOneIsRefused) {
  const MutualTls m;
  auto request = leaf_request({"DNS:alice.example"});
  request.extended_key_usage = "clientAuth";
  const Issued alice = must_issue(request, &m.clients.issued);
  TlsClient client = m.authority.client();
  client.identity = {.chain = PemSource::from_text(testing::pem_of(alice)),
                     .key = PemSource::from_text(testing::key_pem_of(alice))};
  for (const bool revoked : {false, true}) {
    Tls options = m.server(ClientCertificates::required);
    const auto listed = revoked ? std::vector<const Issued*>{&alice} : std::vector<const Issued*>{};
    options.client_crl = PemSource::from_text(testing::crl_of(m.clients.issued, listed));
    Pair pair(must_build(options), must_build(client));
    pair.run();
    EXPECT_EQ(pair.server.handshake_done, !revoked);
    if (revoked) {
      EXPECT_EQ(pair.server.failure().code, Errc::tls_certificate_rejected);
    }
  }
}

TEST(ClientCertificate, NeedsToKnowWhoMayIssueIt) {
  const Authority authority;
  Tls options = authority.server();
  options.client_certificates = ClientCertificates::required;
  const auto built = ServerContext::build(options);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, Errc::tls_configuration);
}

TEST(Tickets, DoNotOutliveAChangeOfWhoMayIssueClientCertificates) {
  const MutualTls m;
  const auto keys = std::make_shared<TicketKeys>();
  const auto client = must_build(m.client(&m.clients));
  const auto session = std::make_shared<ClientSession>();
  const auto connect = [&](const Tls& options) {
    Pair pair(must_build(options, keys), client, "server.example", session);
    pair.run();
    return std::pair{pair.server.handshake_done, pair.server.handshake_done && pair.server.engine->info().resumed};
  };
  EXPECT_EQ(connect(m.server(ClientCertificates::required)), (std::pair{true, false}));
  EXPECT_EQ(connect(m.server(ClientCertificates::required)), (std::pair{true, true}));
  Tls others = m.server(ClientCertificates::required);
  others.client_ca = PemSource::from_text(m.strangers.pem());
  EXPECT_EQ(connect(others), (std::pair{false, false}));
}

TEST(Tickets, CarryTheVerifiedIdentity) {
  const MutualTls m;
  const auto keys = std::make_shared<TicketKeys>();
  const auto server = must_build(m.server(ClientCertificates::required), keys);
  const auto client = must_build(m.client(&m.clients));
  const auto session = std::make_shared<ClientSession>();
  for (const bool resumed : {false, true}) {
    Pair pair(server, client, "server.example", session);
    pair.run();
    ASSERT_TRUE(pair.both_done());
    const TlsInfo info = pair.server.engine->info();
    EXPECT_EQ(info.resumed, resumed);
    ASSERT_NE(info.peer_certificate, nullptr);
    EXPECT_EQ(info.peer_certificate->common_name, "alice");
  }
}

}  // namespace
}  // namespace fairlead::tls
