// SPDX-License-Identifier: Apache-2.0
// The development CA: what it may sign, who may read it, when it renews.
#include "tls/dev_certificate.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tls/pem.h"
#include "tls/testing.h"

namespace fairlead::tls {
namespace {

using testing::Directory;
using testing::must_build;
using testing::Pair;
using Perms = std::filesystem::perms;

std::chrono::system_clock::time_point today() { return std::chrono::system_clock::now(); }

DevelopmentCertificate ensure(const std::string& directory, std::chrono::system_clock::time_point now) {
  auto made = ensure_development_certificate_at(directory, now);
  EXPECT_TRUE(made) << to_string(made.error());
  return *made;
}

std::string read(const std::string& path) { return read_file(path, "file").value_or(""); }

TEST(DevelopmentCertificate, ServesLocalhostToWhoTrustsTheAuthority) {
  const Directory directory;
  const std::string place = directory.file("fairlead");
  const auto server = must_build(Tls::development(place));
  TlsClient trusting;
  trusting.ca = PemSource::from_file(place + "/ca.pem");
  const auto client = must_build(trusting);
  for (const char* host : {"localhost", "127.0.0.1", "::1", "LOCALHOST"}) {
    Pair pair(server, client, host);
    pair.run();
    EXPECT_TRUE(pair.both_done()) << host << ": " << (pair.client.failed ? to_string(pair.client.failure()) : "");
  }
  for (const char* host : {"127.0.0.2", "localhost.example", "example"}) {
    Pair pair(server, client, host);
    pair.run();
    EXPECT_FALSE(pair.client.handshake_done) << host;
  }
  Pair stranger(server, must_build(TlsClient{}), "localhost");
  stranger.run();
  EXPECT_FALSE(stranger.client.handshake_done);
}

TEST(DevelopmentCertificate, KeysAreForTheOwnerAlone) {
  const Directory directory;
  const std::string place = directory.file("deep/er/fairlead");
  const auto made = ensure(place, today());
  const auto mode = [](const std::string& path) { return std::filesystem::status(path).permissions(); };
  EXPECT_EQ(mode(place), Perms::owner_all);
  EXPECT_EQ(mode(made.key_file), Perms::owner_read | Perms::owner_write);
  EXPECT_EQ(mode(place + "/ca-key.pem"), Perms::owner_read | Perms::owner_write);
  std::filesystem::permissions(place, Perms::all);
  (void)ensure(place, today());
  EXPECT_EQ(mode(place), Perms::owner_all) << "an open directory is closed again";
}

TEST(DevelopmentCertificate, IsReusedUntilAThirdOfItsLifeIsLeft) {
  const Directory directory;
  const auto start = today();
  const auto first = ensure(directory.file("d"), start);
  EXPECT_TRUE(first.ca_created);
  EXPECT_TRUE(first.leaf_created);
  const auto at = [&](int days) { return ensure(directory.file("d"), start + std::chrono::days{days}); };
  const std::string leaf = read(first.chain_file);
  EXPECT_FALSE(at(1).leaf_created);
  EXPECT_FALSE(at(59).leaf_created);
  EXPECT_EQ(read(first.chain_file), leaf);
  const auto renewed = at(61);
  EXPECT_TRUE(renewed.leaf_created);
  EXPECT_FALSE(renewed.ca_created);
  EXPECT_EQ(renewed.ca_sha256, first.ca_sha256);
  EXPECT_NE(read(first.chain_file), leaf);
  EXPECT_FALSE(at(600).ca_created);
  const auto later = at(700);
  EXPECT_TRUE(later.ca_created) << "a whole leaf no longer fits";
  EXPECT_TRUE(later.leaf_created);
  EXPECT_NE(later.ca_sha256, first.ca_sha256);
}

TEST(DevelopmentCertificate, WhatIsDamagedIsMadeAnew) {
  const Directory directory;
  const auto first = ensure(directory.file("d"), today());
  std::ofstream(first.key_file) << "broken";
  const auto second = ensure(directory.file("d"), today());
  EXPECT_TRUE(second.leaf_created);
  EXPECT_FALSE(second.ca_created);
  std::filesystem::remove(first.ca_file);
  const auto third = ensure(directory.file("d"), today());
  EXPECT_TRUE(third.ca_created);
  EXPECT_TRUE(third.leaf_created) << "the old leaf is of another CA";
}

TEST(DevelopmentCertificate, LooksAsVerifiersWantIt) {
  const Directory directory;
  const auto made = ensure(directory.file("d"), today());
  const auto ca = inspect_file(made.ca_file)->front();
  EXPECT_TRUE(ca.is_ca);
  EXPECT_TRUE(ca.self_signed);
  EXPECT_EQ(ca.key_type, "EC P-256");
  EXPECT_EQ(ca.key_usages, (std::vector<std::string>{"certificate signing", "CRL signing"}));
  EXPECT_LE(ca.valid_until - ca.valid_from, std::chrono::days{825});
  EXPECT_EQ(ca.info.sha256, made.ca_sha256);

  const auto leaf = inspect_file(made.chain_file)->front();
  EXPECT_FALSE(leaf.is_ca);
  EXPECT_EQ(leaf.info.dns_names, std::vector<std::string>{"localhost"});
  EXPECT_EQ(leaf.info.ip_addresses, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(leaf.extended_key_usages, std::vector<std::string>{"TLS Web Server Authentication"});
  EXPECT_EQ(leaf.key_usages, std::vector<std::string>{"digital signature"});
  EXPECT_EQ(leaf.info.issuer, ca.info.subject);
  EXPECT_LE(leaf.valid_until - leaf.valid_from, std::chrono::days{90} + std::chrono::hours{1});
  EXPECT_TRUE(chain_warnings({leaf, ca}, today()).empty());
}

TEST(DevelopmentCertificate, TheAuthorityCannotImpersonateAnybodyElse) {
  const Directory directory;
  const auto made = ensure(directory.file("d"), today());
  auto ca_certificates = parse_certificates(read(made.ca_file));
  auto ca_key = parse_key(read(made.directory + "/ca-key.pem"));
  const Issued stolen{.certificate = std::move(ca_certificates->front()), .key = std::move(*ca_key)};
  const Issued forged = testing::must_issue(testing::leaf_request({"DNS:bank.example"}), &stolen);
  TlsClient trusting;
  trusting.ca = PemSource::from_file(made.ca_file);
  Pair pair(must_build(Tls::pem(testing::pem_of(forged), testing::key_pem_of(forged))), must_build(trusting),
            "bank.example");
  pair.run();
  ASSERT_TRUE(pair.client.failed);
  EXPECT_EQ(pair.client.failure().code, Errc::tls_certificate_rejected);
}

TEST(DevelopmentCertificate, TrustInstructionsNameTheFileAndEachStore) {
  const Directory directory;
  const auto made = ensure(directory.file("d"), today());
  const std::string text = trust_instructions(made);
  for (const std::string_view wanted : {"update-ca-certificates", "certutil", "Firefox", "undo"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted;
  }
  EXPECT_NE(text.find(made.ca_file), std::string::npos);
  EXPECT_NE(text.find(made.ca_sha256), std::string::npos);
}

TEST(DevelopmentCertificate, AnUnusableDirectoryIsAnError) {
  const Directory directory;
  const std::string file = directory.write("file", "not a directory");
  EXPECT_FALSE(ensure_development_certificate_at(file, today()));
  EXPECT_FALSE(ensure_development_certificate_at(file + "/below", today()));
}

// ── Inspection ──────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Inspection, SkipsKeysAndKeepsTheOrder) {
  const testing::Authority authority;
  const Issued leaf = testing::must_issue(testing::leaf_request({"DNS:a.example", "IP:10.0.0.1"}), &authority.issued);
  const auto chain = inspect_pem("a comment\n" + testing::key_pem_of(leaf) + testing::pem_of(leaf) + authority.pem());
  ASSERT_TRUE(chain) << to_string(chain.error());
  ASSERT_EQ(chain->size(), 2U);
  EXPECT_EQ(chain->front().info.dns_names, std::vector<std::string>{"a.example"});
  EXPECT_EQ(chain->front().info.spki_sha256.size(), 44U);
  EXPECT_EQ(chain->front().days_left(today()), std::chrono::days{29});
  EXPECT_EQ(chain->front().signature_algorithm, "ecdsa-with-SHA256");
  EXPECT_TRUE(chain->back().is_ca);
  EXPECT_FALSE(inspect_pem(""));
  EXPECT_FALSE(inspect_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

TEST(Inspection, WarnsOfWhatGoesWrongSoon) {
  const testing::Authority authority;
  auto request = testing::leaf_request({});
  request.extended_key_usage = "clientAuth";
  const auto warnings = [&](const Issued& leaf, const std::string& rest, int days) {
    return chain_warnings(*inspect_pem(testing::pem_of(leaf) + rest), today() + std::chrono::days{days});
  };
  EXPECT_EQ(warnings(testing::must_issue(request, &authority.issued), {}, 0).size(), 2U);
  const Issued good = testing::must_issue(testing::leaf_request({"DNS:a.example"}), &authority.issued);
  EXPECT_TRUE(warnings(good, {}, 0).empty());
  EXPECT_EQ(warnings(good, {}, 25).size(), 1U);
  EXPECT_EQ(warnings(good, {}, 40).size(), 1U);
  EXPECT_EQ(warnings(good, testing::Authority("Somebody else").pem(), 0).size(), 1U);
}

}  // namespace
}  // namespace fairlead::tls
