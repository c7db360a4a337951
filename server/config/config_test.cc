// SPDX-License-Identifier: Apache-2.0
#include "config/check.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/print.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace fairlead::server::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ConfigSources toml(std::string text) {
  return {.file = File{"fairlead.toml", std::move(text), Format::toml}, .environment = {}, .overrides = {}};
}
ConfigSources json(std::string text) {
  return {.file = File{"fairlead.json", std::move(text), Format::json}, .environment = {}, .overrides = {}};
}
std::string complaint(const ConfigSources& sources) {
  const auto loaded = load(sources);
  return loaded ? std::string() : loaded.error().sentence;
}

TEST(Config, NothingGivenIsTheDefault) {
  const auto loaded = load({});
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(diff(*loaded, Settings{}).empty());
}

TEST(Config, BothFormatsHaveTheSameKeys) {
  const auto one =
      load(toml("[client]\nping_interval = \"30s\"\nqueue_max_size = \"2MiB\"\n[client.token]\n"
                "hmac_secret_key = \"s\"\n[[channel.namespaces]]\nname = \"news\"\npresence = true\n"));
  const auto other = load(json(R"({"client": {"ping_interval": "30s", "queue_max_size": 2097152,
                                   "token": {"hmac_secret_key": "s"}},
                                   "channel": {"namespaces": [{"name": "news", "presence": true}]}})"));
  ASSERT_TRUE(one && other);
  EXPECT_TRUE(diff(*one, *other).empty());
  EXPECT_EQ(one->session.ping_interval, std::chrono::seconds(30));
  EXPECT_EQ(one->session.queue_max_bytes, 2'097'152U);
  EXPECT_EQ(one->auth.token.hmac_secret_key, "s");
  EXPECT_TRUE(one->channel.namespaces.at("news").presence);
}

TEST(Config, EnvironmentGoesBeforeTheFileAndFlagsBeforeBoth) {
  ConfigSources sources = toml("[client]\nchannel_limit = 1\n[log]\nlevel = \"warn\"\n[node]\nname = \"file\"\n");
  sources.environment = {{"FAIRLEAD_CLIENT_CHANNEL_LIMIT", "2"}, {"FAIRLEAD_NODE_NAME", "environment"}, {"HOME", "/"}};
  sources.overrides = {{"client.channel_limit", "3"}};
  const auto loaded = load(sources);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->session.channel_limit, 3U);
  EXPECT_EQ(loaded->name, "environment");
  EXPECT_EQ(loaded->log.level, "warn");
}

TEST(Config, ListsOfTheEnvironmentAreWordsOrJson) {
  ConfigSources sources;
  sources.environment = {
      {"FAIRLEAD_CLIENT_ALLOWED_ORIGINS", "https://a.example, https://b.example"},
      {"FAIRLEAD_LISTEN_SECURE", R"(["[::1]:8443"])"},
      {"FAIRLEAD_CLIENT_INSECURE", "true"},
      {"FAIRLEAD_CHANNEL_NAMESPACES", R"([{"name": "news", "history_size": 5, "history_ttl": "1m"}])"},
      {"FAIRLEAD_RPC_PROXY_ENDPOINT", "https://b/rpc"},
      {"FAIRLEAD_RPC_NAMESPACES", R"([{"name": "users", "proxy_enabled": true}])"},
      {"FAIRLEAD_RPC_PROXY_HTTP_STATIC_HEADERS", R"({"X-A": "b"})"}};
  const auto loaded = load(sources);
  ASSERT_TRUE(loaded) << complaint(sources);
  EXPECT_THAT(loaded->transport.allowed_origins, ElementsAre("https://a.example", "https://b.example"));
  EXPECT_THAT(loaded->listen.secure, ElementsAre("[::1]:8443"));
  EXPECT_TRUE(loaded->auth.insecure);
  EXPECT_EQ(loaded->channel.namespaces.at("news").history_size, 5U);
  EXPECT_TRUE(loaded->auth.rpc.namespaces.at("users").proxy_enabled);
  EXPECT_EQ(loaded->backend.named.at("default:rpc").static_headers.at("X-A"), "b");
}

TEST(Config, AddressesOfIpv6AreWordsAsWell) {
  for (const auto& [text, wanted] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"[::1]:8443", {"[::1]:8443"}},
           {"[::]:8443 127.0.0.1:8443", {"[::]:8443", "127.0.0.1:8443"}},
           {"[fe80::1%eth0]:1,[2001:db8::2]:2", {"[fe80::1%eth0]:1", "[2001:db8::2]:2"}},
           {"[]", {}},
           {R"(["[::1]:1"])", {"[::1]:1"}}}) {
    ConfigSources sources;
    sources.environment = {{"FAIRLEAD_LISTEN_SECURE", text}};
    const auto loaded = load(sources);
    ASSERT_TRUE(loaded) << text << complaint(sources);
    EXPECT_EQ(loaded->listen.secure, wanted) << text;
  }
  ConfigSources sources;
  sources.environment = {{"FAIRLEAD_LISTEN_SECURE", R"(["[::1]:1")"}};
  EXPECT_THAT(complaint(sources), HasSubstr("must be a list of strings"));
}

TEST(Config, VariablesThatAreNoKeysAreNoted) {
  ConfigSources sources;
  sources.environment = {{"FAIRLEAD_SERVICE_HOST", "10.0.0.1"}};
  const auto loaded = read(sources);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->notes.size(), 1U);
  EXPECT_EQ(loaded->notes.front().key, "FAIRLEAD_SERVICE_HOST");
}

TEST(Config, VariablesThatAreNearlyKeysSuggestThem) {
  ConfigSources sources;
  sources.environment = {{"FAIRLEAD_HTTP_API_KYE", "secret"}};
  const auto loaded = read(sources);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->notes.size(), 1U);
  EXPECT_EQ(to_string(loaded->notes.front()),
            "environment: FAIRLEAD_HTTP_API_KYE is not the name of a key; did you mean FAIRLEAD_HTTP_API_KEY?");
}

TEST(Config, YamlIsNamedInsteadOfItsFirstStrangeCharacter) {
  ConfigSources sources;
  sources.file = File{"config.yaml", "client:\n  insecure: true\n", format_of("config.yaml")};
  EXPECT_THAT(complaint(sources), HasSubstr("config.yaml: is YAML"));
}

TEST(Config, UnknownKeysSuggestTheNearest) {
  EXPECT_THAT(complaint(toml("[client.token]\nhmac_secret_kye = \"s\"\n")),
              HasSubstr("client.token.hmac_secret_kye is not a key; did you mean client.token.hmac_secret_key?"));
  EXPECT_THAT(
      complaint(json(R"({"channel": {"namespaces": [{"name": "ab", "historysize": 1}]}})")),
      HasSubstr("channel.namespaces[0].historysize is not a key; did you mean channel.namespaces[0].history_size?"));
  EXPECT_THAT(complaint(toml("hmac_secret_key = \"s\"\n")), HasSubstr("did you mean client.token.hmac_secret_key?"));
  EXPECT_THAT(complaint(toml("zzz = 1\n")), HasSubstr("zzz is not a key"));
}

TEST(Config, MisspeltSectionsSuggestTheNearestSection) {
  EXPECT_THAT(complaint(toml("[clinet]\nchannel_limit = 1\n")), HasSubstr("clinet is not a key; did you mean client?"));
  EXPECT_THAT(complaint(toml("[client.tokn]\nhmac_secret_key = \"s\"\n")),
              HasSubstr("client.tokn is not a key; did you mean client.token?"));
  EXPECT_THAT(complaint(toml("[token]\nhmac_secret_key = \"s\"\n")), HasSubstr("did you mean client.token?"));
  EXPECT_THAT(complaint(json(R"({"channel": {"namespace": [{"name": "ab"}]}})")),
              HasSubstr("did you mean channel.namespaces?"));
  EXPECT_THAT(
      complaint(json(R"({"proxies": [{"name": "ab", "endpoint": "http://b", "htpp": {"static_headers": {}}}]})")),
      HasSubstr("proxies[0].htpp is not a key; did you mean proxies[0].http?"));
  EXPECT_THAT(complaint(toml("[zzzzzz]\na = 1\n")), HasSubstr("zzzzzz is not a key"));
}

TEST(Config, SectionsThatAreNoTablesAreNamed) {
  const std::pair<const char*, const char*> table[] = {
      {R"({"client": "x"})", "client"},
      {R"({"client": {"token": "x"}})", "client.token"},
      {R"({"http_api": 5})", "http_api"},
      {R"({"channel": {"without_namespace": []}})", "channel.without_namespace"},
      {R"({"proxies": [{"name": "ab", "endpoint": "http://b", "http": 5}]})", "proxies[0].http"},
  };
  for (const auto& [text, key] : table) {
    EXPECT_EQ(complaint(json(text)), "fairlead.json: " + std::string(key) + " must be a table") << text;
  }
}

TEST(Config, WhatIsNearNoKeySuggestsNone) {
  const auto in_namespace = [](const std::string& member) {
    return complaint(json(R"({"channel": {"namespaces": [{"name": "ab", )" + member + "}]}}"));
  };
  EXPECT_EQ(in_namespace(R"("http": {"static_headers": {}})"), "fairlead.json: channel.namespaces[0].http is not a key")
      << "what it stands in already is not meant";
  EXPECT_EQ(in_namespace(R"("proxies": [])"), "fairlead.json: channel.namespaces[0].proxies is not a key");
  EXPECT_EQ(complaint(json(R"({"http_api": {"kid": 1}})")), "fairlead.json: http_api.kid is not a key");
  EXPECT_THAT(complaint(json(R"({"http_api": {"kye": "x"}})")), HasSubstr("did you mean http_api.key?"))
      << "two characters that changed places";
}

TEST(Config, KindsOfEventsAreNamedAsTheyAreTaken) {
  const std::string said = complaint(json(R"({"events": {"kinds": ["conected"]}})"));
  for (const char* kind : {"connected", "disconnected", "subscribed", "unsubscribed", "channel_occupied",
                           "channel_vacated", "node_started", "events_lost"}) {
    EXPECT_THAT(said, HasSubstr(kind));
    EXPECT_TRUE(read(json(R"({"events": {"kinds": [")" + std::string(kind) + R"("]}})"))) << kind;
  }
}

TEST(Config, SaysEverythingThatIsWrongAtOnce) {
  const auto loaded =
      read(toml("[client]\nping_interval = 5\nchannel_limit = -1\ninsecure = \"maybe\"\n[log]\nlevel = \"x\"\n"));
  ASSERT_FALSE(loaded);
  std::vector<std::string> keys;
  for (const Problem& problem : loaded.error()) {
    keys.push_back(problem.key);
    EXPECT_EQ(problem.origin, "fairlead.toml");
  }
  EXPECT_THAT(keys, testing::UnorderedElementsAre("client.ping_interval", "client.channel_limit", "client.insecure",
                                                  "log.level"));
}

TEST(Config, ComplaintsAreBounded) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "zz" + std::to_string(i) + " = 1\n";
  const auto loaded = read(toml(text));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().size(), problems_limit + 1);
}

TEST(Config, ComplaintsHoldNoSecret) {
  const std::string secret = "hunter2-of-the-operator";
  for (const std::string& text :
       {"[client.token]\nhmac_secret_key = [\"" + secret + "\"]\n", "[http_api]\nkey = { a = \"" + secret + "\" }\n",
        "[client.token]\nhmac_secret_key = \"" + secret + "\n",
        "[admin]\npassword = '" + secret + "' '" + secret + "'\n",
        "[client.token]\nhmac_secret_key = \"-----BEGIN PUBLIC KEY----- " + secret + "\"\n",
        "[rpc.proxy.http]\nstatic_headers = { Authorization = [\"" + secret + "\"] }\n"}) {
    const std::string sentence = complaint(toml(text));
    EXPECT_THAT(sentence, Not(IsEmpty())) << text;
    EXPECT_THAT(sentence, Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(complaint(json(R"({"admin": {"password": "hunter2)")), Not(HasSubstr("hunter2")));
}

TEST(Config, TextThatIsNoneIsOneProblem) {
  EXPECT_THAT(complaint(toml("a = \n")), HasSubstr("fairlead.toml: line 1, column 5: this is not TOML"));
  EXPECT_THAT(complaint(toml("[~")), HasSubstr("this is not TOML")) << "an assertion of the library";
  EXPECT_THAT(complaint(toml("node.n\xc2\xb7me = 1\n")), HasSubstr("more than ASCII"));
  EXPECT_THAT(complaint(toml("# \xc3\xbc\nnode.name = \"J\xc3\xb6rg \\\" \xc3\xb6\"\n")), "");
  EXPECT_THAT(complaint(json("{\"a\": 1,}")), HasSubstr("fairlead.json: this is not JSON"));
  EXPECT_THAT(complaint(json("")), HasSubstr("is empty"));
  EXPECT_THAT(complaint(json("[]")), HasSubstr("must be a table of sections"));
  EXPECT_THAT(complaint(json(R"({"log": {}, "log": {}})")), HasSubstr("a key is there twice"));
  EXPECT_THAT(complaint(json(std::string(100, '[') + std::string(100, ']'))), HasSubstr("too deep"));
}

TEST(Config, LimitsHoldAtBelowAndAbove) {
  EXPECT_THAT(complaint(toml("[client]\nchannel_limit = 1\n")), IsEmpty());
  EXPECT_THAT(complaint(toml("[client]\nchannel_limit = 0\n")), HasSubstr("must be at least 1"));
  EXPECT_THAT(complaint(toml("[channel]\nmax_length = 4096\n")), IsEmpty());
  EXPECT_THAT(complaint(toml("[channel]\nmax_length = 4097\n")), HasSubstr("must be at most 4096"));
  EXPECT_THAT(complaint(toml("[client]\nqueue_max_size = \"4095\"\n")), HasSubstr("must be at least 4KiB"));
  for (const char* size :
       {"http_stream.max_request_body_size", "sse.max_request_body_size", "emulation.max_request_body_size",
        "uni_websocket.message_size_limit", "uni_sse.max_request_body_size", "uni_http_stream.max_request_body_size"}) {
    EXPECT_THAT(complaint(toml(fmt::format("{} = \"0\"\n", size))), IsEmpty());
    EXPECT_THAT(complaint(toml(fmt::format("{} = \"128\"\n", size))), IsEmpty());
    const std::string refused = complaint(toml(fmt::format("{} = \"127\"\n", size)));
    EXPECT_THAT(refused, HasSubstr(size));
    EXPECT_THAT(refused, HasSubstr("must be 0, or at least 128"));
  }
}

struct Rule {
  const char* text;
  const char* key;
  const char* sentence;
};
class Rules : public testing::TestWithParam<Rule> {};

TEST_P(Rules, AreNamedWithTheirKey) {
  const std::string sentence = complaint(toml(GetParam().text));
  EXPECT_THAT(sentence, HasSubstr(GetParam().key));
  EXPECT_THAT(sentence, HasSubstr(GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    Config, Rules,
    testing::Values(
        Rule{"[client]\nping_interval = \"8s\"\n", "client.pong_timeout", "less than client.ping_interval"},
        Rule{"[client]\npresence_ttl = \"10s\"\n", "client.presence_ttl", "more than"},
        Rule{"[client]\ninsecure_skip_token_signature_verify = true\n", "insecure_skip", "client.insecure alone"},
        Rule{"[channel.without_namespace]\nhistory_size = 5\n", "channel.without_namespace.history_size",
             "history_ttl"},
        Rule{"[channel.without_namespace]\nhistory_size = 5\nhistory_ttl = \"721h\"\n",
             "channel.without_namespace.history_ttl", "less than history_meta_ttl"},
        Rule{"[channel.without_namespace]\nforce_recovery = true\n", "force_recovery", "needs a history"},
        Rule{"[channel.without_namespace]\nchannel_regex = \"(\"\n", "channel_regex", "RE2"},
        Rule{"[channel.without_namespace]\nallowed_delta_types = [\"x\"]\n", "allowed_delta_types", "fossil"},
        Rule{"[[channel.namespaces]]\nname = \"a\"\n", "channel.namespaces[0].name", "two or more"},
        Rule{"[[channel.namespaces]]\nname = \"ab\"\n[[channel.namespaces]]\nname = \"ab\"\n",
             "channel.namespaces[1].name", "another namespace"},
        Rule{"[[channel.namespaces]]\npresence = true\n", "channel.namespaces[0].name", "is missing"},
        Rule{"[[channel.namespaces]]\nname = \"ab\"\nsubscribe_proxy_enabled = true\nsubscribe_proxy_name = "
             "\"nobody\"\n",
             "channel.namespaces[ab].subscribe_proxy_name", "not one of proxies"},
        Rule{"[[channel.namespaces]]\nname = \"ab\"\npublish_proxy_enabled = true\n",
             "channel.namespaces[ab].publish_proxy_name", "no endpoint"},
        Rule{"[rpc.without_namespace]\nproxy_enabled = true\n", "rpc.without_namespace.proxy_name",
             "rpc.proxy has no endpoint"},
        Rule{"[attachments]\nenabled = true\n", "attachments.proxy_name", "rpc.proxy has no endpoint"},
        Rule{"[attachments]\ntypes = [\"image/svg+xml\"]\n", "attachments.types", "nothing that a browser would run"},
        Rule{"[attachments]\nhandler_prefix = \"/a/\"\n", "attachments.handler_prefix", "not end with it"},
        Rule{"[[rpc.namespaces]]\nname = \"ab\"\nproxy_enabled = true\nproxy_name = \"nobody\"\n",
             "rpc.namespaces[ab].proxy_name", "not one of proxies"},
        Rule{"[[rpc.namespaces]]\nname = \"a\"\n", "rpc.namespaces[0].name", "two or more"},
        Rule{"[[rpc.namespaces]]\nname = \"ab\"\n[[rpc.namespaces]]\nname = \"ab\"\n", "rpc.namespaces[1].name",
             "another namespace"},
        Rule{"[[rpc.namespaces]]\nname = \"ab\"\nproxy_nam = \"b\"\n", "rpc.namespaces[0].proxy_nam",
             "did you mean rpc.namespaces[0].proxy_name?"},
        Rule{"[client.proxy.connect]\nenabled = true\n", "client.proxy.connect.endpoint", "is missing"},
        Rule{"[[proxies]]\nname = \"aa\"\nendpoint = \"grpc://x\"\n", "proxies[aa].endpoint", "by HTTP"},
        Rule{"[[proxies]]\nname = \"aa\"\n", "proxies[0].endpoint", "is missing"},
        Rule{"[client.token]\naudience_regex = \"[\"\n", "client.token.audience_regex", "RE2"},
        Rule{"[client.token]\nissuer = \"a\"\nissuer_regex = \"a\"\n", "client.token.issuer_regex", "excludes"},
        Rule{"[client.token]\njwks_public_endpoint = \"http://example.org/keys\"\n", "jwks_public_endpoint",
             "https://"},
        Rule{"[client.token]\njwks_public_endpoint = \"https://{{t}}.example.org/\"\n",
             "client.token.jwks_public_endpoint {{t}}", "needs a group"},
        Rule{"[client.token]\njwks_public_endpoint = \"https://{{t}}.example.org/\"\nissuer_regex = \"(?P<t>.*)\"\n",
             "client.token.issuer_regex the group", "literal values alone"},
        Rule{"[client.token]\nhmac_secret_key = \"-----BEGIN PUBLIC KEY-----\"\n", "hmac_secret_key", "no secret"},
        Rule{"[engine]\ntype = \"sqlite\"\n", "engine.path", "is missing"},
        Rule{"[engine]\ntype = \"redis\"\n", "engine.type", "one of"},
        Rule{"[admin]\nenabled = true\n", "admin.password", "is missing"},
        Rule{"[listen]\ncertificate_file = \"a\"\n", "listen.key_file", "without the other"},
        Rule{"[websocket]\nhandler_prefix = \"x\"\n", "websocket.handler_prefix", "begin with /"}));

TEST(Config, WhatLetsNobodyInIsHintedAt) {
  const auto hinted = [](const char* text) {
    std::string all;
    const auto loaded = load(toml(text));
    for (const Problem& hint : hints(loaded.value_or(Settings{}))) all += to_string(hint) + "\n";
    return all;
  };
  EXPECT_EQ(hinted(""),
            "client.token has no key, so no client can connect\n"
            "http_api.key is empty, so the HTTP API lets nobody in\n");
  EXPECT_EQ(hinted("[client.token]\nhmac_secret_key = \"s\"\n[http_api]\nkey = \"k\"\n"), "");
  EXPECT_EQ(hinted("[client]\nallow_anonymous_connect_without_token = true\n[http_api]\ndisabled = true\n"), "");
  EXPECT_EQ(hinted("[client]\ninsecure = true\n[http_api]\ninsecure = true\n"), "");
}

TEST(Config, NamespacesBeginWithTheGlobalMetaTtl) {
  const auto loaded = load(json(R"({"channel": {"history_meta_ttl": "24h", "namespaces": [{"name": "ab"},
                                    {"name": "cd", "history_meta_ttl": "48h"}]}})"));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->channel.without_namespace.history_meta_ttl, std::chrono::hours(24));
  EXPECT_EQ(loaded->channel.namespaces.at("ab").history_meta_ttl, std::chrono::hours(24));
  EXPECT_EQ(loaded->channel.namespaces.at("cd").history_meta_ttl, std::chrono::hours(48));
}

// ── Printing ────────────────────────────────────────────────────────────────────────────────────────────────────────

Settings everything_changed() {
  const auto loaded = load(json(R"({
    "client": {"insecure": true, "token": {"hmac_secret_key": "top\nsecret \"x\" \u0001"}, "allowed_origins": ["*"],
      "proxy": {"connect": {"enabled": true, "endpoint": "https://b/c", "http": {"static_headers": {"A b": "secret"},
        "status_to_code_transforms": [{"status_code": 404, "to_error": {"code": 404, "message": "no", "temporary": true}},
                                      {"status_code": 403, "to_disconnect": {"code": 4503, "reason": "go"}}]}}}},
    "channel": {"without_namespace": {"slow_policy": "conflate", "slow_sample_per_second": 2.5},
      "namespaces": [{"name": "ab", "history_size": 3, "history_ttl": "10s", "publish_proxy_enabled": true,
                      "publish_proxy_name": "pp"}, {"name": "cd"}],
      "proxy": {"subscribe": {"endpoint": "https://b/s"}}},
    "rpc": {"namespaces": [{"name": "ab", "proxy_enabled": true, "proxy_name": "pp"}, {"name": "cd.ef"}]},
    "proxies": [{"name": "pp", "endpoint": "https://b/p", "timeout": "3s", "signing_secret": "secret"}],
    "http_api": {"key": "secret"}, "sse": {"enabled": true}, "websocket": {"disabled": true}})"));
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().sentence);
  return loaded.value_or(Settings{});
}

TEST(Printing, ReadsBackAsTheSame) {
  const Settings settings = everything_changed();
  for (const Format format : {Format::toml, Format::json}) {
    const std::string text = print(settings, {.format = format, .with_secrets = true, .with_comments = true});
    const auto again = load({.file = File{"again", text, format}, .environment = {}, .overrides = {}});
    ASSERT_TRUE(again) << again.error().sentence;
    EXPECT_TRUE(diff(settings, *again).empty()) << testing::PrintToString(diff(settings, *again).reloadable);
  }
}

TEST(Printing, TheDefaultIsAFileThatMeansTheDefault) {
  const auto again =
      load(toml(print(Settings{}, {.format = Format::toml, .with_secrets = true, .with_comments = true})));
  ASSERT_TRUE(again) << again.error().sentence;
  EXPECT_TRUE(diff(Settings{}, *again).empty());
}

TEST(Printing, MasksSecrets) {
  for (const Format format : {Format::toml, Format::json}) {
    const std::string text =
        print(everything_changed(), {.format = format, .with_secrets = false, .with_comments = false});
    EXPECT_THAT(text, HasSubstr("***"));
    EXPECT_THAT(text, Not(HasSubstr("\"secret")));
    EXPECT_THAT(text, Not(HasSubstr("top")));
  }
}

TEST(Printing, TheManualIsFresh) {
  std::ifstream file(FAIRLEAD_MANUAL);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == manual_markdown()) << "run: fairlead config default --markdown > docs/configuration.md";
}

TEST(Keys, HaveOnePlaceAndOneVariableEach) {
  std::set<std::string> paths;
  std::set<std::string> variables;
  for (const Key& key : keys()) {
    EXPECT_TRUE(paths.insert(key.path).second) << key.path;
    EXPECT_TRUE(variables.insert(environment_name(key.path)).second) << key.path;
    EXPECT_TRUE(key.doc.ends_with('.') || key.doc.ends_with("://…")) << key.path;
  }
}

TEST(Keys, ThatSoundSecretAre) {
  for (const Key& key : keys()) {
    const std::string_view word = std::string_view(key.path).substr(key.path.rfind('.') + 1);
    const bool sounds_secret = word.ends_with("secret_key") || word.starts_with("secret") ||
                               word.ends_with("_secret") || word == "key" || word == "password";
    EXPECT_EQ(key.traits.secret, sounds_secret || word == "static_headers") << key.path;
  }
}

// ── Reloading ───────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(Reloading, TellsWhatNeedsARestart) {
  Settings after;
  after.auth.token.hmac_secret_key = "new";
  after.listen.threads = 3;
  after.channel.namespaces["ab"].presence = true;
  const Difference difference = diff(Settings{}, after);
  EXPECT_THAT(difference.reloadable, ElementsAre("client.token.hmac_secret_key", "channel.namespaces"));
  EXPECT_THAT(difference.needs_restart, ElementsAre("listen.threads"));
}

TEST(Reloading, KeepsWhatNeedsARestart) {
  Settings after;
  after.auth.token.hmac_secret_key = "new";
  after.listen.threads = 3;
  after.listen.secure = {"0.0.0.0:1"};
  const Settings running = reloaded(Settings{}, after);
  EXPECT_EQ(running.auth.token.hmac_secret_key, "new");
  EXPECT_EQ(running.listen.threads, 0U);
  EXPECT_THAT(running.listen.secure, IsEmpty());
}

}  // namespace
}  // namespace fairlead::server::config
