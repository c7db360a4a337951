// SPDX-License-Identifier: Apache-2.0
// What the copies of one ResponseStream share with the connection that carries it. Loop's thread.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/send_result.h>

#include <cstddef>
#include <functional>

namespace fairlead::net {

// The connection below a streamed answer.
class StreamCarrier {
 public:
  virtual SendResult take_piece(Bytes piece) = 0;
  virtual void finish_stream() = 0;
  virtual void forsake_stream() = 0;  // nobody is left who could finish it
  [[nodiscard]] virtual std::size_t stream_queued_bytes() const noexcept = 0;

 protected:
  ~StreamCarrier() = default;
};

struct StreamLink {
  explicit StreamLink(StreamCarrier& below) noexcept : carrier(&below) {}
  StreamLink(const StreamLink&) = delete;
  StreamLink& operator=(const StreamLink&) = delete;
  ~StreamLink() {
    if (carrier != nullptr) carrier->forsake_stream();
  }

  StreamCarrier* carrier;  // null: the stream has ended
  std::function<void()> drained;
  std::function<void()> closed;
};

}  // namespace fairlead::net
