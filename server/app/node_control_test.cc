// SPDX-License-Identifier: Apache-2.0
#include "app/node_control.h"

#include "app/engines.h"
#include "session/session_testing.h"
#include "transport/testing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::server {
namespace {

class NoBackend final : public Backend {
 public:
  void connect(ConnectQuestion, Judged<ConnectAnswer> judged) override { judged(client_error::not_available); }
  void refresh(Caller, Judged<RefreshAnswer> judged) override { judged(client_error::not_available); }
  void subscribe(const std::string&, SubscribeQuestion, Judged<SubscribeAnswer> judged) override {
    judged(client_error::not_available);
  }
  void publish(const std::string&, PublishQuestion, Judged<PublishAnswer> judged) override {
    judged(client_error::not_available);
  }
  void sub_refresh(const std::string&, Caller, std::string, Judged<RefreshAnswer> judged) override {
    judged(client_error::not_available);
  }
  void rpc(const std::string&, RpcQuestion, Judged<RpcAnswer> judged) override { judged(client_error::not_available); }
};

class SilentOutbox final : public Outbox {
 public:
  void reply(const Reply&) override {}
  void push(const Push&) override {}
  void publication(const Delivery&, const WireForm&) override {}
  void ping() override {}
  void disconnect(const DisconnectReason& reason) override { ended_with = reason.code; }
  [[nodiscard]] WireFormat format() const noexcept override { return WireFormat::json; }
  [[nodiscard]] Envelope envelope() const noexcept override { return Envelope::reply; }
  [[nodiscard]] std::size_t queued_bytes() const noexcept override { return 0; }
  std::uint32_t ended_with = 0;
};

std::unique_ptr<Engine> memory_engine() {
  auto engine = make_engine({}, [](const Fault&) {});
  if (!engine) throw std::runtime_error("no engine");
  return std::move(*engine);
}

// A node with one loop and the engine in memory, and a trace that remembers three records of each kind.
struct ANode : ::testing::Test {
  ANode() {
    if (!node.start_engine()) throw std::runtime_error("the engine does not start");
    if (!server->dangerously_listen_without_tls("127.0.0.1:0")) throw std::runtime_error("cannot listen");
    if (!server->start()) throw std::runtime_error("the server does not start");
    node.set_ready(true);
  }
  ~ANode() override {
    server.reset();
    node.stop_engine();
  }
  void on_loop(const std::function<void()>& work) {
    std::promise<void> done;
    has_loop.wait();
    loop.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  std::shared_ptr<Session> subscribe(const std::string& channel) {
    std::shared_ptr<Session> session;
    on_loop([&] {
      session = node.open_session(outbox, {}, {});
      if (!session) return;
      session->receive({Command{1, ConnectRequest{}}}, Clock::now());
      SubscribeRequest request;
      request.channel = channel;
      session->receive({Command{2, std::move(request)}}, Clock::now());
    });
    return session;
  }
  void has(TraceKind kind, const std::string& client, std::uint64_t offset = 0) {
    trace.add({1, kind, client, "", "news", offset, 0, ""});
  }
  std::string verdict(const std::string& client, const std::string& channel, std::uint64_t offset) {
    std::promise<std::string> verdict;
    control.why({.client = client, .user = "", .channel = channel, .offset = offset},
                [&](Answer<TraceAnswer> answer) { verdict.set_value(answer ? answer->verdict : "error"); });
    return verdict.get_future().get();
  }

  std::unique_ptr<Engine> engine = memory_engine();
  testing::FakeCodec json{WireFormat::json}, protobuf{WireFormat::protobuf};
  testing::FakeEncoder encoder;
  testing::TestEventLog events;
  TraceRing trace{3};
  NoBackend backend;
  Revocations revocations{engine->store()};
  SilentOutbox outbox;
  std::shared_ptr<testing::TestGate> gate = std::make_shared<testing::TestGate>();
  Node node{{.engine = *engine,
             .events = events,
             .encoder = encoder,
             .json = json,
             .protobuf = protobuf,
             .trace = trace,
             .gatekeeper = [this](const Node::Parts::Post&) { return gate; }},
            std::make_shared<const Settings>()};
  LoopHandle loop;
  std::promise<void> started;
  std::shared_future<void> has_loop = started.get_future().share();
  std::unique_ptr<Server> server = std::make_unique<Server>(
      ServerOptions{.threads = 1, .loop_started = [this](const LoopHandle& one, unsigned index) {
                      node.loop_started(one, index);
                      loop = one;
                      started.set_value();
                    }});
  NodeControl control{node, revocations, backend, [] { return ServerStats{}; },
                      [] { return std::vector<MetricFamily>{}; }};
};

TEST_F(ANode, ListsTheChannelsOfAPatternInTheirCase) {
  std::vector<std::shared_ptr<Session>> sessions;
  for (const char* channel : {"news:a", "news:b", "News:a", "other"}) sessions.push_back(subscribe(channel));
  const auto names = [this](const std::string& pattern) {
    std::promise<std::vector<std::string>> listed;
    control.channels(pattern, [&](Answer<std::map<std::string, ChannelSummary>> answer) {
      std::vector<std::string> all;
      for (const auto& [name, summary] : answer.value()) all.push_back(name);
      listed.set_value(std::move(all));
    });
    return listed.get_future().get();
  };
  EXPECT_EQ(names("news:*"), (std::vector<std::string>{"news:a", "news:b"}));
  EXPECT_EQ(names("?ews:a"), (std::vector<std::string>{"News:a", "news:a"}));
  EXPECT_EQ(names("OTHER"), std::vector<std::string>{});
  EXPECT_EQ(names("").size(), 4U);
  on_loop([&] {
    for (const auto& session : sessions) session->closed(Clock::now());
  });
}

TEST_F(ANode, KnowsWhoIsSubscribedThoughTheBeginningIsNotRemembered) {
  const auto session = subscribe("news");
  ASSERT_TRUE(session);
  for (const char* other : {"x", "y", "z"}) has(TraceKind::subscribed, other);
  has(TraceKind::published, "", 1);
  EXPECT_EQ(verdict(session->client(), "news", 1), "delivered");
  EXPECT_EQ(verdict("somebody-else", "news", 1), "unknown");
  on_loop([&] { session->closed(Clock::now()); });
}

TEST_F(ANode, RefusesASubscriptionThatIsOver) {
  const auto session = subscribe("sport");
  ASSERT_TRUE(session);
  const std::int64_t now = unix_ms(std::chrono::system_clock::now()) / 1'000;
  const auto code_for = [&](std::int64_t expire_at) {
    SubscribeCall call;
    call.whom.client = session->client();
    call.channel = "news";
    call.subscription.expire_at = expire_at;
    std::promise<std::uint32_t> code;
    control.subscribe(std::move(call),
                      [&](const Answer<void>& answer) { code.set_value(answer ? 0 : answer.error().code); });
    return code.get_future().get();
  };
  EXPECT_EQ(code_for(now - 1), client_error::expired.code);
  EXPECT_EQ(code_for(-1), client_error::expired.code);
  EXPECT_EQ(code_for(now + 100), 0U);
  EXPECT_EQ(code_for(INT64_MAX), 0U);
  std::vector<std::string> channels;
  on_loop([&] {
    channels = session->channels();
    session->closed(Clock::now());
  });
  EXPECT_EQ(channels.size(), 2U);
}

TEST_F(ANode, TakesAwaySubscriptionsWhoseTokensAreRevoked) {
  gate->grants["news"] = Granted{{}, "", "", 0, false, TokenIdentity{"t1", 1}};
  gate->grants["sport"] = Granted{{}, "", "", 0, false, TokenIdentity{"t2", 1'700'000'000}};
  std::get<Admitted>(gate->admitted).issued_at = 1'700'000'005;
  const auto session = subscribe("news");
  ASSERT_TRUE(session);
  on_loop([&] { session->receive({Command{3, testing::to("sport")}}, Clock::now()); });
  const auto channels = [&] {
    std::vector<std::string> names;
    on_loop([&] { names = session->channels(); });
    return names;
  };
  ASSERT_EQ(channels().size(), 2U);
  std::promise<bool> revoked;
  control.revoke_token({.id = "t1", .expire_at = 0}, [&](const Answer<void>& answer) { revoked.set_value(!!answer); });
  EXPECT_TRUE(revoked.get_future().get());
  EXPECT_EQ(channels(), std::vector<std::string>{"sport"});
  // The connection itself was opened by a newer token.
  std::promise<bool> invalidated;
  control.invalidate_user_tokens({.user = "ann", .issued_before = 1'700'000'001, .expire_at = 0},
                                 [&](const Answer<void>& answer) { invalidated.set_value(!!answer); });
  EXPECT_TRUE(invalidated.get_future().get());
  EXPECT_TRUE(channels().empty());
  EXPECT_EQ(outbox.ended_with, 0U);
  on_loop([&] { session->closed(Clock::now()); });
}

TEST_F(ANode, RevokesAlsoUntilATimeThatNanosecondsDoNotReach) {
  gate->grants["news"] = Granted{{}, "", "", 0, false, TokenIdentity{"t1", 1}};
  const auto session = subscribe("news");
  ASSERT_TRUE(session);
  const std::int64_t year_2603 = 20'000'000'000;
  std::promise<bool> revoked;
  control.revoke_token({.id = "t1", .expire_at = year_2603},
                       [&](const Answer<void>& answer) { revoked.set_value(!!answer); });
  EXPECT_TRUE(revoked.get_future().get());
  on_loop([&] {
    EXPECT_TRUE(session->channels().empty());
    session->closed(Clock::now());
  });
}

TEST_F(ANode, KeepsTheLastConnectionOfAUserAlsoWhenTwoComeTogether) {
  Settings settings;
  settings.auth.personal_channel = {.enabled = true, .personal_channel_namespace = "", .single_connection = true};
  node.reconfigure(std::make_shared<const Settings>(settings));
  SilentOutbox earlier;
  SilentOutbox later;
  std::vector<std::shared_ptr<Session>> sessions;
  // Both have entered before any loop has heard of the first one.
  on_loop([&] {
    for (SilentOutbox* box : {&earlier, &later}) {
      sessions.push_back(node.open_session(*box, {}, {}));
      if (sessions.back()) sessions.back()->receive({Command{1, ConnectRequest{}}}, Clock::now());
    }
  });
  on_loop([] {});  // behind what was posted to the loop
  EXPECT_EQ(earlier.ended_with, disconnect_reason::connection_limit.code);
  EXPECT_EQ(later.ended_with, 0U);
  on_loop([&] { sessions.back()->closed(Clock::now()); });
}

}  // namespace
}  // namespace fairlead::server
