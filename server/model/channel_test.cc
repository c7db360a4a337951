// SPDX-License-Identifier: Apache-2.0
#include "model/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ChannelSettings with_namespaces() {
  ChannelSettings settings;
  settings.namespaces["news"].presence = true;
  return settings;
}

TEST(ChannelName, NamespaceIsBeforeTheFirstBoundary) {
  const ChannelName name = parse_channel("news:sports:today", {});
  EXPECT_EQ(name.name_space, "news");
  EXPECT_EQ(name.rest, "sports:today");
  EXPECT_FALSE(name.is_private);
  EXPECT_FALSE(name.users);
  EXPECT_EQ(parse_channel("sports", {}).name_space, "");
  EXPECT_EQ(parse_channel("sports", {}).rest, "sports");
}

TEST(ChannelName, PrivatePrefixIsNotPartOfTheNamespace) {
  const ChannelName name = parse_channel("$news:sports", {});
  EXPECT_TRUE(name.is_private);
  EXPECT_EQ(name.name_space, "news");
  EXPECT_EQ(name.rest, "sports");
  EXPECT_FALSE(parse_channel("news:$sports", {}).is_private);
}

TEST(ChannelName, UsersStandBehindTheLastUserBoundary) {
  EXPECT_THAT(*parse_channel("dialog#42,43", {}).users, ElementsAre("42", "43"));
  EXPECT_THAT(*parse_channel("news:a#b#7", {}).users, ElementsAre("7"));
  EXPECT_THAT(*parse_channel("#42", {}).users, ElementsAre("42"));
  EXPECT_EQ(parse_channel("news:a#7", {}).name_space, "news");
}

TEST(ChannelName, UserWithoutANameIsNobody) {
  EXPECT_THAT(*parse_channel("#", {}).users, IsEmpty());
  EXPECT_THAT(*parse_channel("a#,7,,", {}).users, ElementsAre("7"));
}

TEST(ChannelName, BoundariesAreConfigurable) {
  ChannelSettings settings;
  settings.private_prefix = "private-";
  settings.namespace_boundary = "::";
  settings.user_boundary = "@@";
  settings.user_separator = "||";
  const ChannelName name = parse_channel("private-news::a:b@@1||2", settings);
  EXPECT_TRUE(name.is_private);
  EXPECT_EQ(name.name_space, "news");
  EXPECT_THAT(*name.users, ElementsAre("1", "2"));
}

TEST(ChannelName, EmptyBoundaryMeansNone) {
  ChannelSettings settings;
  settings.private_prefix = settings.namespace_boundary = settings.user_boundary = settings.user_separator = "";
  const ChannelName name = parse_channel("$a:b#c", settings);
  EXPECT_FALSE(name.is_private);
  EXPECT_EQ(name.name_space, "");
  EXPECT_EQ(name.rest, "$a:b#c");
  EXPECT_FALSE(name.users);
}

TEST(ChannelName, IsPrintableAsciiOfBoundedLength) {
  ChannelSettings settings;
  settings.max_length = 5;
  EXPECT_TRUE(is_channel_name("a b~c", settings));
  EXPECT_FALSE(is_channel_name("abcdef", settings));
  EXPECT_FALSE(is_channel_name("", settings));
  EXPECT_FALSE(is_channel_name("a\nb", settings));
  EXPECT_FALSE(is_channel_name("a\x7f", settings));
  EXPECT_FALSE(is_channel_name("é", settings));
  EXPECT_FALSE(is_channel_name(std::string_view("a\0", 2), settings));
}

TEST(NamespaceName, IsOfWordCharacters) {
  for (const char* good : {"ab", "A-z_09", "--", "a.b"}) EXPECT_TRUE(is_namespace_name(good)) << good;
  for (const char* bad : {"", "a", "a b", "a:b", "é", "a/b", "ab\n"}) EXPECT_FALSE(is_namespace_name(bad)) << bad;
}

TEST(ChannelOptions, AreThoseOfTheNamespace) {
  const ChannelSettings settings = with_namespaces();
  EXPECT_EQ(options_of(parse_channel("news:a", settings), settings), &settings.namespaces.at("news"));
  EXPECT_EQ(options_of(parse_channel("$news:a", settings), settings), &settings.namespaces.at("news"));
  EXPECT_EQ(options_of(parse_channel("a", settings), settings), &settings.without_namespace);
  EXPECT_EQ(options_of(parse_channel("sport:a", settings), settings), nullptr);
}

}  // namespace
}  // namespace fairlead::server
