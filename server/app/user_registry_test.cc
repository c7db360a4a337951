// SPDX-License-Identifier: Apache-2.0
#include "app/user_registry.h"

#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;

TEST(Users, AreLimitedInTheirConnections) {
  UserRegistry users;
  EXPECT_TRUE(users.enter("ada", 2));
  EXPECT_TRUE(users.enter("ada", 2));
  EXPECT_FALSE(users.enter("ada", 2));
  EXPECT_TRUE(users.enter("bob", 2)) << "each for himself";
  users.leave("ada");
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
  const TimePoint start{std::chrono::hours(1)};
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
  const TimePoint start{std::chrono::hours(1)};
  for (const auto operation :
       {UserOperation::command, UserOperation::publish, UserOperation::subscribe, UserOperation::rpc}) {
    EXPECT_TRUE(users.take("ada", operation, 0.5, start));
    EXPECT_FALSE(users.take("ada", operation, 0.5, start));
  }
}

TEST(Users, AreForgottenWithTheirLastConnection) {
  UserRegistry users;
  ASSERT_TRUE(users.enter("ada", 1));
  users.leave("ada");
  users.leave("ada");
  EXPECT_EQ(users.users(), 0U);
}

}  // namespace
}  // namespace fairlead::server
