// SPDX-License-Identifier: Apache-2.0
// Groups: what is sent to one reaches each member once and in order, whoever comes, goes or closes meanwhile.
#include "net/channel.h"
#include "net/testing.h"

#include <fairlead/client.h>
#include <fairlead/group.h>
#include <fairlead/server.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace fairlead {
namespace {

using net::testing::client_options;
using net::testing::soon;
using net::testing::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

// What comes until the end, or so many messages.
Task<std::vector<std::string>> receive(Connection& ws, std::size_t count = 1'000'000) {
  std::vector<std::string> all;
  while (all.size() < count) {
    auto message = co_await ws.receive(seconds(10));
    if (!message) break;
    all.push_back(std::move(message->payload));
  }
  co_return all;
}

// A room: whoever connects is a member, and what a member says goes to all.
Handlers room(Group& group) {
  return {.open = [&](Connection& ws) { EXPECT_TRUE(group.add(ws)); },
          .message = [&](Connection&, MessageView said) { group.send({said.kind, said.payload}); }};
}

// The same for a single member, who sends `begin` and is told what `says` does with the group and the connection.
std::vector<std::string> told_by(const std::function<void(Group&, Connection&)>& says, ServerOptions options = {},
                                 CloseInfo* end = nullptr) {
  Group group;
  std::vector<std::string> told;
  TestServer server(
      [&](Server& s) {
        Handlers handlers = room(group);
        handlers.message = [&](Connection& ws, MessageView) { says(group, ws); };
        s.websocket("/", handlers);
      },
      std::move(options));
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    ws->send("begin");
    told = co_await receive(*ws);
    if (end != nullptr) *end = co_await ws->closed();
  });
  return told;
}

std::vector<std::string> numbers(std::size_t from, std::size_t till) {
  std::vector<std::string> all;
  for (std::size_t i = from; i < till; ++i) all.push_back(std::to_string(i));
  return all;
}

TEST(Groups, EachMemberGetsEachMessageOnceAndInOrder) {
  constexpr std::size_t members = 40;  // more than are written to in a turn
  constexpr std::size_t messages = 200;
  Group group;
  TestServer server([&](Server& s) { s.websocket("/", room(group)); });
  std::atomic<std::size_t> complete = 0;
  run([&]() -> Task<> {
    for (std::size_t i = 0; i < members; ++i) {
      auto ws = co_await connect(server.url("/"), client_options());
      EXPECT_TRUE(ws);
      if (!ws) co_return;
      spawn([&, mine = std::make_shared<Connection>(std::move(*ws))]() -> Task<> {
        if (co_await receive(*mine, messages) == numbers(0, messages)) ++complete;
      });
    }
    auto speaker = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(speaker);
    if (!speaker) co_return;
    for (int i = 0; i < 1'000 && group.size() <= members; ++i) co_await sleep_for(milliseconds(5));
    for (std::size_t i = 0; i < messages; ++i) speaker->send(std::to_string(i));
    EXPECT_EQ(co_await receive(*speaker, messages), numbers(0, messages));
  });
  EXPECT_EQ(complete, members);
  EXPECT_TRUE(soon([&] { return group.size() == 0; })) << "whoever has closed is no member";
  EXPECT_EQ(group.send("nobody"), SendResult::closed);
}

// Members of several loops, told by a thread that is none of theirs.
TEST(Groups, AreToldFromAnyThreadOnAllLoops) {
  constexpr std::size_t members = 12;
  constexpr std::size_t messages = 500;
  Group group;
  TestServer server([&](Server& s) { s.websocket("/", room(group)); }, {.threads = 3});
  std::atomic<std::size_t> complete = 0;
  std::thread teller([&] {
    EXPECT_TRUE(soon([&] { return group.size() == members; }));
    for (std::size_t i = 0; i < messages; ++i) EXPECT_EQ(group.send(std::to_string(i)), SendResult::queued);
  });
  run([&]() -> Task<> {
    for (std::size_t i = 0; i < members; ++i) {
      spawn([&]() -> Task<> {
        auto ws = co_await connect(server.url("/"), client_options());
        EXPECT_TRUE(ws);
        if (ws && co_await receive(*ws, messages) == numbers(0, messages)) ++complete;
      });
    }
    co_return;
  });
  teller.join();
  EXPECT_EQ(complete, members);
}

// The first members of loops come while somebody sends.
TEST(Groups, LoopsJoinWhileSomebodySends) {
  Group group;
  TestServer server([&](Server& s) { s.websocket("/", room(group)); }, {.threads = 3});
  std::atomic<bool> over = false;
  std::thread teller([&] {
    while (!over) {
      group.send("again and again");
      EXPECT_LE(group.size(), 12U);
    }
  });
  std::atomic<int> heard = 0;
  run([&]() -> Task<> {
    for (int i = 0; i < 12; ++i) {
      auto ws = co_await connect(server.url("/"), client_options());
      EXPECT_TRUE(ws);
      if (ws && !(co_await receive(*ws, 1)).empty()) ++heard;
    }
    over = true;
  });
  teller.join();
  EXPECT_EQ(heard, 12);
}

// Who comes and goes while messages are handed out hears all from its first one to its last.
TEST(Groups, MembersComeAndGoWhileMessagesAreHandedOut) {
  constexpr int comers = 60;
  Group group;
  TestServer server([&](Server& s) { s.websocket("/", room(group)); });
  std::atomic<bool> over = false;
  std::atomic<int> heard = 0;
  std::thread teller([&] {
    for (std::size_t i = 0; !over; ++i) {
      while (group.send(std::to_string(i)) == SendResult::over_limit) std::this_thread::sleep_for(milliseconds(1));
      if (i % 16 == 0) std::this_thread::sleep_for(milliseconds(1));
    }
  });
  run([&]() -> Task<> {
    for (int comer = 0; comer < comers; ++comer) {
      auto ws = co_await connect(server.url("/"), client_options());
      EXPECT_TRUE(ws);
      if (!ws) break;
      spawn([&, comer, mine = std::make_shared<Connection>(std::move(*ws))]() -> Task<> {
        const auto all = co_await receive(*mine, static_cast<std::size_t>(20 + 7 * comer));
        EXPECT_FALSE(all.empty());
        if (all.empty()) co_return;
        const std::size_t first = std::stoul(all.front());
        if (all == numbers(first, first + all.size())) ++heard;
      });
    }
    for (int i = 0; i < 2'000 && heard < comers; ++i) co_await sleep_for(milliseconds(5));
    over = true;
  });
  teller.join();
  EXPECT_EQ(heard, comers);
}

TEST(Groups, WhatAMemberIsSentByItselfKeepsItsPlace) {
  CloseInfo end;
  const auto told = told_by(
      [](Group& group, Connection& ws) {
        group.send("1");
        ws.send("2");
        group.send("3");
        group.send("4");
        ws.send_chunk(MessageKind::text, as_bytes("5 and "), false);
        group.send("6");
        ws.send_chunk(MessageKind::text, as_bytes("a half"), true);
        group.send("7");
        ws.send(SharedMessage::text("8"));
        group.send("9");
        EXPECT_TRUE(ws.close(4000));
        group.send("too late");
      },
      {}, &end);
  EXPECT_THAT(told, ElementsAre("1", "2", "3", "4", "5 and a half", "6", "7", "8", "9"));
  EXPECT_EQ(end.code, 4000);
  EXPECT_TRUE(end.clean);
}

TEST(Groups, WhoIsRemovedGetsWhatWasSentBefore) {
  const auto told = told_by([](Group& group, Connection& ws) {
    group.send("before");
    EXPECT_TRUE(group.remove(ws));
    EXPECT_FALSE(group.remove(ws));
    EXPECT_EQ(group.size(), 0U);
    EXPECT_EQ(group.send("while it was away"), SendResult::closed);
    EXPECT_TRUE(group.add(ws));
    EXPECT_TRUE(group.add(ws)) << "twice is once";
    EXPECT_EQ(group.size(), 1U);
    group.send("again");
    ws.close();
  });
  EXPECT_THAT(told, ElementsAre("before", "again"));
}

TEST(Groups, AConnectionIsInSeveral) {
  std::optional<Group> other = Group();
  const auto told = told_by([&](Group& group, Connection& ws) {
    EXPECT_TRUE(other->add(ws));
    group.send("one");
    ws.send("and");
    other->send("the other");
    other.reset();
    ws.handle().post([](Connection& later) { later.close(); });
  });
  EXPECT_THAT(told, ElementsAre("one", "and", "the other")) << "what was sent is handed out, though the group has gone";
}

// Groups that come and go leave nothing with a connection that stays.
TEST(Groups, EndWithTheirLastCopy) {
  std::vector<std::size_t> sizes;
  std::size_t left = 0;
  const auto told = told_by([&](Group&, Connection& ws) {
    for (int match = 0; match < 3; ++match) {
      const auto players = std::make_shared<Group>();
      const Group copy = *players;
      EXPECT_EQ(copy, *players);
      EXPECT_NE(copy, Group());
      players->add(ws);
      sizes.push_back(copy.size());
      players->send(std::to_string(match));
    }
    // What was sent is handed out at the end of this turn; the second of these runs in the next.
    ws.handle().post([&](Connection& later) {
      later.handle().post([&](Connection& last) {
        left = net::Channel::of(last)->memberships().size();
        last.close();
      });
    });
  });
  EXPECT_THAT(sizes, ElementsAre(1, 1, 1));
  EXPECT_EQ(left, 1U) << "the room's";
  EXPECT_THAT(told, ::testing::UnorderedElementsAre("0", "1", "2"));
}

TEST(Groups, GoOnAnyThread) {
  const auto told = told_by([&](Group&, Connection& ws) {
    for (int match = 0; match < 3; ++match) {
      auto players = std::make_unique<Group>();
      players->add(ws);
      players->send(std::to_string(match));
      std::thread([last = std::move(players)] {}).join();
    }
    ws.handle().post([](Connection& later) { later.close(); });
  });
  EXPECT_THAT(told, ::testing::UnorderedElementsAre("0", "1", "2"));
}

// More in one call than may wait: it is handed out meanwhile, and nothing is lost.
TEST(Groups, ASenderOnTheLoopIsNotOverTheLimit) {
  Group small(1'000);
  std::vector<std::string> expected;
  const auto told = told_by([&](Group&, Connection& ws) {
    EXPECT_TRUE(small.add(ws));
    for (std::size_t i = 0; i < 100; ++i) {
      expected.push_back(std::to_string(i) + std::string(i * 20, 'x'));
      EXPECT_EQ(small.send(expected.back()), SendResult::queued);
    }
    ws.close();
  });
  EXPECT_EQ(told, expected);
}

TEST(Groups, WhatIsOnItsWayToABusyLoopIsBounded) {
  Group group(10'000);
  std::atomic<bool> held = false;
  std::atomic<bool> go_on = false;
  TestServer server([&](Server& s) {
    Handlers handlers = room(group);
    handlers.message = [&](Connection&, MessageView) {
      held = true;
      for (int i = 0; i < 10'000 && !go_on; ++i) std::this_thread::sleep_for(milliseconds(1));
    };
    s.websocket("/", handlers);
  });
  std::size_t taken = 0;
  std::thread teller([&] {
    EXPECT_TRUE(soon([&] { return held.load(); }));
    while (taken < 1'000 && group.send(std::to_string(taken)) == SendResult::queued) ++taken;
    EXPECT_EQ(group.send("one too many"), SendResult::over_limit);
    go_on = true;
    SendResult last = SendResult::over_limit;
    EXPECT_TRUE(soon([&] {
      if (last == SendResult::over_limit) last = group.send("there is room again");
      return last == SendResult::queued;
    }));
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    ws->send("hold the loop");
    auto expected = numbers(0, 10'000 / 129);
    expected.push_back("there is room again");
    EXPECT_EQ(co_await receive(*ws, expected.size()), expected);
  });
  teller.join();
  EXPECT_EQ(taken, 10'000U / 129);
}

// Members that come and go in every turn, more of them than are written to in one: those in front of them are told all
// the same, and no place is left behind for each that has gone.
TEST(Groups, ComersAndGoersHoldUpNobody) {
  constexpr int togglers = 50;
  constexpr std::size_t members = 40;
  Group group;
  std::atomic<bool> over = false;
  std::atomic<std::size_t> heard = 0;
  TestServer server([&](Server& s) {
    s.websocket("/", room(group));
    Handlers restless;
    restless.message = [&](Connection& ws, MessageView) {
      for (int i = 0; i < togglers; ++i) {
        group.add(ws);
        group.remove(ws);
      }
      if (!over) ws.handle().post([&](Connection& again) { again.send("go on"); });
    };
    s.websocket("/restless", restless, {.limits = Limits{.messages_per_second = unlimited}});
  });
  run([&]() -> Task<> {
    for (std::size_t i = 0; i < members; ++i) {
      auto ws = co_await connect(server.url("/"), client_options());
      EXPECT_TRUE(ws);
      if (!ws) co_return;
      spawn([&, mine = std::make_shared<Connection>(std::move(*ws))]() -> Task<> {
        if (co_await receive(*mine, 20) == numbers(0, 20)) ++heard;
      });
    }
    auto restless = co_await connect(server.url("/restless"), client_options());
    EXPECT_TRUE(restless);
    if (!restless) co_return;
    restless->send("begin");
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(group.send(std::to_string(i)), SendResult::queued);
      (void)co_await receive(*restless, 1);
      restless->send("go on");
    }
    for (int i = 0; i < 1'000 && heard < members; ++i) co_await sleep_for(milliseconds(5));
    over = true;
  });
  EXPECT_EQ(heard, members);
}

// What others have on its way to the loop takes nothing from who is there.
TEST(Groups, ASenderOnTheLoopIsNotHeldUpByOthers) {
  Group group(10'000);
  SendResult here = SendResult::closed;
  std::atomic<bool> filled = false;
  std::thread other;
  const auto told = told_by([&](Group&, Connection& ws) {
    EXPECT_TRUE(group.add(ws));
    other = std::thread([&] {
      while (group.send("o") == SendResult::queued) continue;
      filled = true;
    });
    EXPECT_TRUE(soon([&] { return filled.load(); }));
    here = group.send("here");
    ws.handle().post([](Connection& later) { later.close(); });
  });
  other.join();
  EXPECT_EQ(here, SendResult::queued);
  EXPECT_EQ(std::ranges::count(told, "here"), 1);
  EXPECT_EQ(std::ranges::count(told, "o"), 10'000 / 129);
}

// On no loop, or on another one, nobody is made a member.
TEST(Groups, AConnectionJoinsOnItsOwnLoopAlone) {
  const auto told = told_by([&](Group& group, Connection& ws) {
    std::thread([&] {
      EXPECT_FALSE(group.add(ws));
      EXPECT_FALSE(group.remove(ws));
    }).join();
    EXPECT_EQ(group.size(), 1U);
    ws.close();
  });
  EXPECT_TRUE(told.empty());
}

// A single message of any size is taken.
TEST(Groups, ALargeMessageStandsAlone) {
  Group group(1'000);
  const std::string large(50'000, 'l');
  const auto told = told_by([&](Group&, Connection& ws) {
    EXPECT_TRUE(group.add(ws));
    EXPECT_EQ(group.send(large), SendResult::queued);
    EXPECT_EQ(group.send("small"), SendResult::queued);
    ws.close();
  });
  EXPECT_THAT(told, ElementsAre(large, "small"));
}

// With this policy each message has to be told apart, since each may be dropped.
TEST(Groups, SuitAQueueThatDropsTheOldest) {
  const auto told = told_by(
      [](Group& group, Connection& ws) {
        for (const auto& number : numbers(0, 20)) group.send(number);
        ws.handle().post([](Connection& later) { later.close(); });
      },
      {.limits = {.overflow = OverflowPolicy::drop_oldest}});
  EXPECT_EQ(told, numbers(0, 20));
}

// What some agreed to have compressed, each gets in its own form.
TEST(Groups, MembersAgreeOnCompressionOrDoNot) {
  Group group;
  const std::string text(1'000, 'c');
  TestServer server([&](Server& s) {
    RouteOptions route;
    route.compression.enabled = true;
    s.websocket("/", room(group), route);
  });
  std::atomic<int> compressed = 0;
  std::atomic<int> plain = 0;
  const auto listen = [&](bool agrees) -> Task<> {
    ClientOptions options = client_options();
    options.compression.enabled = agrees;
    auto ws = co_await connect(server.url("/"), options);
    EXPECT_TRUE(ws);
    if (!ws) co_return;
    for (int i = 0; i < 2; ++i) {
      const auto message = co_await ws->receive(seconds(10));
      EXPECT_TRUE(message);
      if (!message) co_return;
      EXPECT_EQ(message->payload, text);
      ++(message->compressed ? compressed : plain);
    }
  };
  std::thread teller([&] {
    EXPECT_TRUE(soon([&] { return group.size() == 2; }));
    const auto message = SharedMessage::text(text, SharedMessage::Compression::once);
    group.send(message);
    group.send(message);
  });
  run([&]() -> Task<> {
    spawn([&]() -> Task<> { co_await listen(true); });
    spawn([&]() -> Task<> { co_await listen(false); });
    co_return;
  });
  teller.join();
  EXPECT_EQ(compressed, 2);
  EXPECT_EQ(plain, 2);
}

// A client masks each frame by itself (RFC 6455 5.3), so it gets no joined ones.
TEST(Groups, ConnectionsOfAClientMayBeMembers) {
  std::atomic<int> answered = 0;
  TestServer server([&](Server& s) {
    s.websocket("/", Handlers{.message = [](Connection& ws, MessageView said) { ws.send(said); }});
  });
  run([&]() -> Task<> {
    Group servers;
    std::vector<Connection> open;
    for (int i = 0; i < 3; ++i) {
      auto ws = co_await connect(server.url("/"), client_options());
      EXPECT_TRUE(ws);
      if (!ws) co_return;
      EXPECT_TRUE(servers.add(*ws));
      open.push_back(std::move(*ws));
    }
    for (const auto& number : numbers(0, 10)) EXPECT_EQ(servers.send(number), SendResult::queued);
    for (Connection& ws : open) {
      if (co_await receive(ws, 10) == numbers(0, 10)) ++answered;
    }
  });
  EXPECT_EQ(answered, 3);
}

TEST(Groups, OutliveTheirServer) {
  Group group;
  std::optional<TestServer> server;
  server.emplace([&](Server& s) { s.websocket("/", room(group)); });
  const std::string url = server->url("/");
  std::thread ender([&] {
    EXPECT_TRUE(soon([&] { return group.size() == 1; }));
    EXPECT_EQ(group.send(SharedMessage()), SendResult::invalid);
    EXPECT_EQ(group.send("\xFF"), SendResult::invalid);
    server.reset();
  });
  run([&]() -> Task<> {
    auto ws = co_await connect(url, client_options());
    EXPECT_TRUE(ws);
    if (ws) (void)co_await ws->closed(seconds(10));
  });
  ender.join();
  EXPECT_EQ(group.size(), 0U);
  EXPECT_EQ(group.send("nobody"), SendResult::closed);
  Connection none;
  EXPECT_FALSE(group.add(none));
  EXPECT_FALSE(group.remove(none));
}

// The application may do anything from inside a call, with the walk over the members under way.
TEST(Groups, AMemberThatDrainsMaySendAndLeave) {
  constexpr std::size_t large = 300'000;
  Group group;
  std::atomic<int> drained = 0;
  TestServer server(
      [&](Server& s) {
        Handlers handlers = room(group);
        handlers.drain = [&](Connection& ws) {
          if (++drained > 2) return;
          group.send("from inside");
          EXPECT_TRUE(group.remove(ws));
          EXPECT_TRUE(group.add(ws));
        };
        s.websocket("/", handlers);
      },
      {.limits = {.outgoing_queue_bytes = large}});
  run([&]() -> Task<> {
    auto one = co_await connect(server.url("/"), client_options());
    auto other = co_await connect(server.url("/"), client_options());
    EXPECT_TRUE(one && other);
    if (!one || !other) co_return;
    for (int i = 0; i < 1'000 && group.size() < 2; ++i) co_await sleep_for(milliseconds(5));
    group.send(std::string(large - 1'000, 'l'));
    for (Connection* ws : {&*one, &*other}) {
      const auto told = co_await receive(*ws, 3);
      EXPECT_EQ(told.size(), 3U);
      if (told.size() != 3) co_return;
      EXPECT_EQ(told[0].size(), large - 1'000);
      EXPECT_EQ(told[1], "from inside");
      EXPECT_EQ(told[2], "from inside");
    }
  });
  EXPECT_GE(drained, 2);
}

// Its close is told while the others still wait for their turn.
TEST(Groups, AMemberThatDrainsMayClose) {
  constexpr std::size_t large = 300'000;
  Group group;
  TestServer server(
      [&](Server& s) {
        Handlers handlers = room(group);
        handlers.drain = [](Connection& ws) { ws.close(4000); };
        handlers.close = [&](Connection&, const CloseInfo& info) { group.send(std::to_string(info.code)); };
        s.websocket("/", handlers);
        s.websocket("/quiet", Handlers{.open = [&](Connection& ws) { group.add(ws); }});
      },
      {.limits = {.outgoing_queue_bytes = large}});
  run([&]() -> Task<> {
    auto one = co_await connect(server.url("/"), client_options());
    auto other = co_await connect(server.url("/quiet"), client_options());
    EXPECT_TRUE(one && other);
    if (!one || !other) co_return;
    for (int i = 0; i < 1'000 && group.size() < 2; ++i) co_await sleep_for(milliseconds(5));
    group.send(std::string(large - 1'000, 'l'));
    EXPECT_EQ((co_await receive(*one)).size(), 1U);
    const auto told = co_await receive(*other, 2);
    EXPECT_EQ(told.size(), 2U);
    if (told.size() != 2) co_return;
    EXPECT_EQ(told[1], "4000");
  });
}

}  // namespace
}  // namespace fairlead
