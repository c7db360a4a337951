// SPDX-License-Identifier: Apache-2.0
#include "app/user_registry.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;

constexpr TimePoint start{std::chrono::hours(1)};

TEST(Users, AreLimitedInTheirConnections) {
  UserRegistry users;
  EXPECT_TRUE(users.enter("ada", 2));
  EXPECT_TRUE(users.enter("ada", 2));
  EXPECT_FALSE(users.enter("ada", 2));
  EXPECT_TRUE(users.enter("bob", 2)) << "each for himself";
  users.leave("ada", start);
  EXPECT_TRUE(users.enter("ada", 2));
  EXPECT_EQ(users.users(), 2U);
}

TEST(Users, NobodyInParticularIsNotCounted) {
  UserRegistry users;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(users.enter("", 1));
  EXPECT_EQ(users.users(), 0U);
}

TEST(Users, ShareOneBucketAmongTheirConnections) {
  UserRegistry users;
  ASSERT_TRUE(users.enter("ada", 0));
  EXPECT_TRUE(users.take("ada", UserOperation::publish, 1, start));
  EXPECT_TRUE(users.take("ada", UserOperation::publish, 1, start)) << "a burst of two seconds' worth";
  EXPECT_FALSE(users.take("ada", UserOperation::publish, 1, start));
  EXPECT_FALSE(users.take("ada", UserOperation::publish, 1, start + milliseconds(999)));
  EXPECT_TRUE(users.take("ada", UserOperation::publish, 1, start + milliseconds(1001)));
  EXPECT_TRUE(users.take("ada", UserOperation::publish, 0, start)) << "no limit";
}

TEST(Users, HaveABucketForEachOperation) {
  UserRegistry users;
  ASSERT_TRUE(users.enter("ada", 0));
  for (const auto operation :
       {UserOperation::command, UserOperation::publish, UserOperation::subscribe, UserOperation::rpc}) {
    EXPECT_TRUE(users.take("ada", operation, 0.5, start));
    EXPECT_FALSE(users.take("ada", operation, 0.5, start));
  }
}

TEST(Users, AreForgottenWithTheirLastConnection) {
  UserRegistry users;
  ASSERT_TRUE(users.enter("ada", 1));
  users.leave("ada", start);
  users.leave("ada", start);
  EXPECT_EQ(users.users(), 0U);
  EXPECT_EQ(users.remembered(), 0U);
}

TEST(Users, FillNoBucketByComingBack) {
  UserRegistry users;
  ASSERT_TRUE(users.enter("ada", 0));
  while (users.take("ada", UserOperation::publish, 1, start)) {
  }
  users.leave("ada", start);
  EXPECT_EQ(users.users(), 0U) << "who is remembered is not there";
  EXPECT_EQ(users.remembered(), 1U);
  ASSERT_TRUE(users.enter("ada", 1));
  EXPECT_EQ(users.users(), 1U);
  EXPECT_FALSE(users.take("ada", UserOperation::publish, 1, start + milliseconds(999)));
  EXPECT_TRUE(users.take("ada", UserOperation::publish, 1, start + milliseconds(1001)));
}

TEST(Users, AreForgottenOnceTheirBucketsWouldBeFullAgain) {
  UserRegistry users;
  ASSERT_TRUE(users.enter("ada", 0));
  ASSERT_TRUE(users.take("ada", UserOperation::publish, 1, start));
  ASSERT_TRUE(users.take("ada", UserOperation::rpc, 0.1, start));
  users.leave("ada", start);
  // Others of the same stripe, whoever they are, sweep as they leave.
  const auto others_leave = [&](TimePoint now) {
    for (int i = 0; i < 1'000; ++i) {
      const std::string other = "user" + std::to_string(i);
      ASSERT_TRUE(users.enter(other, 0));
      users.leave(other, now);
    }
  };
  others_leave(start + milliseconds(9'999));
  EXPECT_EQ(users.remembered(), 1U);
  others_leave(start + milliseconds(10'001));
  EXPECT_EQ(users.remembered(), 0U);
}

TEST(Users, WhoComeBackAndGoAgainAreRememberedOnce) {
  UserRegistry users;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(users.enter("ada", 0));
    static_cast<void>(users.take("ada", UserOperation::publish, 0.01, start));
    users.leave("ada", start);
  }
  EXPECT_EQ(users.remembered(), 1U);
  users.leave("ada", start + std::chrono::hours(1));
  EXPECT_EQ(users.remembered(), 1U) << "it was not there to leave";
}

TEST(Users, WhoHaveGoneAreRememberedUpToALimit) {
  UserRegistry users;
  for (std::size_t i = 0; i < 2 * UserRegistry::remembered_limit; ++i) {
    const std::string user = "user" + std::to_string(i);
    ASSERT_TRUE(users.enter(user, 0));
    ASSERT_TRUE(users.take(user, UserOperation::publish, 0.001, start));
    users.leave(user, start);
  }
  EXPECT_EQ(users.remembered(), UserRegistry::remembered_limit);
}

}  // namespace
}  // namespace fairlead::server
