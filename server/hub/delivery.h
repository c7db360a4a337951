// SPDX-License-Identifier: Apache-2.0
// One publication on its way to many: encoded once for each form in which somebody wants it, on whichever thread first
// asks, and shared from then on.
#pragma once

#include "model/publication.h"

#include <fairlead/shared_message.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace fairlead::server {

enum class WireFormat : std::uint8_t { json, protobuf };
// How the payload is written: as it is; as the full text that later deltas build on; as a delta to the one before it.
enum class PayloadForm : std::uint8_t { plain, delta_base, delta };
enum class Envelope : std::uint8_t {
  reply,
  bare
};  // bidirectional clients get a Reply with a push in it, others the Push

// One of the forms of a publication on the wire.
struct WireForm {
  WireFormat format = WireFormat::json;
  PayloadForm payload = PayloadForm::plain;
  Envelope envelope = Envelope::reply;
  bool compact = false;  // names the channel by its number
  friend bool operator==(const WireForm&, const WireForm&) = default;
};

class Delivery;
using DeliveryPtr = std::shared_ptr<const Delivery>;

// Writes a publication in one form; implemented by the protocol. Thread-safe. A form that cannot be (a delta that is
// not shorter, a base that is no UTF-8 for JSON) is answered in the form `delta_base` instead.
class PublicationEncoder {
 public:
  virtual ~PublicationEncoder() = default;
  [[nodiscard]] virtual SharedMessage encode(const Delivery& delivery, const WireForm& form) const = 0;
  // Several in one frame of that form, in their order, without a frame for each; empty when the form has no such thing.
  [[nodiscard]] virtual SharedMessage encode_together(std::span<const DeliveryPtr> deliveries,
                                                      const WireForm& form) const;
};

class Delivery {
 public:
  Delivery(const PublicationEncoder& encoder, std::string channel, std::int64_t channel_number,
           PublicationPtr publication, StreamPosition position, PublicationPtr previous);

  [[nodiscard]] const PublicationEncoder& encoder() const noexcept { return *encoder_; }
  [[nodiscard]] const std::string& channel() const noexcept { return channel_; }
  [[nodiscard]] std::int64_t channel_number() const noexcept { return channel_number_; }  // > 0
  [[nodiscard]] const Publication& publication() const noexcept { return *publication_; }
  [[nodiscard]] const PublicationPtr& publication_ptr() const noexcept { return publication_; }
  [[nodiscard]] const StreamPosition& position() const noexcept { return position_; }
  [[nodiscard]] const PublicationPtr& previous() const noexcept { return previous_; }  // null: not known

  // Thread-safe; the first call for a form encodes it. One frame's payload: a JSON object (without a line break at its
  // end), or a Protobuf message with its length before it.
  [[nodiscard]] const SharedMessage& frame(const WireForm& form) const;

 private:
  // One of the two or three forms that somebody asks for, of 24 that there are.
  struct Made {
    WireForm form;
    SharedMessage frame;
    std::unique_ptr<const Made> before;
  };
  [[nodiscard]] const SharedMessage* made(const WireForm& form) const noexcept;

  const PublicationEncoder* encoder_;
  std::string channel_;
  std::int64_t channel_number_;
  PublicationPtr publication_;
  StreamPosition position_;
  PublicationPtr previous_;
  mutable std::mutex encoding_;
  mutable std::unique_ptr<const Made> made_;          // under the lock
  mutable std::atomic<const Made*> newest_{nullptr};  // the same, for whoever only reads
};

}  // namespace fairlead::server
