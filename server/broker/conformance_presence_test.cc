// SPDX-License-Identifier: Apache-2.0
// Who is in a channel.
#include "broker/conformance.h"

namespace fairlead::server {

using namespace std::chrono_literals;

TEST_P(EngineConformance, MembersComeAndGo) {
  EXPECT_TRUE(members().empty());
  const ClientInfo ada{"ada", "c1", R"({"name":"Ada"})", std::string("\0\xff", 2)};
  const ClientInfo bob{"bob", "c2", "", ""};
  add_member(ada);
  add_member(bob);
  EXPECT_EQ(members(), (Presence{{"c1", ada}, {"c2", bob}}));
  EXPECT_TRUE(members("elsewhere").empty());
  remove_member("c1");
  remove_member("c1");
  remove_member("never was");
  EXPECT_EQ(members(), (Presence{{"c2", bob}}));
}

TEST_P(EngineConformance, AddingAgainReplaces) {
  add_member({"ada", "c1", "old", ""});
  add_member({"ada", "c1", "new", ""});
  ASSERT_EQ(members().size(), 1u);
  EXPECT_EQ(members()["c1"].conn_info, "new");
}

TEST_P(EngineConformance, StatsCountClientsAndUsers) {
  EXPECT_EQ(stats(), PresenceStats{});
  add_member({"ada", "c1", "", ""});
  add_member({"ada", "c2", "", ""});
  add_member({"bob", "c3", "", ""}, 10s);
  EXPECT_EQ(stats(), (PresenceStats{3, 2}));
  advance(10s);
  EXPECT_EQ(stats(), (PresenceStats{2, 1}));
}

TEST_P(EngineConformance, AMemberThatIsNotRenewedDisappears) {
  add_member({"ada", "c1", "", ""}, 10s);
  add_member({"bob", "c2", "", ""}, 10s);
  advance(9999ms);
  add_member({"ada", "c1", "", ""}, 10s);
  EXPECT_EQ(members().size(), 2u);
  advance(1ms);
  EXPECT_EQ(members().size(), 1u);
  EXPECT_TRUE(members().contains("c1"));
  advance(9999ms);
  EXPECT_TRUE(members().empty());
}

TEST_P(EngineConformance, PresenceAndHistoryEndApart) {
  PublishOptions options = kept(10, 1s);
  options.history_meta_ttl = 5s;
  const std::string epoch = published("room", "1", options).epoch;
  add_member({"ada", "c1", "", ""}, 60s);
  advance(5s);
  EXPECT_NE(top("room").epoch, epoch);
  EXPECT_EQ(members().size(), 1u);
}

}  // namespace fairlead::server
