// SPDX-License-Identifier: Apache-2.0
// The engine as the sessions of one loop see it: the same calls, answered on that loop.
#pragma once

#include "broker/broker.h"

#include <fairlead/loop.h>

#include <memory>
#include <string>
#include <utility>

namespace fairlead::server {

// Brings an answer to its loop: at once when it comes there, else by posting. After the loop has ended it is dropped.
template <class Argument>
[[nodiscard]] std::function<void(Argument)> on_loop(LoopHandle loop, std::function<void(Argument)> done) {
  return [loop = std::move(loop), done = std::move(done)](Argument answer) {
    if (loop.on_this_loop()) return done(std::move(answer));
    // std::function copies what it holds; the answer may be large.
    auto kept = std::make_shared<Argument>(std::move(answer));
    loop.post([done, kept] { done(std::move(*kept)); });
  };
}

class LoopBroker : public Broker {
 public:
  LoopBroker(Broker& broker, LoopHandle loop) : broker_(broker), loop_(std::move(loop)) {}

  Outcome<void> start(BrokerEvents&) override { return {}; }  // the node starts and stops the engine
  void stop() override {}
  std::string_view name() const noexcept override { return broker_.name(); }
  void subscribe(const std::string& channel, Done<void> done) override {
    broker_.subscribe(channel, on_loop(loop_, std::move(done)));
  }
  void unsubscribe(const std::string& channel, Done<void> done) override {
    broker_.unsubscribe(channel, on_loop(loop_, std::move(done)));
  }
  void publish(const std::string& channel, Publication publication, PublishOptions options,
               Done<PublishOutcome> done) override {
    broker_.publish(channel, std::move(publication), std::move(options), on_loop(loop_, std::move(done)));
  }
  void publish_join(const std::string& channel, ClientInfo info, Done<void> done) override {
    broker_.publish_join(channel, std::move(info), on_loop(loop_, std::move(done)));
  }
  void publish_leave(const std::string& channel, ClientInfo info, Done<void> done) override {
    broker_.publish_leave(channel, std::move(info), on_loop(loop_, std::move(done)));
  }
  void history(const std::string& channel, HistoryQuery query, Done<History> done) override {
    broker_.history(channel, std::move(query), on_loop(loop_, std::move(done)));
  }
  void remove_history(const std::string& channel, Done<void> done) override {
    broker_.remove_history(channel, on_loop(loop_, std::move(done)));
  }
  void latest(const std::string& channel, Done<PublicationPtr> done) override {
    broker_.latest(channel, on_loop(loop_, std::move(done)));
  }
  void add_presence(const std::string& channel, ClientInfo info, std::chrono::milliseconds ttl,
                    Done<void> done) override {
    broker_.add_presence(channel, std::move(info), ttl, on_loop(loop_, std::move(done)));
  }
  void remove_presence(const std::string& channel, const std::string& client, Done<void> done) override {
    broker_.remove_presence(channel, client, on_loop(loop_, std::move(done)));
  }
  void presence(const std::string& channel, Done<Presence> done) override {
    broker_.presence(channel, on_loop(loop_, std::move(done)));
  }
  void presence_stats(const std::string& channel, Done<PresenceStats> done) override {
    broker_.presence_stats(channel, on_loop(loop_, std::move(done)));
  }

 private:
  Broker& broker_;
  LoopHandle loop_;
};

}  // namespace fairlead::server
