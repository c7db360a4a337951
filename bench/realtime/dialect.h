// SPDX-License-Identifier: Apache-2.0
// How a server is spoken to over WebSocket: the Centrifuge client protocol in its two formats, the lines that the Bun
// program understands, and NATS. A dialect has no state; what it finds in a message it tells an ear.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "frames.h"
#include "options.h"

namespace fairlead::bench {

struct Subscribed {
  bool recovered = false;
  std::uint64_t offset = 0;
  std::string_view epoch;
};

class Ear {
 public:
  virtual ~Ear() = default;
  virtual void on_greeting() {}                            // the server speaks first: answer with Dialect::hello
  virtual void on_welcome() = 0;                           // it has accepted us
  virtual void on_subscribed(const Subscribed& what) = 0;  // before what was missed
  virtual void on_unsubscribed() = 0;
  virtual void on_accepted() = 0;  // a publication of ours
  virtual void on_publication(std::string_view payload) = 0;
  virtual void on_missed(std::string_view payload) = 0;  // one that came with the subscription
  virtual void on_ping() = 0;                            // of the protocol's own
  virtual void on_nonsense(std::string_view message) = 0;
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  [[nodiscard]] virtual std::string_view path() const = 0;
  [[nodiscard]] virtual std::string_view subprotocol() const { return {}; }
  [[nodiscard]] virtual Opcode opcode() const = 0;  // of what a client sends
  [[nodiscard]] virtual bool server_speaks_first() const { return false; }

  // Each is the payload of one frame.
  [[nodiscard]] virtual std::string hello() const = 0;
  [[nodiscard]] virtual std::string subscribe(std::string_view channel) const = 0;
  [[nodiscard]] virtual std::string recover(std::string_view channel, const Subscribed& since) const = 0;
  [[nodiscard]] virtual std::string unsubscribe(std::string_view channel) const = 0;
  [[nodiscard]] virtual std::string publish(std::string_view channel, std::string_view payload) const = 0;
  [[nodiscard]] virtual std::string pong() const = 0;

  // Returns how much of it has been understood; the rest, which only a stream of bytes has, comes again with the next.
  virtual std::size_t read(std::string_view channel, std::string_view message, std::size_t payload_bytes,
                           Ear& ear) const = 0;
};

[[nodiscard]] std::unique_ptr<const Dialect> make_dialect(Speech speech);
[[nodiscard]] std::unique_ptr<const Dialect> make_json_dialect();
[[nodiscard]] std::unique_ptr<const Dialect> make_protobuf_dialect();

}  // namespace fairlead::bench
