// SPDX-License-Identifier: Apache-2.0
// The published description against the code: each method, each field of a request by the code's own list, each field
// of a result by what the code writes when a node answers with everything that it can.
#include "api/core.h"
#include "api/http_api.h"
#include "api/json.h"
#include "api/methods.h"
#include "api/testing/fake_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <algorithm>
#include <map>
#include <set>

namespace fairlead::server {
namespace {

using testing::FakeControl;

JsonValue at(const JsonValue& value, std::initializer_list<std::string_view> path) {
  JsonValue found = value;
  for (const auto step : path) {
    const auto members = members_of(found);
    const auto* const next = members ? find(*members, step) : nullptr;
    if (next == nullptr) return {};
    found = *next;
  }
  return found;
}

std::set<std::string> names_in(const JsonValue& object) {
  std::set<std::string> names;
  for (const auto& member : members_of(object).value_or(std::vector<JsonMember>{})) names.insert(member.name);
  return names;
}

class Description : public ::testing::Test {
 protected:
  JsonValue root = parse_json(openapi_json()).value_or(JsonValue{});

  JsonValue schema(const std::string& name) const { return at(root, {"components", "schemas", name}); }
  // Follows "$ref".
  JsonValue resolved(JsonValue schema_value) const {
    const auto reference = string_of(at(schema_value, {"$ref"}));
    return reference ? schema(reference->substr(reference->rfind('/') + 1)) : schema_value;
  }

  void expect_fields(const std::vector<FieldDescription>& fields, JsonValue described, const std::string& where) {
    described = resolved(described);
    std::set<std::string> names;
    std::set<std::string> required;
    for (const auto& field : fields) {
      names.insert(field.name);
      if (field.required) required.insert(field.name);
      const auto property = resolved(at(described, {"properties", field.name}));
      const std::string type = string_of(at(property, {"type"})).value_or("any");
      EXPECT_EQ(type, field.type) << where << "." << field.name;
      if (!field.inner.empty()) expect_fields(field.inner, property, where + "." + field.name);
    }
    EXPECT_EQ(names_in(at(described, {"properties"})), names) << where;
    std::set<std::string> described_required;
    for (const auto& item : elements_of(at(described, {"required"})).value_or(std::vector<JsonValue>{})) {
      described_required.insert(string_of(item).value_or(""));
    }
    EXPECT_TRUE(std::ranges::includes(described_required, required)) << where;
  }

  // Notes every member of `value` that is described at `described`; one that is not is a failure.
  void visit(const JsonValue& value, JsonValue described, const std::string& where) {
    described = resolved(described);
    if (value.type == JsonType::array) {
      for (const auto& item : elements_of(value).value_or(std::vector<JsonValue>{})) {
        visit(item, at(described, {"items"}), where + "[]");
      }
    }
    if (value.type != JsonType::object) return;
    const auto properties = at(described, {"properties"});
    const auto additional = at(described, {"additionalProperties"});
    if (properties.type != JsonType::object && additional.type != JsonType::object) return;  // anything
    for (const auto& member : members_of(value).value_or(std::vector<JsonMember>{})) {
      const auto property = at(properties, {member.name});
      if (additional.type == JsonType::object) {
        visit(member.value, additional, where + ".*");
      } else {
        EXPECT_EQ(property.type, JsonType::object) << where << "." << member.name << " is not described";
        written[std::string(described.text)].insert(member.name);
        visit(member.value, property, where + "." + member.name);
      }
    }
  }

  std::map<std::string, std::set<std::string>> written;  // by schema
};

TEST_F(Description, IsJson) { EXPECT_EQ(root.type, JsonType::object); }

TEST_F(Description, NamesEveryMethodAndNoOther) {
  std::set<std::string> paths{"/batch"};
  std::set<std::string> commands;
  for (const auto& method : methods()) {
    paths.insert("/" + std::string(method.name));
    commands.insert(std::string(method.name));
    EXPECT_EQ(at(root, {"paths", "/" + std::string(method.name), "post"}).type, JsonType::object);
  }
  EXPECT_EQ(names_in(at(root, {"paths"})), paths);
  EXPECT_EQ(names_in(at(schema("Command"), {"properties"})), commands);
  commands.insert("error");
  EXPECT_EQ(names_in(at(schema("Reply"), {"properties"})), commands);
}

TEST_F(Description, NamesEveryFieldOfEveryRequest) {
  for (const auto& method : methods()) {
    FieldLister lister;
    method.list(lister);
    expect_fields(lister.take(), schema("Request_" + std::string(method.name)), std::string(method.name));
  }
}

// A request that every method takes.
constexpr std::string_view any_request =
    R"({"channel":"a","channels":["a","b"],"data":1,"user":"u","uid":"t","method":"m"})";

TEST_F(Description, NamesEveryFieldOfEveryResult) {
  FakeControl control;
  control.fill();
  const ApiCore core(control, {.key = {}, .insecure = true});
  for (const Payload& rpc_data : {Payload("1"), Payload("\xff")}) {
    control.rpc_data = rpc_data;
    for (const auto& method : methods()) {
      core.handle_trusted(method.name, {}, std::string(any_request), [&](const ApiReply& reply) {
        const auto body = parse_json(reply.body);
        ASSERT_TRUE(body) << reply.body;
        const std::string name(method.name);
        ASSERT_EQ(at(*body, {"result"}).type, JsonType::object) << name << " " << reply.body;
        visit(at(*body, {"result"}), schema("Result_" + name), name);
      });
    }
  }
  for (const auto& [text, names] : written) {
    const auto described = parse_json(text);
    ASSERT_TRUE(described);
    EXPECT_EQ(names_in(at(*described, {"properties"})), names) << "described, but never written: " << text;
  }
}

}  // namespace
}  // namespace fairlead::server
