// SPDX-License-Identifier: Apache-2.0
#include "api/webhooks.h"

#include "api/documents.h"
#include "api/secrets.h"
#include "api/testing/backend_server.h"
#include "api/testing/http_client_on_a_loop.h"
#include "api/webhook_codec.h"

#include <fairlead/certificate.h>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace fairlead::server {
namespace {

using std::chrono::milliseconds;
using testing::Arrival;
using testing::BackendServer;
using ::testing::HasSubstr;

Caller ann() {
  Caller caller;
  caller.client = "c1";
  caller.user = "ann";
  caller.transport = "websocket";
  caller.protocol = caller.encoding = "json";
  caller.headers = {{"cookie", "session=1"}, {"X-Tenant", "t1"}, {"authorization", "Bearer x"}, {"host", "evil"}};
  caller.emulated_headers = {{"X-Tenant", "forged"}, {"X-Page", "p1"}};
  caller.meta = R"({"role":"a"})";
  return caller;
}

template <class Answer>
bool is_internal(const Verdict<Answer>& verdict) {
  const auto* const error = std::get_if<ClientError>(&verdict);
  return error != nullptr && *error == client_error::internal;
}

// ── The JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────

TEST(WebhookQuestion, CarriesTheCallerAndItsEvent) {
  ProxySettings proxy;
  EXPECT_EQ(webhook::write(proxy, ConnectQuestion{ann(), "js", "1.0", R"({"a":1})", {"x"}}),
            R"({"client":"c1","transport":"websocket","protocol":"json","encoding":"json","user":"ann",)"
            R"("name":"js","version":"1.0","data":{"a":1},"channels":["x"]})");
  proxy.include_connection_meta = true;
  EXPECT_THAT(webhook::write(proxy, SubscribeQuestion{ann(), "news", "tok", {}}),
              HasSubstr(R"("user":"ann","meta":{"role":"a"},"channel":"news","token":"tok"})"));
  EXPECT_THAT(webhook::write_sub_refresh(proxy, ann(), "news"), HasSubstr(R"("channel":"news"})"));
  EXPECT_THAT(webhook::write(proxy, RpcQuestion{ann(), "m", "[1]"}), HasSubstr(R"("method":"m","data":[1]})"));
}

TEST(WebhookQuestion, BytesAreBase64) {
  ProxySettings proxy;
  EXPECT_THAT(webhook::write(proxy, PublishQuestion{ann(), "n", "\xff"}), HasSubstr(R"("b64data":"/w==")"));
  proxy.binary_encoding = true;
  EXPECT_THAT(webhook::write(proxy, PublishQuestion{ann(), "n", "{}"}), HasSubstr(R"("b64data":"e30=")"));
}

TEST(WebhookQuestion, ForwardsOnlyNamedFields) {
  ProxySettings proxy;
  proxy.static_headers = {{"X-Static", "s"}};
  const auto names = [&] {
    std::map<std::string, std::string> found;
    for (auto& [name, value] : webhook::header_fields(proxy, ann(), "{}", 7)) found[name] = value;
    return found;
  };
  EXPECT_EQ(names().size(), 2U);
  proxy.http_headers = {"x-tenant", "Cookie", "Host"};
  proxy.emulated_headers = {"x-tenant", "x-page"};
  const auto all = names();
  EXPECT_EQ(all.at("x-tenant"), "t1") << "what the transport says goes before what the client claims";
  EXPECT_EQ(all.at("x-page"), "p1");
  EXPECT_EQ(all.at("Cookie"), "session=1");
  EXPECT_EQ(all.count("Host") + all.count("authorization"), 0U);
}

TEST(WebhookQuestion, SignatureCoversTimeAndBody) {
  // RFC 4231 4.3, test case 2.
  EXPECT_EQ(hmac_sha256_hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(webhook_signature("k", "7", "{}"), hmac_sha256_hex("k", "7.{}"));
}

TEST(WebhookAnswer, ConnectResultIsReadWhole) {
  const auto reading = webhook::read<ConnectAnswer>({}, 200, R"({"result":{"user":"u","expire_at":5,"info":{"i":1},
    "b64data":"/w==","meta":{"m":1},"channels":["a"],"subs":{"b":{"info":2,"override":{"presence":{"value":true}}}}}})");
  const auto& answer = std::get<ConnectAnswer>(reading.verdict);
  EXPECT_EQ(answer.user + answer.info + answer.data + answer.meta, "u{\"i\":1}\xff{\"m\":1}");
  EXPECT_EQ(answer.expire_at, 5);
  EXPECT_THAT(answer.channels, ::testing::ElementsAre("a"));
  EXPECT_EQ(answer.subs.at("b").info, "2");
  EXPECT_EQ(answer.subs.at("b").overrides.presence, true);
}

TEST(WebhookAnswer, SubscribeResultMayChooseTheSlowPolicyOfTheSubscription) {
  const auto read = [](const std::string& overrides) {
    return webhook::read<SubscribeAnswer>({}, 200, R"({"result":{"override":)" + overrides + "}}");
  };
  const auto reading = read(R"({"slow_policy":{"value":"conflate"},"slow_queue_messages":{"value":7}})");
  const auto& answer = std::get<SubscribeAnswer>(reading.verdict);
  EXPECT_EQ(answer.overrides.slow_policy, SlowPolicy::conflate);
  EXPECT_EQ(answer.overrides.slow_queue_messages, 7U);
  EXPECT_FALSE(answer.overrides.slow_sample_per_second);
  const auto nonsense = read(R"({"slow_policy":{"value":"faster"}})");
  EXPECT_EQ(std::get<ClientError>(nonsense.verdict), client_error::internal);
  EXPECT_THAT(nonsense.problem, ::testing::HasSubstr("override.slow_policy.value"));
}

TEST(WebhookAnswer, PublishResultMayReplaceTheData) {
  const auto reading = webhook::read<PublishAnswer>(
      {}, 200, R"({"result":{"data":{"x":2},"skip_history":true,"tags":{"a":"b"},"version":3,"version_epoch":"e"}})");
  const auto& answer = std::get<PublishAnswer>(reading.verdict);
  EXPECT_EQ(answer.data, R"({"x":2})");
  EXPECT_TRUE(answer.skip_history);
  EXPECT_EQ(answer.version, 3U);
  EXPECT_FALSE(std::get<PublishAnswer>(webhook::read<PublishAnswer>({}, 200, R"({"result":{}})").verdict).data);
}

TEST(WebhookAnswer, ErrorAndDisconnectAreVerdicts) {
  const auto error = webhook::read<RpcAnswer>({}, 200, R"({"error":{"code":1000,"message":"no","temporary":true}})");
  EXPECT_EQ(std::get<ClientError>(error.verdict), (ClientError{1000, "no", true}));
  EXPECT_TRUE(error.sound);
  const auto gone = webhook::read<RpcAnswer>({}, 200, R"({"disconnect":{"code":4500,"reason":"bye"}})");
  EXPECT_EQ(std::get<DisconnectReason>(gone.verdict), (DisconnectReason{4500, "bye"}));
}

TEST(WebhookAnswer, NonsenseIsInternalAndNotSound) {
  for (const std::string_view body :
       {"", "null", "[]", "{}", "<html>", R"({"result":1})", R"({"result":{"data":)", R"({"error":{}})",
        R"({"error":{"code":-1}})", R"({"error":"x"})", R"({"disconnect":{"code":1000}})", R"({"disconnect":{}})",
        R"({"result":{"b64data":"!"}})"}) {
    const auto reading = webhook::read<RpcAnswer>({}, 200, body);
    EXPECT_TRUE(is_internal(reading.verdict)) << body;
    EXPECT_FALSE(reading.sound) << body;
    EXPECT_FALSE(reading.problem.empty()) << body;
  }
  const auto long_reason = R"({"disconnect":{"code":4000,"reason":")" + std::string(124, 'r') + R"("}})";
  EXPECT_FALSE(webhook::read<RpcAnswer>({}, 200, long_reason).sound);
}

TEST(WebhookAnswer, StatusesAreTransformed) {
  ProxySettings proxy;
  proxy.status_to_code_transforms = {{404, 1404, 0, "gone", true}, {403, 0, 4503, "out", false}};
  EXPECT_EQ(std::get<ClientError>(webhook::read<RpcAnswer>(proxy, 404, "").verdict), (ClientError{1404, "gone", true}));
  EXPECT_EQ(std::get<DisconnectReason>(webhook::read<RpcAnswer>(proxy, 403, "").verdict).code, 4503U);
  EXPECT_FALSE(webhook::read<RpcAnswer>(proxy, 500, "").sound);
}

// ── Against a backend ───────────────────────────────────────────────────────────────────────────────────────────────

Response result(std::string json) { return Response::json(200, R"({"result":)" + std::move(json) + "}"); }

// Sound, and longer than what is read unless more is configured.
Response two_mebibytes() { return result(R"({"data":")" + std::string(2 * 1024 * 1024, 'x') + "\"}"); }

class WebhookDelivery : public ::testing::Test {
 protected:
  testing::HttpClientOnALoop client;
  std::atomic<std::int64_t> now_ms{0};

  WebhookEnvironment environment() {
    WebhookEnvironment made;
    made.clock = [this] { return TimePoint{} + milliseconds(now_ms.load()); };
    made.unix_seconds = [] { return 1'700'000'000; };
    return made;
  }
  static ProxySettings to(const std::string& url) {
    ProxySettings proxy;
    proxy.endpoint = url;
    proxy.timeout = milliseconds(5'000);
    return proxy;
  }
  static BackendSettings everything_to(const ProxySettings& proxy) {
    BackendSettings settings;
    settings.connect = settings.refresh = settings.named["default:rpc"] = settings.named["default"] = proxy;
    return settings;
  }
  Verdict<RpcAnswer> rpc(Webhooks& hooks) {
    Arrival<Verdict<RpcAnswer>> arrival;
    hooks.rpc("default:rpc", {ann(), "m", "1"}, arrival.setter());
    return arrival.wait();
  }
  Verdict<RefreshAnswer> refresh(Webhooks& hooks) {
    Arrival<Verdict<RefreshAnswer>> arrival;
    hooks.refresh(ann(), arrival.setter());
    return arrival.wait();
  }
};

TEST_F(WebhookDelivery, EachEventIsAskedAndAnswered) {
  BackendServer backend([](const Request&) { return result(R"({"user":"u","data":[1],"info":2,"expire_at":3})"); });
  auto proxy = to(backend.listen() + "/hook?x=1");
  proxy.signing_secret = "s3";
  proxy.http_headers = {"X-Tenant"};
  Webhooks hooks(everything_to(proxy), client, environment());

  Arrival<Verdict<ConnectAnswer>> connect;
  hooks.connect({ann(), "js", "", {}, {}}, connect.setter());
  EXPECT_EQ(std::get<ConnectAnswer>(connect.wait()).user, "u");
  EXPECT_EQ(std::get<RefreshAnswer>(refresh(hooks)).expire_at, 3);
  Arrival<Verdict<SubscribeAnswer>> subscribe;
  hooks.subscribe("default", {ann(), "news", {}, {}}, subscribe.setter());
  EXPECT_EQ(std::get<SubscribeAnswer>(subscribe.wait()).info, "2");
  Arrival<Verdict<PublishAnswer>> publish;
  hooks.publish("default", {ann(), "news", "{}"}, publish.setter());
  EXPECT_EQ(std::get<PublishAnswer>(publish.wait()).data, "[1]");
  Arrival<Verdict<RefreshAnswer>> sub_refresh;
  hooks.sub_refresh("default", ann(), "news", sub_refresh.setter());
  EXPECT_EQ(std::get<RefreshAnswer>(sub_refresh.wait()).info, "2");
  EXPECT_EQ(std::get<RpcAnswer>(rpc(hooks)).data, "[1]");

  const auto requests = backend.requests();
  ASSERT_EQ(requests.size(), 6U);
  for (const auto& request : requests) {
    EXPECT_EQ(request.method + request.target, "POST/hook?x=1");
    EXPECT_EQ(request.headers.find("Content-Type"), "application/json");
    EXPECT_EQ(request.headers.find("X-Tenant"), "t1");
    EXPECT_EQ(request.headers.find("X-Fairlead-Timestamp"), "1700000000");
    EXPECT_EQ(request.headers.find("X-Fairlead-Signature"), hmac_sha256_hex("s3", "1700000000." + request.body));
    EXPECT_FALSE(request.headers.contains("Cookie") || request.headers.contains("Authorization"));
  }
}

TEST_F(WebhookDelivery, WhatIsNotConfiguredIsNotAvailable) {
  Webhooks hooks({}, client, environment());
  EXPECT_EQ(std::get<ClientError>(rpc(hooks)), client_error::not_available);
  EXPECT_EQ(std::get<ClientError>(refresh(hooks)), client_error::not_available);
}

TEST_F(WebhookDelivery, BadAnswersAreInternalErrors) {
  BackendServer backend([](const Request&) { return Response::text(500, "broken"); });
  Webhooks hooks(everything_to(to(backend.listen() + "/")), client, environment());
  EXPECT_TRUE(is_internal(rpc(hooks)));
  backend.answer([](const Request&) { return Response::text(200, "<html>"); });
  EXPECT_TRUE(is_internal(rpc(hooks)));
  backend.answer([](const Request&) { return two_mebibytes(); });
  EXPECT_TRUE(is_internal(rpc(hooks)));
  EXPECT_EQ(backend.requests().size(), 3U) << "what was answered is not asked again";
  backend.answer([](const Request&) { return Response::redirect("/elsewhere"); });
  EXPECT_TRUE(is_internal(rpc(hooks)));
  EXPECT_EQ(backend.requests().size(), 4U) << "redirects are not followed";
}

TEST_F(WebhookDelivery, AnAnswerMayBeAsLongAsIsConfigured) {
  BackendServer backend([](const Request&) { return two_mebibytes(); });
  auto settings = everything_to(to(backend.listen() + "/"));
  settings.answer_bytes = 3 * 1024 * 1024;
  Webhooks hooks(settings, client, environment());
  EXPECT_EQ(std::get<RpcAnswer>(rpc(hooks)).data.size(), 2 * 1024 * 1024 + 2U);
}

TEST_F(WebhookDelivery, DeadBackendOpensTheBreakerUntilItIsBack) {
  std::string url;
  {
    BackendServer gone([](const Request&) { return result("{}"); });
    url = gone.listen();
  }
  auto proxy = to(url + "/");
  proxy.breaker_failures = 2;
  proxy.breaker_pause = milliseconds(1'000);
  proxy.retries = 1;
  Webhooks hooks(everything_to(proxy), client, environment());
  EXPECT_TRUE(is_internal(rpc(hooks)));
  EXPECT_TRUE(is_internal(rpc(hooks)));
  const auto asked = client.stats().exchanges;
  EXPECT_EQ(asked, 4U) << "nothing was sent, so each was tried again once";
  EXPECT_TRUE(is_internal(rpc(hooks)));
  EXPECT_EQ(client.stats().exchanges, asked) << "the breaker is open";
  EXPECT_FALSE(is_internal(refresh(hooks)) && client.stats().exchanges == asked)
      << "each proxy has a breaker of its own";
  const auto text = write_prometheus(hooks.metrics());
  EXPECT_THAT(text, HasSubstr("fairlead_webhook_breaker_open{proxy=\"proxy:default:rpc\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("fairlead_webhook_refused_total{proxy=\"proxy:default:rpc\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("fairlead_webhook_retries_total{proxy=\"proxy:default:rpc\"} 2\n"));

  const auto before_pause_ends = client.stats().exchanges;
  now_ms = 999;
  EXPECT_TRUE(is_internal(rpc(hooks)));
  EXPECT_EQ(client.stats().exchanges, before_pause_ends);
  now_ms = 1'000;
  EXPECT_TRUE(is_internal(rpc(hooks)));
  EXPECT_GT(client.stats().exchanges, before_pause_ends) << "one question finds out";
}

// Reads one request on each connection and ends it: with an answer, without one, or not before the client gives up.
class RawBackend {
 public:
  enum class Then { answer, hang_up, answer_once_then_hang_up, answer_once_then_nothing, nothing, no_http };

  explicit RawBackend(Then then) : then_(then), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~RawBackend() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    ::shutdown(connection_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  int requests() const { return requests_; }

 private:
  void serve() {
    for (int socket = 0; (socket = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      connection_ = socket;
      while (!ending_ && serve_one(socket)) {
      }
      connection_ = -1;
      ::close(socket);
    }
  }
  // Whether the connection goes on.
  bool serve_one(int socket) {
    std::string request;
    for (char c = 0; !request.ends_with('}');) {
      if (::recv(socket, &c, 1, 0) != 1) return false;
      request += c;
    }
    const int number = ++requests_;
    if (then_ == Then::nothing || (then_ == Then::answer_once_then_nothing && number > 1)) {
      char c = 0;
      return ::recv(socket, &c, 1, 0) > 0;
    }
    if (then_ == Then::hang_up || (then_ == Then::answer_once_then_hang_up && number == 2)) return false;
    if (then_ == Then::no_http) {
      static_cast<void>(::send(socket, "\x15\x03\x01\x00\x02\x02\x16", 7, MSG_NOSIGNAL));  // as a port of TLS does
      return false;
    }
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"result\":{}}";
    return ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) > 0;
  }

  const Then then_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_ = 0;
  std::atomic<int> connection_ = -1;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

TEST_F(WebhookDelivery, AReloadForgetsNothingOfABackendThatStaysWhereItIs) {
  std::string url;
  {
    BackendServer gone([](const Request&) { return result("{}"); });
    url = gone.listen();
  }
  auto proxy = to(url + "/");
  proxy.breaker_failures = 1;
  proxy.breaker_pause = milliseconds(1'000);
  proxy.retries = 0;
  auto hooks = std::make_unique<Webhooks>(everything_to(proxy), client, environment());
  EXPECT_TRUE(is_internal(rpc(*hooks)));
  const auto asked = client.stats().exchanges;

  auto settings = everything_to(proxy);
  settings.named["default:rpc"].timeout = milliseconds(4'000);  // something else has changed
  settings.named["new"] = proxy;
  hooks = std::make_unique<Webhooks>(settings, client, environment(), hooks.get());
  EXPECT_TRUE(is_internal(rpc(*hooks)));
  EXPECT_EQ(client.stats().exchanges, asked) << "the breaker is still open";
  const auto text = write_prometheus(hooks->metrics());
  EXPECT_THAT(text, HasSubstr("fairlead_webhook_requests_total{proxy=\"proxy:default:rpc\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("fairlead_webhook_refused_total{proxy=\"proxy:default:rpc\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("fairlead_webhook_breaker_open{proxy=\"proxy:new\"} 0\n"));

  settings.named["default:rpc"].endpoint = url + "/elsewhere";
  hooks = std::make_unique<Webhooks>(settings, client, environment(), hooks.get());
  EXPECT_TRUE(is_internal(rpc(*hooks)));
  EXPECT_EQ(client.stats().exchanges, asked + 1) << "another address, of which nothing is known";

  settings.named["default:rpc"].tls_ca_file = "/nonexistent.pem";
  hooks = std::make_unique<Webhooks>(settings, client, environment(), hooks.get());
  EXPECT_TRUE(is_internal(rpc(*hooks)));
  const auto again = write_prometheus(hooks->metrics());
  EXPECT_THAT(again, HasSubstr("fairlead_webhook_refused_total{proxy=\"proxy:default:rpc\"} 0\n"))
      << "another authority may be the repair";
}

TEST_F(WebhookDelivery, BrokenConnectionIsTriedAgainOnlyWhereItDoesNoHarm) {
  RawBackend backend(RawBackend::Then::hang_up);
  Webhooks hooks(everything_to(to(backend.url())), client, environment());
  EXPECT_TRUE(is_internal(rpc(hooks)));
  EXPECT_EQ(backend.requests(), 1) << "it may have happened";
  EXPECT_TRUE(is_internal(refresh(hooks)));
  EXPECT_EQ(backend.requests(), 3);
}

TEST_F(WebhookDelivery, CallIsNotSentAgainOnANewConnectionWhenAKeptOneBreaks) {
  RawBackend backend(RawBackend::Then::answer_once_then_hang_up);
  Webhooks hooks(everything_to(to(backend.url())), client, environment());
  EXPECT_FALSE(is_internal(rpc(hooks)));
  EXPECT_TRUE(is_internal(rpc(hooks)));
  EXPECT_EQ(backend.requests(), 2);
  EXPECT_FALSE(is_internal(rpc(hooks)));
}

TEST_F(WebhookDelivery, LateBackendIsAnInternalErrorAndNotAskedAgain) {
  RawBackend backend(RawBackend::Then::nothing);
  auto proxy = to(backend.url());
  proxy.timeout = milliseconds(100);
  Webhooks hooks(everything_to(proxy), client, environment());
  EXPECT_TRUE(is_internal(refresh(hooks)));
  EXPECT_EQ(backend.requests(), 1);
}

TEST_F(WebhookDelivery, CallThatIsLateOnAKeptConnectionIsNotAskedAgain) {
  RawBackend backend(RawBackend::Then::answer_once_then_nothing);
  auto proxy = to(backend.url());
  Webhooks first(everything_to(proxy), client, environment());
  EXPECT_FALSE(is_internal(rpc(first)));
  proxy.timeout = milliseconds(100);
  proxy.retries = 2;
  Webhooks hooks(everything_to(proxy), client, environment());
  EXPECT_TRUE(is_internal(rpc(hooks)));
  EXPECT_EQ(backend.requests(), 2);
  EXPECT_THAT(write_prometheus(hooks.metrics()),
              HasSubstr("fairlead_webhook_retries_total{proxy=\"proxy:default:rpc\"} 0\n"));
}

TEST_F(WebhookDelivery, BackendThatDoesNotSpeakHttpWasAsked) {
  RawBackend backend(RawBackend::Then::no_http);
  HttpExchange exchange;
  exchange.url = backend.url();
  exchange.post = "{}";
  exchange.repeatable = false;
  Arrival<HttpAnswer> arrival;
  client.send(std::move(exchange), arrival.setter());
  const HttpAnswer answer = arrival.wait();
  EXPECT_EQ(answer.failure, HttpFailure::broken);
  EXPECT_FALSE(answer.surely_not_sent());
  EXPECT_THAT(answer.sentence, HasSubstr("does not speak HTTP"));
  EXPECT_EQ(backend.requests(), 1);
}

TEST_F(WebhookDelivery, WhatIsOpenIsAnsweredWhenTheClientStops) {
  RawBackend backend(RawBackend::Then::nothing);
  auto proxy = to(backend.url());
  proxy.connections = 1;
  Webhooks hooks(everything_to(proxy), client, environment());
  Arrival<Verdict<RpcAnswer>> running;
  Arrival<Verdict<RpcAnswer>> waiting;
  Arrival<Verdict<RpcAnswer>> refused;
  hooks.rpc("default:rpc", {ann(), "m", "1"}, running.setter());
  hooks.rpc("default:rpc", {ann(), "m", "2"}, waiting.setter());
  client.stop();
  EXPECT_TRUE(is_internal(running.wait()) && is_internal(waiting.wait()));
  hooks.rpc("default:rpc", {ann(), "m", "3"}, refused.setter());
  EXPECT_TRUE(is_internal(refused.wait()));
  EXPECT_EQ(running.count() + waiting.count() + refused.count(), 3U);
}

TEST_F(WebhookDelivery, QueueIsBounded) {
  RawBackend backend(RawBackend::Then::nothing);
  Arrival<HttpAnswer> arrival;
  std::atomic<std::size_t> answered = 0;
  HttpExchange exchange;
  exchange.url = backend.url();
  exchange.post = "{}";
  exchange.timeout = milliseconds(60'000);
  exchange.connections = 1;
  for (std::size_t i = 0; i < HttpClient::queue_limit + 10; ++i) {
    client.send(exchange, [&answered](const HttpAnswer&) { ++answered; });
  }
  EXPECT_GE(answered, 9U);
  EXPECT_GE(client.stats().refused, 9U);
  client.stop();
  EXPECT_EQ(answered, HttpClient::queue_limit + 10);
}

TEST_F(WebhookDelivery, CertificateMustVerify) {
  const auto directory = std::filesystem::temp_directory_path() / ("fairlead-webhooks-" + random_hex(8));
  const auto certificate = ensure_development_certificate(directory.string());
  ASSERT_TRUE(certificate) << to_string(certificate.error());
  BackendServer backend([](const Request&) { return result("{}"); }, Tls::development(directory.string()));
  auto proxy = to(backend.listen_with_tls() + "/");
  proxy.retries = 0;
  Webhooks wary(everything_to(proxy), client, environment());
  EXPECT_TRUE(is_internal(rpc(wary)));
  EXPECT_EQ(backend.requests().size(), 0U);
  proxy.tls_ca_file = certificate->ca_file;
  Webhooks trusting(everything_to(proxy), client, environment());
  EXPECT_FALSE(is_internal(rpc(trusting)));
  EXPECT_TRUE(is_internal(rpc(wary))) << "neither a kept connection nor a session of whoever trusts more is used";
  std::filesystem::remove_all(directory);
}

TEST_F(WebhookDelivery, AuthorityThatIsReplacedInItsFileCountsAtOnce) {
  const auto directory = std::filesystem::temp_directory_path() / ("fairlead-webhooks-" + random_hex(8));
  const auto theirs = ensure_development_certificate((directory / "theirs").string());
  const auto other = ensure_development_certificate((directory / "other").string());
  ASSERT_TRUE(theirs && other);
  const auto trusted = directory / "trusted.pem";
  std::filesystem::copy_file(theirs->ca_file, trusted);
  BackendServer backend([](const Request&) { return result("{}"); }, Tls::development((directory / "theirs").string()));
  HttpExchange exchange;
  exchange.url = backend.listen_with_tls() + "/";
  exchange.timeout = milliseconds(5'000);
  exchange.tls_ca_file = trusted.string();
  exchange.headers = {{"Connection", "close"}};
  Arrival<HttpAnswer> before;
  client.send(exchange, before.setter());
  EXPECT_EQ(before.wait().status, 200);
  std::filesystem::copy_file(other->ca_file, trusted, std::filesystem::copy_options::overwrite_existing);
  Arrival<HttpAnswer> after;
  client.send(exchange, after.setter());
  EXPECT_EQ(after.wait().failure, HttpFailure::certificate) << "also not by a session of before";
  EXPECT_EQ(after.wait().status, 0);
  std::filesystem::remove_all(directory);
}

TEST_F(WebhookDelivery, ProxyOfTheEnvironmentIsNotUsed) {
  BackendServer backend([](const Request&) { return result("{}"); });
  const auto url = backend.listen();
  ::setenv("http_proxy", "http://127.0.0.1:9", 1);  // NOLINT(concurrency-mt-unsafe): before the client asks
  Webhooks hooks(everything_to(to(url + "/")), client, environment());
  EXPECT_FALSE(is_internal(rpc(hooks)));
  ::unsetenv("http_proxy");  // NOLINT(concurrency-mt-unsafe)
}

// ── Documents ───────────────────────────────────────────────────────────────────────────────────────────────────────

TEST_F(WebhookDelivery, DocumentsComeByHttpAndFromFiles) {
  BackendServer backend([](const Request& request) {
    return request.path == "/keys" ? Response::json(200, R"({"keys":[]})") : Response::empty(404);
  });
  const auto url = backend.listen();
  const auto fetch = fetch_documents(client);
  Arrival<Outcome<std::string>> found;
  fetch(url + "/keys", found.setter());
  EXPECT_EQ(found.wait().value_or(""), R"({"keys":[]})");
  Arrival<Outcome<std::string>> missing;
  fetch(url + "/other", missing.setter());
  EXPECT_THAT(missing.wait().error().sentence, HasSubstr("404"));
  EXPECT_EQ(backend.requests().front().method, "GET");

  const auto path = std::filesystem::temp_directory_path() / ("fairlead-keys-" + random_hex(8));
  std::ofstream(path) << "{}";
  for (const std::string prefix : {"file:", "file://"}) {
    Arrival<Outcome<std::string>> file;
    fetch(prefix + path.string(), file.setter());
    EXPECT_EQ(file.wait().value_or(""), "{}");
  }
  std::filesystem::remove(path);
  Arrival<Outcome<std::string>> gone;
  fetch("file:" + path.string(), gone.setter());
  EXPECT_FALSE(gone.wait().has_value());
  Arrival<Outcome<std::string>> foreign;
  fetch("gopher://127.0.0.1/", foreign.setter());
  EXPECT_FALSE(foreign.wait().has_value());
}

}  // namespace
}  // namespace fairlead::server
