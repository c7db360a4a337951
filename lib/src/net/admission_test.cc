// SPDX-License-Identifier: Apache-2.0
#include "net/admission.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace fairlead::net {
namespace {

io::Endpoint peer(std::string_view ip) { return *io::Endpoint::ip(ip, 1); }

TEST(Admission, PlacesAreLimitedInTotalAndGivenBack) {
  const auto admission = std::make_shared<Admission>(2, 10);
  auto first = admission->enter(peer("192.0.2.1"));
  auto second = admission->enter(peer("192.0.2.2"));
  auto third = admission->enter(peer("192.0.2.3"));
  ASSERT_TRUE(first && second);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::too_many_connections);
  first->reset();
  EXPECT_TRUE(admission->enter(peer("192.0.2.3")));
}

TEST(Admission, OneAddressCannotTakeAllPlaces) {
  const auto admission = std::make_shared<Admission>(100, 2);
  std::vector<std::shared_ptr<void>> held;
  held.push_back(*admission->enter(peer("2001:db8::1")));
  held.push_back(*admission->enter(peer("2001:db8::2")));
  const auto refused = admission->enter(peer("2001:db8::3"));
  ASSERT_FALSE(refused) << "all three are of one /64";
  EXPECT_EQ(refused.error().code, Errc::too_many_connections_per_address);
  EXPECT_TRUE(admission->enter(peer("2001:db8:0:1::1")));
  EXPECT_EQ(admission->connections(), 2U) << "a refused or returned place does not count";
}

TEST(Admission, UnixSocketsCountInTotalOnly) {
  const auto admission = std::make_shared<Admission>(3, 1);
  const auto local = *io::Endpoint::unix_path("/x");
  std::vector<std::shared_ptr<void>> held;
  held.reserve(3);
  for (int i = 0; i < 3; ++i) held.push_back(*admission->enter(local));
  EXPECT_FALSE(admission->enter(local));
}

}  // namespace
}  // namespace fairlead::net
