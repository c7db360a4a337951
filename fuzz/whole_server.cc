// SPDX-License-Identifier: Apache-2.0
// What a client sends, from its request line to its last frame, through the public core's server.
#include "whole_connection.h"

namespace {

using namespace fairlead;
using fuzzing::Echo;
using fuzzing::start_of_life;
using fuzzing::WholeChoice;
using protocol::ServerHandshake;

// A subprotocol that was not offered is our mistake, and the request can still be answered.
protocol::Channel accept(ServerHandshake& handshake, WholeChoice choice) {
  if (choice.spare()) {
    if (auto channel = handshake.accept({.subprotocol = "a", .headers = {}}, start_of_life)) return std::move(*channel);
  }
  auto channel = handshake.accept({}, start_of_life);
  FAIRLEAD_ASSERT(channel);
  return std::move(*channel);
}

void note_answer(Echo& echo, ServerHandshake& handshake, std::string_view start) {
  const std::string answer(as_text(handshake.output()));
  // 100 Continue may stand before it, when the request has a body.
  FAIRLEAD_ASSERT(answer.starts_with("HTTP/1.1 ") && answer.contains(start) && answer.contains("\r\n\r\n"));
  echo.note(answer.substr(0, answer.find("\r\nDate:")));
  handshake.consume(answer.size());
}

class Life {
 public:
  explicit Life(WholeChoice choice) : choice_(choice) {}

  void receive(std::string_view piece) {
    if (channel_) return echo_.receive(channel_->connection, piece);
    if (refused_) return;
    handshake_.receive(as_bytes(piece), start_of_life);
    look();
  }

  std::string end() {
    if (!channel_ && !refused_) {
      handshake_.on_deadline(start_of_life + std::chrono::hours(1));
      look();
      FAIRLEAD_ASSERT(refused_);
    }
    if (channel_) echo_.finish(channel_->connection);
    return std::move(echo_).all();
  }

 private:
  void look() {
    const auto request = handshake_.next_request();
    if (!request) return;
    refused_ = !*request;
    if (refused_) {
      echo_.note(name(request->error().code));
      // Of somebody who has asked nothing there is nothing to answer.
      if (request->error().code == Errc::closed) return FAIRLEAD_ASSERT(handshake_.output().empty());
      return note_answer(echo_, handshake_, "HTTP/1.1 ");
    }
    echo_.note((*request)->target + "\n" + fuzz::describe((*request)->headers));
    channel_ = accept(handshake_, choice_);
    echo_.note("subprotocol " + channel_->subprotocol);
    note_answer(echo_, handshake_, "HTTP/1.1 101 ");
    echo_.read_events(channel_->connection);
  }

  WholeChoice choice_;
  protocol::Context context_;
  ServerHandshake handshake_{context_, fuzzing::whole_options(choice_), start_of_life};
  std::optional<protocol::Channel> channel_;
  bool refused_ = false;
  Echo echo_{Echo::Wire::deterministic};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzzing::compare_cuts(data, size, [](WholeChoice choice, std::string_view wire, auto feed) {
    Life life(choice);
    feed(wire, [&](std::string_view piece) { life.receive(piece); });
    return life.end();
  });
}
