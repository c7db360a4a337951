// SPDX-License-Identifier: Apache-2.0
// An accepted connection until it becomes a WebSocket: TLS handshake, requests and their answers, the upgrade.
#pragma once

#include "base/buffer.h"
#include "http1/request_reader.h"
#include "http1/writer.h"
#include "io/timers.h"
#include "net/routes.h"
#include "net/stream.h"
#include "net/stream_link.h"
#include "ws/server_handshake.h"

#include <fairlead/http.h>
#include <fairlead/server.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::net {

class ServerCore;
struct ServerLoop;

class HttpSession final : public std::enable_shared_from_this<HttpSession>,
                          public StreamUser,
                          public StreamCarrier,
                          private io::Timer,
                          private io::Deferred {
 public:
  HttpSession(ServerCore& core, ServerLoop& loop, std::unique_ptr<Stream> stream, PeerAddress peer);
  ~HttpSession() override;

  void start();
  // Between requests it ends; in the middle of one it ends behind the answer.
  void drain();

 private:
  // What the session is doing; what belongs to a phase lives in it.
  struct Securing {};
  struct Reading {};
  struct Deciding {  // the application's coroutine has the request
    std::uint64_t turn = 0;
    http1::ResponseContext context;  // of an answer that the connection ends behind
  };
  struct Answering {  // the answer is leaving
    http1::ResponseContext context;
    std::optional<FileBody> file;
    std::uint64_t file_sent = 0;
  };
  struct Streaming {  // the application gives the answer piece by piece
    http1::ResponseContext context;
    std::weak_ptr<StreamLink> link;
    bool chunked = true;
    bool above_half = false;  // more than half of the limit has waited since the last drain
  };
  struct Ending {};
  using Phase = std::variant<Securing, Reading, Deciding, Answering, Streaming, Ending>;

  void on_secured() override;
  void on_data(MutableBytes data) override;
  void on_read_turn_end() override {}
  void on_room() override;
  void on_stalled() override;
  void on_stream_end(const Error* error) override;
  void on_secure_failed(const Error& error) override;
  void on_stream_gone() override;
  void on_timer(TimePoint now) override;
  void on_turn_end() override;

  void read_requests();
  void on_request(Request request);
  void on_request_failed(const Error& error);
  void watch_body();
  void count_body(std::size_t bytes) noexcept;

  [[nodiscard]] Result<void> may_serve(const Request& request) const;
  void serve(std::shared_ptr<const Request> request);
  void serve_later(const HttpRoute& route, std::shared_ptr<const Request> request);
  [[nodiscard]] Response find_answer(const Request& request);
  [[nodiscard]] std::size_t body_limit(const Request& request) const;
  void upgrade(std::shared_ptr<const Request> request);
  [[nodiscard]] Result<void> may_upgrade(const WebSocketRoute& route, const Request& request) const;
  void decide(std::shared_ptr<WebSocketRoute> route, std::shared_ptr<const Request> request, ws::Offer offer);
  void decided(const std::shared_ptr<WebSocketRoute>& route, const std::shared_ptr<const Request>& request,
               const ws::Offer& offer, Decision decision);
  void open_channel(const std::shared_ptr<WebSocketRoute>& route, const std::shared_ptr<const Request>& request,
                    ws::Acceptance acceptance, Decision decision);
  std::uint64_t begin_deciding(const Request& request);
  // The session, if it still waits for the decision that was asked for in that turn.
  [[nodiscard]] bool still_deciding(std::uint64_t turn) const;

  void refuse(const Error& error, const Request& request);
  void answer(Response response, const http1::ResponseContext& context);
  void write_answer();
  bool read_file(Answering& answering);
  void answered();

  // Streamed answers (http_stream.cc).
  void begin_stream(const std::function<void(ResponseStream)>& begin, const http1::ResponseContext& context);
  SendResult take_piece(Bytes piece) override;
  void finish_stream() override;
  void forsake_stream() override;
  [[nodiscard]] std::size_t stream_queued_bytes() const noexcept override;
  [[nodiscard]] std::size_t stream_waiting_bytes() const noexcept;
  SendResult refuse_piece();
  [[nodiscard]] std::function<void()> unlink_stream();
  void call_streaming(std::string_view who, const std::function<void()>& told);
  void cut_stream();
  void write_stream();
  void write_stream_output();
  void on_stream_timer(TimePoint now);

  void end(Duration linger);
  void arm(std::optional<TimePoint> at);
  void count_failure(const Error& error, const Request* request);
  [[nodiscard]] std::string whose(const Request* request) const;  // for a log line: peer and path
  // Inside a catch block: tells and counts what the application threw.
  void count_thrown(std::string_view who, const Request* request);

  ServerCore& core_;
  ServerLoop& loop_;
  std::unique_ptr<Stream> stream_;
  PeerAddress peer_;
  std::shared_ptr<const TlsInfo> tls_;
  std::optional<http1::RequestReader> reader_;
  Phase phase_ = Securing{};
  Buffer out_;
  std::uint64_t turn_ = 0;
  std::size_t stream_limit_bytes_ = 0;  // of the route that answers
  std::size_t body_bytes_ = 0;          // of a request that is still to be answered, as they are counted
  bool close_after_answer_ = false;
  bool told_of_drops_ = false;
};

}  // namespace fairlead::net
