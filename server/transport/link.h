// SPDX-License-Identifier: Apache-2.0
// One client on its transport: the outbox of its session, and the way of its frames to the session. What the transports
// have in common; how bytes leave is theirs.
#pragma once

#include "protocol/codec.h"
#include "session/session.h"
#include "transport/deadlines.h"

#include <fairlead/bytes.h>
#include <fairlead/send_result.h>
#include <fairlead/shared_message.h>

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::server {

class LoopTransports;

// What stands around each message, and between those that leave together.
struct Framing {
  std::string_view before, between, after;
};

// Owned by its connection. One loop, one thread.
//
// Whatever the session says in one call of the transport, or in one turn of the loop, leaves as one frame, in order. A
// session that is busy is given nothing: frames wait, the connection is not read, and past a bound (a transport that
// cannot be slowed down) the client is told 3013.
class Link : public Outbox, public Deadlined, public std::enable_shared_from_this<Link> {
 public:
  Link(LoopTransports& loop, const Codec& codec, Envelope envelope, Framing framing);
  ~Link() override;

  void open(Caller caller, Session::Options options);
  // One frame of the client.
  void receive(Bytes frame);
  // The connect request of a unidirectional client, without a command around it. Later ones are ignored.
  void receive_connect(std::string_view request);
  void drained();
  void gone();         // the connection has ended
  void on_turn_end();  // asked for with LoopTransports::defer

  // Outbox
  void reply(const Reply& reply) override;
  void push(const Push& push) override;
  void publication(const Delivery& delivery, const WireForm& form) override;
  void publications(const DeliveryBatch& batch, const WireForm& form) override;
  void ping() override;
  void session_changed() override;
  void disconnect(const DisconnectReason& reason) override;
  [[nodiscard]] WireFormat format() const noexcept override { return codec_.format(); }
  [[nodiscard]] Envelope envelope() const noexcept override { return envelope_; }
  [[nodiscard]] std::size_t queued_bytes() const noexcept override {
    return ended_ ? 0 : batch_.size() + waiting_bytes() + refused_bytes_;
  }

 protected:
  virtual SendResult write(std::string_view messages) = 0;
  virtual SendResult write_shared(const SharedMessage& message) = 0;
  virtual void close(const DisconnectReason& reason) = 0;
  virtual void hold_reading(bool held) = 0;
  [[nodiscard]] virtual std::size_t waiting_bytes() const noexcept = 0;

  [[nodiscard]] const Codec& codec() const noexcept { return codec_; }
  [[nodiscard]] const Framing& framing() const noexcept { return framing_; }
  [[nodiscard]] LoopTransports& loop() noexcept { return loop_; }
  void flush();
  void close_with_push(const DisconnectReason& reason);  // for transports without a close frame

 private:
  void on_due(TimePoint now) override;
  void call(auto&& session_call);
  void keep(Bytes frame);
  void deliver(Bytes frame);
  void add(auto&& encode);
  void sent(SendResult result, std::size_t bytes);
  void refuse(const Reply& reply);
  void settle();
  void register_secret();
  void leave();
  void want_turn_end();

  LoopTransports& loop_;
  const Codec& codec_;
  const Envelope envelope_;
  const Framing framing_;
  std::shared_ptr<Session> session_;  // null: none yet, or it has been told that all is over
  std::string batch_;
  std::list<std::string> pending_;  // frames that came while the session was busy; empty, a deque would not be small
  std::size_t pending_bytes_ = 0;
  std::size_t refused_bytes_ = 0;  // what found no room: it counts, so that the session sees its limit passed
  std::string secret_;             // under which it is registered
  std::optional<DisconnectReason> undelivered_;  // what the connection could not take ends the session with this
  int calls_ = 0;                                // into the session that have not returned
  bool turn_end_wanted_ = false;
  bool emulated_ = false;
  bool connect_seen_ = false;
  bool ended_ = false;  // nothing is sent or received any more
};

}  // namespace fairlead::server
