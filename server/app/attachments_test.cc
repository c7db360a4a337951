// SPDX-License-Identifier: Apache-2.0
// Through a real server, with the real decisions about tokens; the backend is the test's own.
#include "app/attachments.h"

#include "auth/jose.h"
#include "auth/policy.h"
#include "transport/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace fairlead::server {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* secret = "the secret of the tests, long enough";
const std::string png = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on"s;

class FakeBackend final : public Backend {
 public:
  using Answering = std::function<Verdict<RpcAnswer>(const RpcQuestion&)>;

  void connect(ConnectQuestion /*question*/, Judged<ConnectAnswer> judged) override { judged(client_error::internal); }
  void refresh(Caller /*caller*/, Judged<RefreshAnswer> judged) override { judged(client_error::internal); }
  void subscribe(const std::string& /*proxy*/, SubscribeQuestion /*question*/,
                 Judged<SubscribeAnswer> judged) override {
    judged(client_error::internal);
  }
  void publish(const std::string& /*proxy*/, PublishQuestion /*question*/, Judged<PublishAnswer> judged) override {
    judged(client_error::internal);
  }
  void sub_refresh(const std::string& /*proxy*/, Caller /*caller*/, std::string /*channel*/,
                   Judged<RefreshAnswer> judged) override {
    judged(client_error::internal);
  }
  void rpc(const std::string& proxy, RpcQuestion question, Judged<RpcAnswer> judged) override {
    std::unique_lock lock(mutex_);
    asked_.push_back(proxy + " " + question.method + " " + question.caller.user + " " + question.data);
    if (holds_) {
      held_.push_back(std::move(judged));
      return arrived_.notify_all();
    }
    const auto answer = answering_(question);
    lock.unlock();
    judged(answer);
  }

  void answer(Answering answering) {
    const std::scoped_lock lock(mutex_);
    answering_ = std::move(answering);
  }
  std::vector<std::string> asked() {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }
  // From now on questions wait, until `release`.
  void hold() {
    const std::scoped_lock lock(mutex_);
    holds_ = true;
  }
  bool holds(std::size_t count) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, std::chrono::seconds(10), [&] { return held_.size() >= count; });
  }
  void release() {
    std::vector<Judged<RpcAnswer>> held;
    {
      const std::scoped_lock lock(mutex_);
      holds_ = false;
      held.swap(held_);
    }
    for (const auto& judged : held) judged(RpcAnswer{R"({"id":"late"})"});
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  Answering answering_ = [](const RpcQuestion&) { return RpcAnswer{R"({"id":"p1"})"}; };
  std::vector<std::string> asked_;
  bool holds_ = false;
  std::vector<Judged<RpcAnswer>> held_;
};

std::string token_of(const std::string& claims) {
  return "Authorization: Bearer " + sign_token(Algorithm::hs256, secret, claims).value() + "\r\n";
}

class AttachmentsByHttp : public ::testing::Test {
 protected:
  void SetUp() override {
    settings.enabled = true;
    settings.max_bytes = 4'096;
    settings.at_a_time = 3;
    settings.at_a_time_of_user = 2;
    AuthSettings auth;
    auth.token.hmac_secret_key = secret;
    auth.allow_anonymous_connect_without_token = true;
    policy = make_policy(auth, ChannelSettings{}, {}).value();
    AttachmentEnvironment environment;
    environment.gatekeeper = [this] {
      return make_gatekeeper({.policy = [this] { return policy; },
                              .backend = nullptr,
                              .revocations = nullptr,
                              .wall_clock = [] { return std::chrono::system_clock::now(); },
                              .post = [loop = LoopHandle::current()](auto work) { loop.post(std::move(work)); }});
    };
    environment.backend = &backend;
    environment.refuse = [](const Request& request, std::string_view methods) -> std::optional<Response> {
      if (methods.find(request.method) == std::string_view::npos) return Response::text(405, std::string(methods));
      return std::nullopt;
    };
    environment.add_cors = [](const Request&, Headers& headers) { headers.add("X-Cors", "here"); };
    add_attachments(server, settings, std::move(environment));
    const auto where = server.dangerously_listen_without_tls("127.0.0.1:0");
    ASSERT_TRUE(where) << to_string(where.error());
    ASSERT_TRUE(server.start());
    port = where->port;
  }
  void TearDown() override {
    backend.release();
    server.stop();
  }

  std::string put(const std::string& bytes, const std::string& fields) const {
    return testing::ask(port, testing::post_of("/attachments", bytes, fields));
  }
  std::string get(const std::string& id, const std::string& fields) const {
    return testing::ask(port, testing::get_of("/attachments/" + id, fields));
  }

  FakeBackend backend;
  AttachmentSettings settings;
  std::shared_ptr<const Policy> policy;
  std::string ada = token_of(R"({"sub":"ada"})");
  std::uint16_t port = 0;
  Server server{[] {
    ServerOptions options;
    options.threads = 1;
    return options;
  }()};
};

using AttachmentsPut = AttachmentsByHttp;
using AttachmentsGet = AttachmentsByHttp;

TEST_F(AttachmentsPut, TheBackendGetsTheBytesAndItsAnswerIsTheAnswer) {
  const std::string answer = put(png, ada);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"
                               R"({"id":"p1"})"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/json"));
  EXPECT_THAT(answer, HasSubstr("X-Cors: here"));
  EXPECT_THAT(backend.asked(), ElementsAre("default:rpc attachments.put ada " + png));
}

TEST_F(AttachmentsPut, WithoutAGoodTokenNothingIsAsked) {
  for (const std::string& fields :
       {""s, "Authorization: Bearer x.y.z\r\n"s, "Authorization: Basic YTpi\r\n"s,
        "Authorization: Bearer " + sign_token(Algorithm::hs256, "another secret", R"({"sub":"ada"})").value() + "\r\n",
        token_of(R"({"sub":"ada","exp":1})")}) {
    const std::string answer = put(png, fields);
    // Without a token one may connect here, but has no name.
    const bool nameless = fields.empty() || fields.find("Basic") != std::string::npos;
    EXPECT_THAT(answer, StartsWith(nameless ? "HTTP/1.1 403 " : "HTTP/1.1 401 ")) << fields;
    EXPECT_THAT(answer, HasSubstr(R"("error":{"code":)")) << fields;
    EXPECT_EQ(answer.find("WWW-Authenticate: Bearer") == std::string::npos, nameless) << fields;
  }
  EXPECT_THAT(put(png, token_of(R"({"sub":""})")), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(backend.asked(), IsEmpty());
}

TEST_F(AttachmentsPut, OnlyPicturesAreTakenWhateverTheyCallThemselves) {
  for (const std::string& bytes : {"<svg xmlns='http://www.w3.org/2000/svg'/>"s, "<html></html>"s, "GIF"s, ""s,
                                   "\0\0\0\x20"
                                   "ftypavif"s}) {
    const std::string answer = put(bytes, ada + "Content-Type: image/png\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 415 ")) << bytes;
    EXPECT_THAT(answer, HasSubstr("image/jpeg, image/png, image/webp, image/gif")) << bytes;
  }
  EXPECT_THAT(backend.asked(), IsEmpty());
}

TEST_F(AttachmentsPut, TheLargestIsTakenAndOneByteMoreIs413) {
  std::string largest = png;
  largest.resize(settings.max_bytes, 'x');
  EXPECT_THAT(put(largest, ada), StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(put(largest + "x", ada), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(backend.asked().size(), 1U);
}

TEST_F(AttachmentsPut, WhatTheBackendSaysBecomesAStatus) {
  struct Case {
    Verdict<RpcAnswer> verdict;
    const char* status;
  };
  const std::vector<Case> cases{{client_error::internal, "502"},
                                {client_error::too_many_requests, "429"},
                                {client_error::permission_denied, "403"},
                                {client_error::limit_exceeded, "403"},
                                {client_error::method_not_found, "404"},
                                {client_error::not_available, "404"},
                                {ClientError{1000, "not in the mood", false}, "400"},
                                {disconnect_reason::force_disconnect, "403"},
                                {RpcAnswer{"no JSON"}, "502"},
                                {RpcAnswer{}, "502"}};
  for (const auto& [verdict, status] : cases) {
    backend.answer([&verdict](const RpcQuestion&) { return verdict; });
    EXPECT_THAT(put(png, ada), StartsWith("HTTP/1.1 "s + status + " "));
  }
  backend.answer([](const RpcQuestion&) { return ClientError{1000, "not in the mood", false}; });
  EXPECT_THAT(put(png, ada), EndsWith("\r\n\r\n"
                                      R"({"error":{"code":1000,"message":"not in the mood"}})"));
}

TEST_F(AttachmentsPut, NoUserAndNotAllTogetherFillTheMemory) {
  const auto begin = [this](const std::string& fields) {
    auto peer = std::make_unique<testing::RawPeer>(port);
    peer->send(testing::post_of("/attachments", png, fields));
    return peer;
  };
  const std::string bob = token_of(R"({"sub":"bob"})");
  backend.hold();
  const auto first = begin(ada);
  const auto second = begin(ada);
  ASSERT_TRUE(backend.holds(2));
  const std::string refused = put(png, ada);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 429 "));
  EXPECT_THAT(refused, HasSubstr("Retry-After: 1"));
  const auto third = begin(bob);
  ASSERT_TRUE(backend.holds(3));
  EXPECT_THAT(put(png, token_of(R"({"sub":"carl"})")), StartsWith("HTTP/1.1 429 ")) << "as many as there may be in all";
  backend.release();
  for (const auto* peer : {&first, &second, &third})
    EXPECT_THAT((*peer)->read_until("late"), StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(put(png, ada), StartsWith("HTTP/1.1 201 ")) << "the places are free again";
}

TEST_F(AttachmentsPut, AnotherMethodIsRefused) {
  EXPECT_THAT(testing::ask(port, testing::get_of("/attachments", ada)), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(testing::ask(port, testing::post_of("/attachments/p1", png, ada)), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(backend.asked(), IsEmpty());
}

TEST_F(AttachmentsGet, APictureComesSoThatNothingInItCanRun) {
  backend.answer([](const RpcQuestion&) { return RpcAnswer{png}; });
  const std::string answer = get("p1", ada);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n" + png));
  for (const char* field :
       {"Content-Type: image/png\r\n", "X-Content-Type-Options: nosniff\r\n",
        "Content-Security-Policy: default-src 'none'; sandbox\r\n", "Content-Disposition: attachment\r\n",
        "Cross-Origin-Resource-Policy: same-origin\r\n", "Cache-Control: private, max-age=31536000, immutable\r\n",
        "Vary: Authorization, Cookie\r\n"})
    EXPECT_THAT(answer, HasSubstr(field));
  EXPECT_THAT(backend.asked(), ElementsAre(R"(default:rpc attachments.get ada {"id":"p1"})"));
}

TEST_F(AttachmentsGet, WhatIsNoPictureIsNotPassedOnEvenFromTheBackend) {
  for (const std::string& bytes : {"<script>1</script>"s, "{\"a\":1}"s,
                                   "\0\0\0\x20"
                                   "ftypavif"s}) {
    backend.answer([&bytes](const RpcQuestion&) { return RpcAnswer{bytes}; });
    const std::string answer = get("p1", ada);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 502 ")) << bytes;
    EXPECT_THAT(answer, Not(HasSubstr(bytes))) << bytes;
    EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store")) << bytes;
  }
}

TEST_F(AttachmentsGet, WhatThereIsNotIs404) {
  backend.answer([](const RpcQuestion&) { return RpcAnswer{}; });
  EXPECT_THAT(get("p1", ada), StartsWith("HTTP/1.1 404 "));
  EXPECT_EQ(backend.asked().size(), 1U);
  for (const std::string& id : {"a/b"s, "a%22b"s, "a.png"s, std::string(129, 'a'), ""s})
    EXPECT_THAT(get(id, ada), StartsWith("HTTP/1.1 404 ")) << id;
  EXPECT_EQ(backend.asked().size(), 1U) << "what can be no name is not asked for";
}

TEST_F(AttachmentsGet, ATokenIsNeeded) {
  backend.answer([](const RpcQuestion&) { return RpcAnswer{png}; });
  EXPECT_THAT(get("p1", ""), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(get("p1", "Authorization: Bearer x.y.z\r\n"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(backend.asked(), IsEmpty());
}

}  // namespace
}  // namespace fairlead::server
