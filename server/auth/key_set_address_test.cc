// SPDX-License-Identifier: Apache-2.0
// Tokens choose among addresses that are known from the start; none of them makes one.
#include "auth/key_set_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TokenSettings settings(std::string address, std::string issuer = {}, std::string audience = {}) {
  TokenSettings made;
  made.jwks_public_endpoint = std::move(address);
  made.issuer_regex = std::move(issuer);
  made.audience_regex = std::move(audience);
  return made;
}

std::string complaint(const TokenSettings& wrong) {
  const auto made = KeySetAddress::make(wrong);
  return made ? "" : made.error();
}

constexpr const char* realms = "https://keys.example/{{realm}}/certs";
constexpr const char* issuers = R"(https://sso\.example/(?P<realm>one|two))";

TEST(KeySetAddress, WithoutPlaceholdersIsOne) {
  const auto made = KeySetAddress::make(settings("https://keys.example/", "(?P<realm>.*)"));
  ASSERT_TRUE(made);
  EXPECT_THAT(made->all(), ElementsAre("https://keys.example/"));
  EXPECT_FALSE(made->depends_on_token());
}

TEST(KeySetAddress, IsChosenByTheIssuer) {
  const auto made = KeySetAddress::make(settings(realms, issuers));
  ASSERT_TRUE(made) << made.error();
  EXPECT_TRUE(made->depends_on_token());
  EXPECT_THAT(made->all(), ElementsAre("https://keys.example/one/certs", "https://keys.example/two/certs"));
  EXPECT_EQ(made->of({"https://sso.example/two", {}}), "https://keys.example/two/certs");
  for (const char* issuer : {"", "https://sso.example/three", "https://sso.example/two/", "https://ssoXexample/two",
                             "https://sso.example/TWO", "https://sso.example/two\n"})
    EXPECT_FALSE(made->of({issuer, {}})) << issuer;
}

TEST(KeySetAddress, IsChosenByTheAudienceThatFits) {
  const auto made =
      KeySetAddress::make(settings("https://{{tenant}}.example/{{tenant}}.json", "", "chat-(?P<tenant>a|b)"));
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->of({"", {"other", "chat-b", "chat-a"}}), "https://b.example/b.json");
  EXPECT_FALSE(made->of({"chat-b", {"other"}}));
  EXPECT_FALSE(made->of({"chat-b", {}}));
}

TEST(KeySetAddress, TakesFromBothClaims) {
  const auto made =
      KeySetAddress::make(settings("https://keys.example/{{realm}}/{{tenant}}", issuers, "(?P<tenant>a|b)-app"));
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->all().size(), 4U);
  EXPECT_EQ(made->of({"https://sso.example/one", {"b-app"}}), "https://keys.example/one/b");
  EXPECT_FALSE(made->of({"https://sso.example/one", {"c-app"}}));
}

// What the pattern lets through by its flags or its repetitions is still none of the listed values.
TEST(KeySetAddress, NeverHoldsWhatIsNotListed) {
  const auto without_case = KeySetAddress::make(settings(realms, "(?i)(?P<realm>one|two)"));
  ASSERT_TRUE(without_case) << without_case.error();
  EXPECT_TRUE(without_case->of({"one", {}}));
  EXPECT_FALSE(without_case->of({"ONE", {}}));
  const auto optional = KeySetAddress::make(settings(realms, "x(?P<realm>one|two)?"));
  ASSERT_TRUE(optional) << optional.error();
  EXPECT_FALSE(optional->of({"x", {}}));
  EXPECT_EQ(optional->of({"xtwo", {}}), "https://keys.example/two/certs");
}

TEST(KeySetAddress, ListsLiteralsAlone) {
  for (const char* group :
       {".*", "one|t.o", "one|two*", "[a-z]+", "one|(two)", "\\w+", "one|", "", "one|.\\.", "\\.\\.", "one|two/three",
        "one|two\\/three", "one|%2e", "one|two@evil", "one|tw o", "one|tw\xc3\xb6"})
    EXPECT_THAT(complaint(settings(realms, std::string("(?P<realm>") + group + ")")),
                HasSubstr("issuer_regex: the group 'realm'"))
        << group;
  EXPECT_EQ(complaint(settings(realms, R"((?P<realm>v1\.2|a_b|c\-d|~e))")), "");
}

TEST(KeySetAddress, NeedsAGroupForEachPlaceholder) {
  EXPECT_THAT(complaint(settings(realms)), HasSubstr("{{realm}} needs a group"));
  EXPECT_THAT(complaint(settings(realms, R"(\(?P<realm>one|two\))")), HasSubstr("needs a group"));
  EXPECT_THAT(complaint(settings(realms, "[(?P<realm>one]")), HasSubstr("needs a group"));
  EXPECT_THAT(complaint(settings(realms, "(?P<realm>a)", "(?P<realm>b)")), HasSubstr("audience_regex: the group"));
  for (const char* address : {"https://keys.example/{{", "https://keys.example/{{}}", "https://keys.example/{{a b}}",
                              "https://keys.example/{{realm}"})
    EXPECT_THAT(complaint(settings(address, issuers)), HasSubstr("jwks_public_endpoint: ")) << address;
}

TEST(KeySetAddress, IsAsSecureAsOneWithoutPlaceholders) {
  EXPECT_THAT(complaint(settings("http://{{realm}}.example/", issuers)), HasSubstr("must be https://"));
  EXPECT_THAT(complaint(settings("{{realm}}://keys.example/", "(?P<realm>https|http)")), HasSubstr("must be https://"));
}

TEST(KeySetAddress, ManyAreRefused) {
  const auto listing = [](std::size_t count) {
    std::string group = "(?P<realm>r0";
    for (std::size_t i = 1; i < count; ++i) group += "|r" + std::to_string(i);
    return group + ")";
  };
  EXPECT_EQ(complaint(settings(realms, listing(KeySetAddress::addresses_most))), "");
  EXPECT_THAT(complaint(settings(realms, listing(KeySetAddress::addresses_most + 1))), HasSubstr("more than 100"));
}

}  // namespace
}  // namespace fairlead::server
