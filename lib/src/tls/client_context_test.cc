// SPDX-License-Identifier: Apache-2.0
// What a client must not accept (CVE-2020-11050, CVE-2020-15133 and -15134 are clients that did).
#include <fairlead/certificate.h>
#include <gtest/gtest.h>

#include "tls/testing.h"

namespace fairlead::tls {
namespace {

using testing::Authority;
using testing::ca_request;
using testing::days_from_now;
using testing::key_pem_of;
using testing::leaf_request;
using testing::must_build;
using testing::must_issue;
using testing::Pair;
using testing::pem_of;

// A server that shows anything: our own would refuse to start with most of these.
struct BadServer {
  std::string chain;
  std::string key;
};

BadServer shows(const Issued& leaf, const std::string& rest = {}) { return {pem_of(leaf) + rest, key_pem_of(leaf)}; }

// The client's verdict on the chain; empty: accepted.
std::optional<Error> verdict(const BadServer& server, const TlsClient& options, std::string_view host) {
  testing::PlainServer plain(server.chain, server.key);
  Scratch scratch;
  testing::End client;
  client.engine = make_engine(must_build(options), scratch, host);
  plain.run(client);
  EXPECT_EQ(client.failed.has_value(), !client.handshake_done);
  if (client.failed) {
    EXPECT_FALSE(plain.done && plain.problem.empty()) << "the server hears of it";
  }
  return client.failed;
}

void expect_rejected(const std::optional<Error>& error, Errc code, std::string_view words) {
  ASSERT_TRUE(error);
  const Error found = error.value_or(Error{});
  EXPECT_EQ(found.code, code) << found.detail;
  EXPECT_NE(found.detail.find(words), std::string::npos) << found.detail;
}

TEST(BadCertificate, TheGoodOneIsAccepted) {
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  EXPECT_FALSE(verdict(shows(leaf), authority.client(), "server.example"));
  EXPECT_FALSE(verdict(shows(leaf), authority.client(), "SERVER.example."));
}

TEST(BadCertificate, Expired) {
  const Authority authority;
  auto request = leaf_request({"DNS:server.example"});
  request.valid_from = days_from_now(-9);
  request.valid_until = days_from_now(-1);
  const auto error = verdict(shows(must_issue(request, &authority.issued)), authority.client(), "server.example");
  expect_rejected(error, Errc::tls_certificate_rejected, "expired");
}

TEST(BadCertificate, NotYetValid) {
  const Authority authority;
  auto request = leaf_request({"DNS:server.example"});
  request.valid_from = days_from_now(1);
  const auto error = verdict(shows(must_issue(request, &authority.issued)), authority.client(), "server.example");
  expect_rejected(error, Errc::tls_certificate_rejected, "not yet valid");
}

TEST(BadCertificate, ForAnotherHostSaysForWhich) {
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:a.example", "DNS:*.b.example"}), &authority.issued);
  const auto error = verdict(shows(leaf), authority.client(), "server.example");
  expect_rejected(error, Errc::tls_host_mismatch, "a.example, *.b.example");
}

struct HostCase {
  std::string name;
  std::string host;
  bool good;
};

TEST(BadCertificate, HostNameMatrix) {
  const Authority authority;
  for (const HostCase& one :
       {HostCase{"DNS:*.b.example", "x.b.example", true}, HostCase{"DNS:*.b.example", "x.y.b.example", false},
        HostCase{"DNS:*.b.example", "b.example", false}, HostCase{"DNS:x*.b.example", "xy.b.example", false},
        HostCase{"DNS:a.example", "a.example.evil.test", false}, HostCase{"DNS:a.example", "aa.example", false},
        HostCase{"IP:127.0.0.1", "127.0.0.1", true}, HostCase{"IP:127.0.0.1", "127.0.0.2", false},
        HostCase{"DNS:127.0.0.1", "127.0.0.1", false}, HostCase{"IP:0:0:0:0:0:0:0:1", "::1", true},
        HostCase{"IP:0:0:0:0:0:0:0:1", "[::1]", true}, HostCase{"IP:0:0:0:0:0:0:0:1", "::2", false}}) {
    const Issued leaf = must_issue(leaf_request({one.name}), &authority.issued);
    const auto error = verdict(shows(leaf), authority.client(), one.host);
    EXPECT_EQ(!error.has_value(), one.good) << one.name << " for " << one.host;
    if (error) {
      EXPECT_EQ(error->code, Errc::tls_host_mismatch) << error->detail;
    }
  }
}

TEST(BadCertificate, TheCommonNameIsNoHostName) {
  const Authority authority;
  auto request = leaf_request({});
  request.common_name = "server.example";
  const auto error = verdict(shows(must_issue(request, &authority.issued)), authority.client(), "server.example");
  expect_rejected(error, Errc::tls_host_mismatch, "no subjectAltName");
}

TEST(BadCertificate, SelfSigned) {
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), nullptr);
  const auto error = verdict(shows(leaf), authority.client(), "server.example");
  expect_rejected(error, Errc::tls_certificate_rejected, "self");
}

TEST(BadCertificate, OfAnotherAuthority) {
  const Authority authority;
  const Authority other("Other CA");
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &other.issued);
  expect_rejected(verdict(shows(leaf, other.pem()), authority.client(), "server.example"),
                  Errc::tls_certificate_rejected, "self-signed certificate in certificate chain");
}

TEST(BadCertificate, OfAnImpostorWithTheSameName) {
  const Authority authority;
  const Authority impostor;
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &impostor.issued);
  EXPECT_TRUE(verdict(shows(leaf), authority.client(), "server.example"));
}

TEST(BadCertificate, SystemStoreDoesNotKnowATestAuthority) {
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  expect_rejected(verdict(shows(leaf), TlsClient{}, "server.example"), Errc::tls_certificate_rejected, "issuer");
}

TEST(BadCertificate, WrongExtendedKeyUsage) {
  const Authority authority;
  auto request = leaf_request({"DNS:server.example"});
  request.extended_key_usage = "clientAuth";
  const auto error = verdict(shows(must_issue(request, &authority.issued)), authority.client(), "server.example");
  expect_rejected(error, Errc::tls_certificate_rejected, "purpose");
}

TEST(BadCertificate, OutsideTheNameConstraints) {
  auto request = ca_request("Constrained CA");
  request.permitted_names = {"DNS:inside.example", "IP:127.0.0.0/255.0.0.0"};
  const Issued ca = must_issue(request, nullptr);
  TlsClient options;
  options.ca = PemSource::from_text(pem_of(ca));
  const Issued inside = must_issue(leaf_request({"DNS:a.inside.example"}), &ca);
  EXPECT_FALSE(verdict(shows(inside), options, "a.inside.example"));
  const Issued outside = must_issue(leaf_request({"DNS:server.example"}), &ca);
  expect_rejected(verdict(shows(outside), options, "server.example"), Errc::tls_certificate_rejected, "subtree");
  const Issued outside_ip = must_issue(leaf_request({"IP:10.0.0.1"}), &ca);
  expect_rejected(verdict(shows(outside_ip), options, "10.0.0.1"), Errc::tls_certificate_rejected, "subtree");
}

TEST(BadCertificate, MissingIntermediate) {
  const Authority authority;
  const Issued intermediate = must_issue(ca_request("Intermediate"), &authority.issued);
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &intermediate);
  EXPECT_FALSE(verdict(shows(leaf, pem_of(intermediate)), authority.client(), "server.example"));
  expect_rejected(verdict(shows(leaf), authority.client(), "server.example"), Errc::tls_certificate_rejected,
                  "intermediate");
}

TEST(BadCertificate, SignedByALeaf) {
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:mine.example"}), &authority.issued);
  const Issued forged = must_issue(leaf_request({"DNS:server.example"}), &leaf);
  EXPECT_TRUE(verdict(shows(forged, pem_of(leaf)), authority.client(), "server.example"));
}

TEST(BadCertificate, Revoked) {
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  TlsClient options = authority.client();
  options.crl = PemSource::from_text(testing::crl_of(authority.issued, {}));
  EXPECT_FALSE(verdict(shows(leaf), options, "server.example"));
  options.crl = PemSource::from_text(testing::crl_of(authority.issued, {&leaf}));
  expect_rejected(verdict(shows(leaf), options, "server.example"), Errc::tls_certificate_rejected, "revoked");
}

TEST(BadCertificate, ServerNameOverridesTheHost) {
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  TlsClient options = authority.client();
  options.server_name = "server.example";
  EXPECT_FALSE(verdict(shows(leaf), options, "10.1.2.3"));
  options.server_name = "other.example";
  expect_rejected(verdict(shows(leaf), options, "server.example"), Errc::tls_host_mismatch, "other.example");
}

TEST(Insecure, AcceptsAnythingButShowsNoIdentity) {
  const Authority authority;
  TlsClient options;
  options.dangerously_disable_certificate_verification = true;
  Pair pair(must_build(authority.server()), must_build(options), "elsewhere.example");
  pair.run();
  ASSERT_TRUE(pair.both_done());
  EXPECT_EQ(pair.client.engine->info().peer_certificate, nullptr);
}

// ── Pins ────────────────────────────────────────────────────────────────────────────────────────────────────────────

std::string pin_of(const Issued& issued) { return inspect_pem(pem_of(issued))->front().info.spki_sha256; }

TEST(Pins, OneOfTheChainMustMatch) {
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  const Issued other = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  TlsClient options = authority.client();
  for (const Issued* good : {&leaf, &authority.issued}) {
    options.pins = {pin_of(other), pin_of(*good)};
    EXPECT_FALSE(verdict(shows(leaf), options, "server.example"));
  }
  options.pins = {pin_of(other)};
  expect_rejected(verdict(shows(leaf), options, "server.example"), Errc::tls_pin_mismatch, pin_of(leaf));
}

TEST(Pins, AreNoSubstituteForVerification) {
  const Authority authority;
  const Issued stranger = must_issue(leaf_request({"DNS:server.example"}), nullptr);
  TlsClient options = authority.client();
  options.pins = {pin_of(stranger)};
  EXPECT_TRUE(verdict(shows(stranger), options, "server.example"));
}

TEST(Pins, WithoutVerificationOnlyTheServersOwnKeyCounts) {
  const Authority authority;
  const Issued stranger = must_issue(leaf_request({"DNS:server.example"}), nullptr);
  TlsClient options;
  options.dangerously_disable_certificate_verification = true;
  options.pins = {pin_of(stranger)};
  EXPECT_FALSE(verdict(shows(stranger), options, "server.example"));
  options.pins = {pin_of(authority.issued)};
  // The authority's certificate is public: anybody can append it.
  expect_rejected(verdict(shows(stranger, authority.pem()), options, "server.example"), Errc::tls_pin_mismatch, "");
}

TEST(Pins, OfTheWrongShapeAreRefused) {
  TlsClient options;
  options.pins = {"too short"};
  EXPECT_FALSE(ClientContext::build(options));
}

// ── Names in the ClientHello ────────────────────────────────────────────────────────────────────────────────────────

TEST(Sni, IsSentForNamesAndNeverForAddresses) {
  const Authority authority;
  const auto server = must_build(
      Tls::several({authority.identity(leaf_request({"DNS:server.example", "IP:127.0.0.1", "IP:0:0:0:0:0:0:0:1"}))}));
  const auto client = must_build(authority.client());
  const auto seen = [&](std::string_view host) {
    Pair pair(server, client, host);
    pair.run();
    EXPECT_TRUE(pair.both_done()) << host;
    return pair.server.engine->info().server_name;
  };
  EXPECT_EQ(seen("server.example"), "server.example");
  EXPECT_EQ(seen("127.0.0.1"), "");
  EXPECT_EQ(seen("::1"), "");
}

TEST(ClientOptions, AreCheckedWhenBuilt) {
  TlsClient options;
  options.ca = PemSource::from_file("/nonexistent/ca.pem");
  auto built = ClientContext::build(options);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, Errc::tls_configuration);
  EXPECT_NE(built.error().detail.find("/nonexistent/ca.pem"), std::string::npos);
  options.ca = PemSource::from_text("no PEM at all");
  EXPECT_FALSE(ClientContext::build(options));
}

TEST(ServerName, ThatIsNoNameIsRefusedInsteadOfTrustingEverybody) {
  const Authority authority;
  for (const std::string& name : {std::string("."), std::string("%:"), std::string("[]"), std::string("a b"),
                                  std::string("a\0b", 3), std::string(256, 'a')}) {
    TlsClient options = authority.client();
    options.server_name = name;
    const auto built = ClientContext::build(options);
    ASSERT_FALSE(built) << name;
    EXPECT_EQ(built.error().code, Errc::tls_configuration);
  }
}

}  // namespace
}  // namespace fairlead::tls
