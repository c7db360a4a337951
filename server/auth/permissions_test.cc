// SPDX-License-Identifier: Apache-2.0
#include "auth/permissions.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::server {
namespace {

struct PersonalChannels : ::testing::Test {
  PersonalChannels() {
    policy.auth.personal_channel = {.enabled = true, .personal_channel_namespace = "", .single_connection = false};
    policy.channel.namespaces["personal"] = {};
    policy.channel.namespaces["x"] = {};
  }
  // The name, or "" when the user has none.
  [[nodiscard]] std::string of(const std::string& user) const { return personal_channel(policy, user).value_or(""); }
  [[nodiscard]] std::string why_not(const std::string& user) const {
    const auto made = personal_channel(policy, user);
    return made ? "" : std::string(made.error());
  }
  // Whether that user alone may subscribe, by the channel's name.
  [[nodiscard]] bool is_limited_to(const std::string& channel, const std::string& user) const {
    const auto known = known_channel(policy, channel);
    return known && is_user_limited(policy, *known) && is_one_of_them(*known, user) && known->name.users->size() == 1;
  }
  Policy policy;
};

TEST_F(PersonalChannels, AreNamedAfterTheirUsers) {
  EXPECT_EQ(of("42"), "#42");
  EXPECT_EQ(of("ada@example.org"), "#ada@example.org");
  policy.auth.personal_channel.personal_channel_namespace = "personal";
  EXPECT_EQ(of("42"), "personal:#42");
}

TEST_F(PersonalChannels, AreNotMadeOfIdsThatWouldBeSeveralUsersOrAnother) {
  for (const char* user : {"a,b", ",a", "a,", "a#b", "#b", "x#,"}) {
    EXPECT_EQ(of(user), "") << user;
    EXPECT_NE(why_not(user).find("a mark of channel names"), std::string::npos) << user;
  }
  policy.auth.personal_channel.personal_channel_namespace = "personal";
  EXPECT_EQ(of("a,b"), "");
  EXPECT_EQ(of("a#b"), "");
}

TEST_F(PersonalChannels, StayInTheNamespaceThatIsMeant) {
  EXPECT_EQ(of("x:y"), "") << "the namespace would be '#x'";
  policy.auth.personal_channel.personal_channel_namespace = "personal";
  EXPECT_EQ(of("x:y"), "personal:#x:y");
  EXPECT_TRUE(is_limited_to("personal:#x:y", "x:y"));
  policy.channel.namespace_boundary = "";
  EXPECT_EQ(of("42"), "") << "there are no namespaces in names";
}

TEST_F(PersonalChannels, AreNotPrivateOnes) {
  policy.channel.private_prefix = "#";
  EXPECT_EQ(of("42"), "");
}

TEST_F(PersonalChannels, NeedIdsThatCanBeInAName) {
  EXPECT_EQ(of(std::string(254, 'a')), "#" + std::string(254, 'a'));
  for (const std::string& user : {std::string(255, 'a'), std::string("J\xC3\xBCrgen"), std::string("a\nb")}) {
    EXPECT_EQ(of(user), "");
    EXPECT_NE(why_not(user).find("printable ASCII"), std::string::npos);
  }
}

TEST_F(PersonalChannels, AreTheirUsersAloneWhateverTheChannelsOptionsAllow) {
  policy.channel.without_namespace.allow_subscribe_for_client = true;
  EXPECT_TRUE(is_limited_to("#42", "42"));
  EXPECT_FALSE(is_limited_to("#42", "7"));
  EXPECT_FALSE(is_limited_to("room#42", "42")) << "not of this form, and such names are not limited here";
  EXPECT_FALSE(is_limited_to("personal:#42", "42")) << "not of this namespace";
  policy.auth.personal_channel.enabled = false;
  EXPECT_FALSE(is_limited_to("#42", "42"));
}

TEST(Overrides, ReplaceOnlyWhatTheyName) {
  ChannelOptions options;
  options.slow_policy = SlowPolicy::drop_oldest;
  options.slow_queue_messages = 5;
  options.slow_sample_per_second = 3;
  const ChannelOptions as_they_were = overridden(options, {});
  EXPECT_EQ(as_they_were.slow_policy, SlowPolicy::drop_oldest);
  EXPECT_EQ(as_they_were.slow_queue_messages, 5U);
  EXPECT_EQ(as_they_were.slow_sample_per_second, 3);
  SubscriptionOverride with;
  with.slow_policy = SlowPolicy::conflate;
  with.slow_sample_per_second = 0.5;
  const ChannelOptions other = overridden(options, with);
  EXPECT_EQ(other.slow_policy, SlowPolicy::conflate);
  EXPECT_EQ(other.slow_queue_messages, 5U);
  EXPECT_EQ(other.slow_sample_per_second, 0.5);
}

}  // namespace
}  // namespace fairlead::server
