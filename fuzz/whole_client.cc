// SPDX-License-Identifier: Apache-2.0
// What a server sends, from its status line to its last frame, through the public core's client. `{accept}` in the
// stream stands for the right answer to the client's key, which no fuzzer can guess.
#include "whole_connection.h"
#include "ws/handshake_fields.h"

#include <fairlead/url.h>

namespace {

using namespace fairlead;
using fuzzing::Echo;
using fuzzing::start_of_life;
using fuzzing::WholeChoice;
using protocol::ClientHandshake;

ClientHandshake begin(protocol::Context& context, WholeChoice choice) {
  const auto url = parse_url("wss://example.org/chat");
  FAIRLEAD_ASSERT(url);
  ClientHandshake::Wish wish;
  if (choice.spare()) wish.subprotocols = {"a", "b"};
  auto handshake = ClientHandshake::start(context, fuzzing::whole_options(choice), *url, wish, start_of_life);
  FAIRLEAD_ASSERT(handshake);
  return std::move(*handshake);
}

class Life {
 public:
  explicit Life(WholeChoice choice) : handshake_(begin(context_, choice)) {
    const std::string request(as_text(handshake_.output()));
    const std::string_view field = "Sec-WebSocket-Key: ";
    const auto at = request.find(field);
    FAIRLEAD_ASSERT(at != std::string::npos && request.ends_with("\r\n\r\n"));
    accept_ = ws::accept_value(request.substr(at + field.size(), 24));
    handshake_.consume(request.size());
  }

  [[nodiscard]] std::string answered(std::string wire) const {
    const std::string_view place = "{accept}";
    if (const auto at = wire.find(place); at != std::string::npos) wire.replace(at, place.size(), accept_);
    return wire;
  }

  void receive(std::string_view piece) {
    if (channel_) return echo_.receive(channel_->connection, piece);
    if (refused_) return;
    handshake_.receive(as_bytes(piece), start_of_life);
    look();
  }

  std::string end() {
    if (!channel_ && !refused_) {
      handshake_.receive_end();
      look();
      FAIRLEAD_ASSERT(refused_);
    }
    if (channel_) echo_.finish(channel_->connection);
    return std::move(echo_).all();
  }

 private:
  void look() {
    auto channel = handshake_.next_channel(start_of_life);
    if (!channel) return;
    refused_ = !*channel;
    if (refused_) return echo_.note(name(channel->error().code));
    channel_ = std::move(**channel);
    echo_.note("open " + channel_->subprotocol);
    echo_.read_events(channel_->connection);
  }

  protocol::Context context_;
  ClientHandshake handshake_;
  std::string accept_;
  std::optional<protocol::Channel> channel_;
  bool refused_ = false;
  Echo echo_{Echo::Wire::masked};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzzing::compare_cuts(data, size, [](WholeChoice choice, std::string_view wire, auto feed) {
    Life life(choice);
    feed(life.answered(std::string(wire)), [&](std::string_view piece) { life.receive(piece); });
    return life.end();
  });
}
