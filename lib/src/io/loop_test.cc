// SPDX-License-Identifier: Apache-2.0
#include "io/loop.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <functional>
#include <future>
#include <list>
#include <memory>
#include <string>
#include <thread>

namespace fairlead::io {
namespace {

class AtTurnEnd final : public Deferred {
 public:
  explicit AtTurnEnd(std::function<void()> what) : what_(std::move(what)) {}

 private:
  void on_turn_end() override { what_(); }
  std::function<void()> what_;
};

class Ring final : public Timer {
 public:
  explicit Ring(std::function<void()> what) : what_(std::move(what)) {}

 private:
  void on_timer(TimePoint) override { what_(); }
  std::function<void()> what_;
};

TEST(Loop, WhatIsPostedFromAnotherThreadRunsInOrder) {
  Loop loop;
  std::string order;
  std::thread other([&] {
    for (const char c : {'a', 'b', 'c'}) loop.post([&order, c] { order += c; });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(order, "abc");
}

TEST(Loop, DeferredWorkRunsOnceBehindWhatWasReady) {
  Loop loop;
  std::string order;
  AtTurnEnd end([&] { order += '|'; });
  loop.post([&] {
    order += 'a';
    loop.defer(end);
    loop.defer(end);
  });
  loop.post([&] {
    order += 'b';
    loop.defer(end);
  });
  Ring stop([&] { loop.stop(); });
  loop.set_timer(stop, Loop::now() + std::chrono::milliseconds(20));
  loop.run();
  EXPECT_EQ(order, "ab|");
}

TEST(Loop, AnEarlierTimerOvertakesALaterOne) {
  Loop loop;
  std::string order;
  Ring late([&] {
    order += 'l';
    loop.stop();
  });
  Ring early([&] { order += 'e'; });
  loop.set_timer(late, Loop::now() + std::chrono::milliseconds(30));
  loop.set_timer(early, Loop::now() + std::chrono::milliseconds(5));
  loop.run();
  EXPECT_EQ(order, "el");
}

TEST(Loop, KnowsItselfInsideItsCallbacksOnly) {
  Loop loop;
  EXPECT_EQ(Loop::current(), nullptr);
  const Loop* seen = nullptr;
  loop.post([&] {
    seen = Loop::current();
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(seen, &loop);
  EXPECT_EQ(Loop::current(), nullptr);
}

TEST(Loop, AStopBeforeItRunsCounts) {
  Loop loop;
  bool ran = false;
  loop.post([&] { ran = true; });
  loop.stop();
  loop.run();
  EXPECT_FALSE(ran);
}

TEST(Loop, ATurnEndsWhereItBeganThoughItsLastEndIsTakenBack) {
  struct End final : Deferred {
    std::function<void()> then;
    void on_turn_end() override { then(); }
  };
  Loop loop;
  End again;
  End takes_back;
  End last;
  int runs = 0;
  again.then = [&] {
    ++runs;
    loop.defer(again);
  };
  takes_back.then = [&] { last.take_back(); };
  last.then = [] { FAIL(); };
  loop.post([&] {
    loop.defer(again);
    loop.defer(takes_back);
    loop.defer(last);
    loop.post([&] {
      EXPECT_EQ(runs, 1) << "in the turn that has ended";
      loop.stop();
    });
  });
  loop.run();
  EXPECT_EQ(runs, 1);
}

TEST(Loop, ATimerForTheBeginningOfTimeFires) {
  Loop loop;
  Ring ring([&] { loop.stop(); });
  loop.set_timer(ring, TimePoint{});
  loop.run();
  EXPECT_FALSE(ring.armed());
}

TEST(Loop, IsWokenByEachPostThatFindsItAsleepOrAboutToBe) {
  Loop loop;
  std::thread runs([&] { loop.run(); });
  int answered = 0;
  for (; answered < 2000; ++answered) {
    auto answer = std::make_shared<std::promise<void>>();
    auto came = answer->get_future();
    loop.post([answer] { answer->set_value(); });
    if (came.wait_for(std::chrono::seconds(10)) != std::future_status::ready) break;
  }
  loop.stop();
  runs.join();
  EXPECT_EQ(answered, 2000);
}

TEST(Loop, WhatWasPostedAndNeverRanGoesWithTheLoop) {
  struct PostsWhenItGoes {
    Loop& loop;
    std::shared_ptr<int> kept;
    ~PostsWhenItGoes() {
      loop.post([kept = kept] { ADD_FAILURE(); });
    }
  };
  const auto kept = std::make_shared<int>(0);
  {
    Loop loop;
    auto last = std::make_shared<PostsWhenItGoes>(loop, kept);
    loop.post([last = std::move(last)] { ADD_FAILURE(); });
    loop.stop();
    loop.run();
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(Loop, WhatIsTakenBackIsNotDone) {
  Loop loop;
  std::string order;
  AtTurnEnd first([&] { order += 'a'; });
  AtTurnEnd second([&] {
    order += 'b';
    loop.stop();
  });
  loop.post([&] {
    loop.defer(first);
    loop.defer(second);
    first.take_back();
  });
  loop.run();
  EXPECT_EQ(order, "b");
}

TEST(Loop, TheTimeOfATurnStandsStillUntilTheNext) {
  Loop loop;
  TimePoint asked;
  TimePoint asked_again;
  TimePoint next_turn;
  loop.post([&] {
    asked = loop.turn_time();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    asked_again = loop.turn_time();
    loop.post([&] {
      next_turn = loop.turn_time();
      loop.stop();
    });
  });
  loop.run();
  EXPECT_EQ(asked_again, asked);
  EXPECT_GE(next_turn, asked + std::chrono::milliseconds(2));
}

// A thousand ends that are due at once, the first of which posts something. How many were done when that ran?
class ManyEnds {
 public:
  explicit ManyEnds(Loop& loop) {
    for (int i = 0; i < count; ++i) {
      ends_.emplace_back([this, &loop] {
        if (done_++ == 0) loop.post([this] { before_post_ = done_; });
        if (done_ == count) loop.stop();
      });
    }
    loop.post([this, &loop] {
      for (AtTurnEnd& end : ends_) loop.defer(end);
    });
  }

  void expect_a_look_in_between() const {
    EXPECT_EQ(done_, count);
    EXPECT_GT(before_post_, 0);
    EXPECT_LT(before_post_, count / 2);
  }

 private:
  static constexpr int count = 1000;
  std::list<AtTurnEnd> ends_;
  int done_ = 0;
  int before_post_ = 0;
};

TEST(Loop, LooksAtWhatCameBetweenManyEndsOfATurn) {
  Loop loop;
  const ManyEnds ends(loop);
  loop.run();
  ends.expect_a_look_in_between();
}

// Of two ends the first is the work of very many: the loop looks at what has come before it does the next.
TEST(Loop, AnEndMayCountAsMany) {
  Loop loop;
  std::string order;
  AtTurnEnd many([&] {
    order += "many ";
    loop.count_ends(1'000);
    loop.post([&] { order += "posted "; });
  });
  AtTurnEnd last([&] {
    order += "last";
    loop.stop();
  });
  loop.post([&] {
    loop.defer(many);
    loop.defer(last);
  });
  loop.run();
  EXPECT_EQ(order, "many posted last");
}

TEST(Loop, LooksAtWhatCameBetweenManyEndsOnTheCallersContextToo) {
  boost::asio::io_context context;
  Loop loop(context);
  const ManyEnds ends(loop);
  context.run();
  ends.expect_a_look_in_between();
}

}  // namespace
}  // namespace fairlead::io
