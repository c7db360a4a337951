// SPDX-License-Identifier: Apache-2.0
// A client's connection from the socket to the open WebSocket: TLS, request, response.
#pragma once

#include "http1/response_reader.h"
#include "io/timers.h"
#include "net/channel.h"
#include "net/stream.h"
#include "ws/client_handshake.h"

#include <fairlead/client.h>

#include <functional>
#include <memory>
#include <optional>

namespace fairlead::net {

// Drives one opening handshake over a connected stream, then hands the stream to a channel.
class ClientSession final : public std::enable_shared_from_this<ClientSession>, public StreamUser, private io::Timer {
 public:
  using Opening = std::expected<std::shared_ptr<Channel>, ConnectError>;
  using Done = std::function<void(Opening)>;

  // `leftover` of the response is given to the channel by whoever opens it: see `open_channel`.
  ClientSession(std::unique_ptr<Stream> stream, ws::ClientHandshake handshake, const ClientOptions& options,
                std::shared_ptr<const ChannelSettings> settings, Done done);

  void start();
  // Gives up; `done` is not called any more.
  void abandon();
  // What came behind the 101; valid after `done` with a channel.
  [[nodiscard]] Buffer take_leftover() { return std::move(leftover_); }

 private:
  void on_secured() override;
  void on_data(MutableBytes data) override;
  void on_read_turn_end() override {}
  void on_room() override {}
  void on_stream_end(const Error* error) override;
  void on_secure_failed(const Error& error) override;
  void on_stream_gone() override;
  void on_timer(TimePoint now) override;

  void read_response();
  void check(const Response& response, HttpVersion version);
  void fail(ConnectError error);

  std::unique_ptr<Stream> stream_;
  ws::ClientHandshake handshake_;
  ConnectTimes times_;
  Limits limits_;
  std::shared_ptr<const ChannelSettings> settings_;
  Done done_;
  std::optional<http1::ResponseReader> reader_;
  Buffer leftover_;
  bool secured_ = false;
};

}  // namespace fairlead::net
