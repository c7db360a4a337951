// SPDX-License-Identifier: Apache-2.0
// The way to one client: what its session says, the transport encodes and sends.
#pragma once

#include "hub/delivery_batch.h"
#include "model/command.h"

#include <cstddef>

namespace fairlead::server {

class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual void reply(const Reply& reply) = 0;
  virtual void push(const Push& push) = 0;
  // One shared frame.
  virtual void publication(const Delivery& delivery, const WireForm& form) = 0;
  // Several of one channel, in one frame when the transport has such frames.
  virtual void publications(const DeliveryBatch& batch, const WireForm& form) {
    for (const DeliveryPtr& delivery : batch.deliveries()) publication(*delivery, form);
  }
  virtual void ping() = 0;
  // `Session::deadline()` or `busy()` may say something else now, by an answer or a delivery that came outside of the
  // transport's own calls: look again (not from within this call).
  virtual void session_changed() {}
  // The last call. Codes 3000 and above.
  virtual void disconnect(const DisconnectReason& reason) = 0;

  [[nodiscard]] virtual WireFormat format() const noexcept = 0;
  [[nodiscard]] virtual Envelope envelope() const noexcept = 0;
  // Bytes that the client has not taken yet. `Session::on_drained` is called once they fall below half of the limit.
  [[nodiscard]] virtual std::size_t queued_bytes() const noexcept = 0;
};

}  // namespace fairlead::server
