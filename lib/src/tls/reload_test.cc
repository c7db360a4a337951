// SPDX-License-Identifier: Apache-2.0
// Certificates that change under a running server.
#include "tls/reload.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tls/pem.h"
#include "tls/testing.h"
#include "tls/ticket_keys.h"

namespace fairlead::tls {
namespace {

using testing::Authority;
using testing::ca_request;
using testing::days_from_now;
using testing::Directory;
using testing::key_pem_of;
using testing::leaf_request;
using testing::must_build;
using testing::must_issue;
using testing::Pair;
using testing::pem_of;

struct Site {
  Directory directory;
  Authority authority;
  std::string chain_file = directory.file("chain.pem");
  std::string key_file = directory.file("key.pem");

  Site() { publish("first"); }

  // As a renewal does it: new files, renamed over the old ones.
  void publish(const std::string& common_name) const {
    auto request = leaf_request({"DNS:server.example"});
    request.common_name = common_name;
    const Issued leaf = must_issue(request, &authority.issued);
    replace(pem_of(leaf), key_pem_of(leaf));
  }
  void replace(const std::string& chain, const std::string& key) const {
    std::filesystem::rename(directory.write("new-key.pem", key), key_file);
    std::filesystem::rename(directory.write("new-chain.pem", chain), chain_file);
  }
  [[nodiscard]] Tls options() const { return Tls::files(chain_file, key_file); }
  [[nodiscard]] std::unique_ptr<ReloadableContext> open() const {
    auto opened = ReloadableContext::open(options());
    EXPECT_TRUE(opened) << to_string(opened.error());
    return std::move(*opened);
  }
  [[nodiscard]] std::string shown_by(const std::shared_ptr<const ServerContext>& context) const {
    Pair pair(context, must_build(authority.client()));
    pair.run();
    EXPECT_TRUE(pair.both_done());
    return pair.client.engine->info().peer_certificate->common_name;
  }
};

TEST(Reload, NewHandshakesShowTheNewCertificateAndOpenConnectionsGoOn) {
  const Site site;
  const auto context = site.open();
  Pair open(context->current(), must_build(site.authority.client()));
  Pair halfway(context->current(), must_build(site.authority.client()));
  open.run();
  site.publish("second");
  EXPECT_EQ(context->reload_if_changed(), Result<bool>(true));
  EXPECT_EQ(site.shown_by(context->current()), "second");

  open.client.send("still the same connection");
  open.run();
  EXPECT_EQ(open.server.plaintext, "still the same connection");
  halfway.run();
  EXPECT_EQ(halfway.client.engine->info().peer_certificate->common_name, "first");
}

TEST(Reload, HappensOncePerChange) {
  const Site site;
  const auto context = site.open();
  EXPECT_EQ(context->reload_if_changed(), Result<bool>(false));
  site.publish("second");
  EXPECT_EQ(context->reload_if_changed(), Result<bool>(true));
  EXPECT_EQ(context->reload_if_changed(), Result<bool>(false));
}

TEST(Reload, SeesASymbolicLinkMove) {
  const Site site;
  const Directory elsewhere;
  const std::string link = elsewhere.file("live.pem");
  std::filesystem::create_symlink(site.chain_file, link);
  FileWatch watch({link});
  EXPECT_FALSE(watch.changed());
  const std::string next = elsewhere.write("next.pem", "x");
  std::filesystem::remove(link);
  std::filesystem::create_symlink(next, link);
  EXPECT_TRUE(watch.changed());
  EXPECT_FALSE(watch.changed());
  std::filesystem::remove(next);
  EXPECT_TRUE(watch.changed()) << "a file that vanishes has changed";
}

struct Broken {
  std::string why;
  std::string chain;
  std::string key;
};

std::vector<Broken> broken_replacements(const Authority& authority) {
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  const Issued other = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  const Issued intermediate = must_issue(ca_request("Intermediate"), &authority.issued);
  const Issued below = must_issue(leaf_request({"DNS:server.example"}), &intermediate);
  auto old_request = leaf_request({"DNS:server.example"});
  old_request.valid_from = days_from_now(-30);
  old_request.valid_until = days_from_now(-1);
  const Issued expired = must_issue(old_request, &authority.issued);
  auto early_request = leaf_request({"DNS:server.example"});
  early_request.valid_from = days_from_now(2);
  const Issued early = must_issue(early_request, &authority.issued);
  const Issued weak = testing::must_issue_rsa(leaf_request({"DNS:server.example"}), &authority.issued, 1024);
  return {
      {"does not belong", pem_of(leaf), key_pem_of(other)},
      {"expired", pem_of(expired), key_pem_of(expired)},
      {"not valid before", pem_of(early), key_pem_of(early)},
      {"did not issue", pem_of(below) + authority.pem() + pem_of(intermediate), key_pem_of(below)},
      {"did not issue", pem_of(leaf) + pem_of(intermediate), key_pem_of(leaf)},
      {"does not belong", pem_of(intermediate) + pem_of(below), key_pem_of(below)},
      {"1024 bits", pem_of(weak), key_pem_of(weak)},
      {"no certificate", "", key_pem_of(leaf)},
      {"no certificate", "hello", key_pem_of(leaf)},
      {"does not parse", pem_of(leaf).substr(0, 200) + "\n-----END CERTIFICATE-----\n", key_pem_of(leaf)},
      {"no private key", pem_of(leaf), pem_of(leaf)},
      {"encrypted", pem_of(leaf), testing::encrypted_key_pem_of(leaf)},
  };
}

TEST(Reload, ABrokenReplacementIsRefusedAndTheOldOneStays) {
  const Site site;
  const auto context = site.open();
  const auto before = context->current();
  for (const Broken& one : broken_replacements(site.authority)) {
    site.replace(one.chain, one.key);
    const auto reloaded = context->reload_if_changed();
    ASSERT_FALSE(reloaded) << one.why;
    EXPECT_EQ(reloaded.error().code, Errc::tls_configuration);
    EXPECT_NE(reloaded.error().detail.find(one.why), std::string::npos) << reloaded.error().detail;
    EXPECT_EQ(context->reload_if_changed(), Result<bool>(false)) << "reported once";
    EXPECT_FALSE(context->reload()) << "unless asked for";
    EXPECT_EQ(context->current(), before);
    EXPECT_EQ(site.shown_by(context->current()), "first");
  }
  site.publish("repaired");
  EXPECT_EQ(context->reload_if_changed(), Result<bool>(true));
  EXPECT_EQ(site.shown_by(context->current()), "repaired");
}

TEST(Reload, AMissingFileIsNamed) {
  const Site site;
  const auto context = site.open();
  std::filesystem::remove(site.key_file);
  const auto reloaded = context->reload_if_changed();
  ASSERT_FALSE(reloaded);
  EXPECT_NE(reloaded.error().detail.find(site.key_file), std::string::npos) << reloaded.error().detail;
  EXPECT_EQ(site.shown_by(context->current()), "first");
}

TEST(Reload, OptionsAreReplacedAsAWhole) {
  const Site site;
  const auto context = site.open();
  const auto before = context->current();
  EXPECT_FALSE(context->replace(Tls::files("/nonexistent", "/nonexistent")));
  EXPECT_EQ(context->current(), before);
  EXPECT_TRUE(context->replace(site.authority.server()));
  EXPECT_NE(context->current(), before);
  EXPECT_TRUE(context->current()->files().empty());
  site.publish("not watched any more");
  EXPECT_EQ(context->reload_if_changed(), Result<bool>(false));
}

TEST(Reload, KeepsTheTicketKeys) {
  const Site site;
  const auto context = site.open();
  const auto keys = context->current()->tickets();
  ASSERT_TRUE(context->reload());
  EXPECT_EQ(context->current()->tickets(), keys);
  const TimePoint start{};
  EXPECT_FALSE(context->rotate_tickets_if_due(start));
  EXPECT_TRUE(context->rotate_tickets_if_due(start + keys->life()));
}

std::unique_ptr<ReloadableContext> open_development(const std::string& directory) {
  auto opened = ReloadableContext::open(Tls::development(directory));
  EXPECT_TRUE(opened) << to_string(opened.error());
  return std::move(*opened);
}

// A server that runs for months must not end up with an expired certificate that a restart would have renewed.
TEST(Reload, RenewsTheDevelopmentCertificateLongBeforeItEnds) {
  const Directory directory;
  const auto context = open_development(directory.file("dev"));
  const auto now = std::chrono::system_clock::now();
  const std::string authority = *read_file(directory.file("dev/ca.pem"), "CA");
  const std::string first = *read_file(directory.file("dev/localhost.pem"), "leaf");
  const auto before = context->current();

  EXPECT_EQ(context->reload_if_changed(now + std::chrono::days(59)), Result<bool>(false));
  EXPECT_EQ(context->reload_if_changed(now + std::chrono::days(61)), Result<bool>(true));
  EXPECT_NE(context->current(), before);
  EXPECT_NE(*read_file(directory.file("dev/localhost.pem"), "leaf"), first);
  EXPECT_EQ(*read_file(directory.file("dev/ca.pem"), "CA"), authority) << "nobody has to trust it anew";
  EXPECT_EQ(context->reload_if_changed(now + std::chrono::days(61)), Result<bool>(false)) << "once";
  ASSERT_TRUE(context->current()->renew_at());
  EXPECT_GT(*context->current()->renew_at(), now + std::chrono::days(120));
}

TEST(Reload, ARenewalThatFailsKeepsTheOldCertificateAndIsNotTriedOnEachLook) {
  const Directory directory;
  const auto context = open_development(directory.file("dev"));
  const auto due = std::chrono::system_clock::now() + std::chrono::days(61);
  const auto before = context->current();
  std::filesystem::remove_all(directory.file("dev"));
  (void)directory.write("dev", "a file where the directory was");
  EXPECT_FALSE(context->reload_if_changed(due));
  EXPECT_EQ(context->reload_if_changed(due + std::chrono::seconds(10)), Result<bool>(false));
  EXPECT_FALSE(context->reload_if_changed(due + std::chrono::hours(2)));
  EXPECT_EQ(context->current(), before);
}

TEST(ServerOptions, WithoutACertificateAreRefused) {
  const auto built = ServerContext::build(Tls{});
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, Errc::tls_configuration);
}

TEST(ServerOptions, AChainMayEndInItsRoot) {
  const Authority authority;
  const Issued leaf = must_issue(leaf_request({"DNS:server.example"}), &authority.issued);
  EXPECT_TRUE(ServerContext::build(Tls::pem(pem_of(leaf) + authority.pem(), key_pem_of(leaf))));
}

}  // namespace
}  // namespace fairlead::tls
