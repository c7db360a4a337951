// SPDX-License-Identifier: Apache-2.0
// The body of the public ResponseStream: thin, over the connection that carries it.
#include <fairlead/response_stream.h>

#include "net/stream_link.h"

#include <utility>

namespace fairlead {

SendResult ResponseStream::send(Bytes piece) const {
  return open() ? link_->carrier->take_piece(piece) : SendResult::closed;
}

void ResponseStream::end() const {
  if (open()) link_->carrier->finish_stream();
}

std::size_t ResponseStream::queued_bytes() const noexcept { return open() ? link_->carrier->stream_queued_bytes() : 0; }

bool ResponseStream::open() const noexcept { return link_ != nullptr && link_->carrier != nullptr; }

void ResponseStream::on_drain(std::function<void()> drained) const {
  if (open()) link_->drained = std::move(drained);
}

void ResponseStream::on_close(std::function<void()> closed) const {
  if (open()) link_->closed = std::move(closed);
}

}  // namespace fairlead
