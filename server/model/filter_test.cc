// SPDX-License-Identifier: Apache-2.0
#include "model/filter.h"

#include "model/decimal.h"

#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

using Tags = std::map<std::string, std::string>;

FilterNode compare(std::string cmp, std::string key, std::string val) {
  FilterNode node;
  node.key = std::move(key);
  node.cmp = std::move(cmp);
  node.val = std::move(val);
  return node;
}
FilterNode among(std::string cmp, std::string key, std::vector<std::string> vals) {
  FilterNode node = compare(std::move(cmp), std::move(key), "");
  node.vals = std::move(vals);
  return node;
}
FilterNode combine(std::string op, std::vector<FilterNode> nodes) {
  FilterNode node;
  node.op = std::move(op);
  node.nodes = std::move(nodes);
  return node;
}

const Tags tags{{"city", "Oslo"}, {"price", "100.50"}, {"empty", ""}};

TEST(Filter, ComparesTags) {
  EXPECT_TRUE(matches(compare("eq", "city", "Oslo"), tags));
  EXPECT_FALSE(matches(compare("eq", "city", "oslo"), tags));
  EXPECT_TRUE(matches(compare("neq", "city", "Rome"), tags));
  EXPECT_FALSE(matches(compare("neq", "city", "Oslo"), tags));
  EXPECT_TRUE(matches(among("in", "city", {"Rome", "Oslo"}), tags));
  EXPECT_FALSE(matches(among("in", "city", {"Rome"}), tags));
  EXPECT_TRUE(matches(among("nin", "city", {"Rome"}), tags));
  EXPECT_FALSE(matches(among("nin", "city", {"Oslo"}), tags));
  EXPECT_TRUE(matches(compare("ex", "empty", ""), tags));
  EXPECT_FALSE(matches(compare("nex", "empty", ""), tags));
  EXPECT_TRUE(matches(compare("sw", "city", "Os"), tags));
  EXPECT_FALSE(matches(compare("sw", "city", "lo"), tags));
  EXPECT_TRUE(matches(compare("ew", "city", "lo"), tags));
  EXPECT_TRUE(matches(compare("ct", "city", "sl"), tags));
  EXPECT_FALSE(matches(compare("ct", "city", "x"), tags));
}

TEST(Filter, OrdersNumbersAndNothingElse) {
  EXPECT_TRUE(matches(compare("lt", "price", "100.51"), tags));
  EXPECT_FALSE(matches(compare("lt", "price", "100.5"), tags));
  EXPECT_TRUE(matches(compare("lte", "price", "100.5"), tags));
  EXPECT_TRUE(matches(compare("gt", "price", "99"), tags));
  EXPECT_TRUE(matches(compare("gte", "price", "100.500"), tags));
  EXPECT_FALSE(matches(compare("gt", "city", "1"), tags));
  EXPECT_FALSE(matches(compare("lte", "price", "cheap"), tags));
}

TEST(Filter, MissingTagMakesOnlyNegationsTrue) {
  for (const char* cmp : {"neq", "nex"}) EXPECT_TRUE(matches(compare(cmp, "none", "x"), tags)) << cmp;
  EXPECT_TRUE(matches(among("nin", "none", {"x"}), tags));
  EXPECT_FALSE(matches(among("in", "none", {"x"}), tags));
  for (const char* cmp : {"eq", "ex", "sw", "ew", "ct", "lt", "lte", "gt", "gte"})
    EXPECT_FALSE(matches(compare(cmp, "none", "1"), tags)) << cmp;
}

TEST(Filter, CombinesNodes) {
  const FilterNode yes = compare("ex", "city", "");
  const FilterNode no = compare("nex", "city", "");
  EXPECT_TRUE(matches(combine("and", {yes, yes}), tags));
  EXPECT_FALSE(matches(combine("and", {yes, no}), tags));
  EXPECT_TRUE(matches(combine("or", {no, yes}), tags));
  EXPECT_FALSE(matches(combine("or", {no, no}), tags));
  EXPECT_TRUE(matches(combine("not", {no}), tags));
  EXPECT_FALSE(matches(combine("not", {combine("or", {no, yes})}), tags));
}

TEST(Filter, MalformedOnesAreNamed) {
  const FilterNode good = compare("eq", "a", "b");
  EXPECT_TRUE(check(good));
  EXPECT_TRUE(check(compare("nex", "a", "")));
  EXPECT_TRUE(check(combine("or", {good})));
  EXPECT_FALSE(check(FilterNode{}));
  EXPECT_FALSE(check(compare("eq", "a", "")));
  EXPECT_FALSE(check(compare("eq", "", "b")));
  EXPECT_FALSE(check(compare("EQ", "a", "b")));
  EXPECT_FALSE(check(among("in", "a", {})));
  EXPECT_FALSE(check(among("nin", "a", {})));
  EXPECT_FALSE(check(combine("not", {})));
  EXPECT_FALSE(check(combine("not", {good, good})));
  EXPECT_FALSE(check(combine("and", {})));
  EXPECT_FALSE(check(combine("xor", {good})));
  EXPECT_FALSE(check(combine("and", {good, FilterNode{}})));
  EXPECT_EQ(check(combine("not", {})).error(), "not has exactly one child");
}

TEST(Filter, CostIsBounded) {
  const FilterNode good = compare("eq", "a", "b");
  EXPECT_TRUE(check(combine("and", std::vector<FilterNode>(63, good))));
  EXPECT_FALSE(check(combine("and", std::vector<FilterNode>(64, good))));
  EXPECT_TRUE(check(among("in", "a", std::vector<std::string>(256, "x"))));
  EXPECT_FALSE(check(among("in", "a", std::vector<std::string>(257, "x"))));
  EXPECT_FALSE(check(combine("or", std::vector<FilterNode>(2, among("in", "a", std::vector<std::string>(129, "x"))))));
  FilterNode deep = good;
  for (int level = 1; level < 8; ++level) deep = combine("not", {deep});
  EXPECT_TRUE(check(deep));
  EXPECT_FALSE(check(combine("not", {deep})));
}

struct Order {
  const char* left;
  const char* right;
  int sign;
};
class DecimalOrder : public testing::TestWithParam<Order> {};
TEST_P(DecimalOrder, IsExact) {
  const auto [left, right, sign] = GetParam();
  const auto order = compare_decimals(left, right);
  ASSERT_TRUE(order) << left << ' ' << right;
  EXPECT_EQ(*order < 0, sign < 0) << left << ' ' << right;
  EXPECT_EQ(*order > 0, sign > 0) << left << ' ' << right;
  const auto reversed = compare_decimals(right, left);
  ASSERT_TRUE(reversed);
  EXPECT_EQ(*reversed > 0, sign < 0) << left << ' ' << right;
}
INSTANTIATE_TEST_SUITE_P(
    Decimal, DecimalOrder,
    testing::Values(Order{"1", "2", -1}, Order{"10", "9", 1}, Order{"-10", "-9", -1}, Order{"-1", "1", -1},
                    Order{"0", "-0.000", 0}, Order{"+1", "1.0", 0}, Order{"007", "7", 0}, Order{".5", "0.50", 0},
                    Order{"5.", "5", 0}, Order{"0.1", "0.10000000000000000000000000000000000001", -1},
                    Order{"9007199254740993", "9007199254740992", 1}, Order{"1e3", "1000", 0},
                    Order{"1E-3", "0.001", 0}, Order{"1e-999999999", "0", 1}, Order{"-1e999999999", "-1", -1},
                    Order{"0e999999999", "0", 0}, Order{"0.0001e5", "10", 0},
                    Order{"123456789012345678901234567890.1", "123456789012345678901234567890.2", -1},
                    Order{"0.00123", "0.00124", -1}, Order{"100", "1e2", 0}));

TEST(Decimal, OthersAreNone) {
  for (const char* wrong : {"", ".", "-", "+-1", "1e", "1e+", "e5", "1.2.3", "0x10", "1,5", " 1", "1 ", "NaN", "inf",
                            "1e1000000000", "1e99999999999999999999"}) {
    EXPECT_FALSE(compare_decimals(wrong, "1")) << wrong;
    EXPECT_FALSE(compare_decimals("1", wrong)) << wrong;
  }
}

}  // namespace
}  // namespace fairlead::server
