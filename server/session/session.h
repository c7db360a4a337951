// SPDX-License-Identifier: Apache-2.0
// One client's state machine: connecting → connected → gone. It decides by commands, deliveries and time, and speaks to
// its outbox; it knows no wire format, no socket, no clock. One loop, one thread.
//
//   receive(commands, now)      what one frame held; processed strictly in order
//   on_deadline(now)            time has passed; deadline() says when to call again
//   on_drained(now)             the client has taken what was waiting
//   closed(now)                 the transport is gone
#pragma once

#include "model/command.h"
#include "session/environment.h"
#include "session/outbox.h"

#include <fairlead/time.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::server {

class Session : public std::enable_shared_from_this<Session> {
 public:
  struct Options {
    bool unidirectional = false;
    bool emulated = false;                // replies carry session and node; commands come over POST /emulation
    bool native_ping = false;             // the transport pings by itself: no pings of the protocol
    std::shared_ptr<const void> place{};  // that it takes in the node: given back when it ends
  };
  [[nodiscard]] static std::shared_ptr<Session> make(SessionEnvironment& environment, Outbox& outbox, Caller caller,
                                                     Options options, TimePoint now);
  virtual ~Session() = default;

  // ── From below ────────────────────────────────────────────────────────────────────────────────────────────────────
  virtual void receive(std::vector<Command> commands, TimePoint now) = 0;
  virtual void on_deadline(TimePoint now) = 0;
  [[nodiscard]] virtual std::optional<TimePoint> deadline() const = 0;
  virtual void on_drained(TimePoint now) = 0;
  virtual void closed(TimePoint now) = 0;
  // Commands wait for an answer: the transport should read no more until this is false again.
  [[nodiscard]] virtual bool busy() const noexcept = 0;

  // ── From the server's side ────────────────────────────────────────────────────────────────────────────────────────
  virtual void subscribe(const std::string& channel, ServerSubscription subscription,
                         std::optional<StreamPosition> since, TimePoint now) = 0;
  virtual void unsubscribe(const std::string& channel, const UnsubscribeReason& reason, TimePoint now) = 0;
  // Takes away every subscription that was granted by a token of its own for which `revoked` is true.
  virtual void unsubscribe_revoked(const std::function<bool(const TokenIdentity&)>& revoked, TimePoint now) = 0;
  virtual void refresh(const RefreshAnswer& answer, TimePoint now) = 0;
  virtual void send(const Payload& data) = 0;  // a message push
  virtual void disconnect(const DisconnectReason& reason, TimePoint now) = 0;

  // ── Knowing ───────────────────────────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] virtual const std::string& client() const noexcept = 0;
  [[nodiscard]] virtual const std::string& user() const noexcept = 0;    // empty before it is connected, and for nobody
  [[nodiscard]] virtual const std::string& secret() const noexcept = 0;  // names it to POST /emulation
  [[nodiscard]] virtual const Admitted* admitted() const noexcept = 0;   // null before it is connected
  [[nodiscard]] virtual std::vector<std::string> channels() const = 0;
  [[nodiscard]] virtual Caller caller() const = 0;
};

}  // namespace fairlead::server
