// SPDX-License-Identifier: Apache-2.0
// A link on a transport that does what sockets do only sometimes.
#include "transport/link.h"

#include "transport/emulated_sessions.h"
#include "transport/loop_transports.h"
#include "transport/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace fairlead::server {
namespace {

// Its peer takes everything at once: all that was written is gone before the call returns.
class HastyLink final : public Link {
 public:
  using Link::Link;
  std::vector<std::string> written;

 private:
  SendResult write(std::string_view messages) override {
    written.emplace_back(messages);
    if (written.size() < most) drained();
    return SendResult::sent;
  }
  SendResult write_shared(const SharedMessage& message) override { return write(as_text(message.payload())); }
  void close(const DisconnectReason& /*reason*/) override {}
  void hold_reading(bool /*held*/) override {}
  [[nodiscard]] std::size_t waiting_bytes() const noexcept override { return 0; }

  static constexpr std::size_t most = 10;  // so that a failure ends
};

TEST(Link, WritesEverythingOnceAlsoWhenItIsDrainedWhileItWrites) {
  testing::FakeHost host;
  EmulatedSessions emulated;
  LoopTransports loop(host, emulated);
  const testing::FakeCodec codec(WireFormat::json);
  const auto link = std::make_shared<HastyLink>(loop, codec, Envelope::reply,
                                                Framing{.before = {}, .between = codec.separator(), .after = {}});
  link->open({}, {});
  link->receive(as_bytes("connect"));
  link->receive(as_bytes("rpc a\nrpc mixed\nrpc b"));
  EXPECT_THAT(link->written, ::testing::ElementsAre("reply:connected secret-1", "reply:a", "push:first",
                                                    "reply:between", "push:last", "reply:b"));
  link->gone();
}

}  // namespace
}  // namespace fairlead::server
