// SPDX-License-Identifier: Apache-2.0
// The body of an HTTP answer that comes piece by piece, for as long as the application wants: server-sent events, long
// downloads, anything that a page reads while it grows.
//
//   server.http("/ticks", [](const fairlead::Request&) {
//     return fairlead::Response::stream(200, {{"Content-Type", "text/event-stream"}}, [](fairlead::ResponseStream out)
//     {
//       out.send("data: hello\n\n");
//       remember(out);  // and send more whenever there is more
//     });
//   });
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/send_result.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace fairlead {

namespace net {
struct StreamLink;
}

// Names one streamed answer: small, copyable, and an answer also after its connection has gone (`closed`). It belongs
// to the loop on which it was given: use and destroy it there; from elsewhere go through a LoopHandle. Copies that are
// kept in its own callbacks are released when it ends.
//
// The answer lasts until `end`, until the peer ends its side of the connection (a browser that leaves the page), or
// until the peer takes nothing for `Limits::write_stall_time`. No idle time applies. When the last copy goes without
// `end`, the connection is cut, so that the peer can tell the answer from a whole one. The same when an exception
// leaves the function that begins it, or `on_drain`; one that leaves `on_close` is only logged and counted
// (Errc::system).
class ResponseStream {
 public:
  ResponseStream() noexcept = default;
  explicit ResponseStream(std::shared_ptr<net::StreamLink> link) noexcept : link_(std::move(link)) {}

  // Takes a piece, copied; the pieces of one turn of the loop leave together. Over HTTP/1.1 each is a chunk (RFC 9112
  // 7.1), over 1.0 the bytes alone. An empty piece is nothing. `over_limit`: more would wait than
  // `Limits::outgoing_queue_bytes` (or the route's own number). With the policy `close` the connection is cut then,
  // otherwise the piece is left out and the stream goes on; a single larger piece may stand alone.
  // NOLINTNEXTLINE(modernize-use-nodiscard): most callers cannot act on it.
  SendResult send(Bytes piece) const;
  SendResult send(std::string_view text) const { return send(as_bytes(text)); }  // NOLINT(modernize-use-nodiscard)
  // The answer is whole. What waits still leaves, then the connection serves its next request.
  void end() const;

  // Bytes that the peer has not taken yet.
  [[nodiscard]] std::size_t queued_bytes() const noexcept;
  [[nodiscard]] bool open() const noexcept;

  // Called when less than half of the outgoing limit waits again, after more did.
  void on_drain(std::function<void()> drained) const;
  // Called once, when the stream ends by anything but `end`; `send` answers `closed` by then. Not called when the
  // stream has ended before.
  void on_close(std::function<void()> closed) const;

  friend bool operator==(const ResponseStream&, const ResponseStream&) = default;

 private:
  std::shared_ptr<net::StreamLink> link_;
};

}  // namespace fairlead
