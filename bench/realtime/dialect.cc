// SPDX-License-Identifier: Apache-2.0
// The dialects of the servers that are compared with: lines of text for the Bun program, and the NATS protocol.
#include "dialect.h"

#include <charconv>
#include <stdexcept>

namespace fairlead::bench {

namespace {

// bench/peers/bun_channels.mjs: a letter, then the channel. What it sends is an answer (a letter) or a payload alone.
class BunDialect final : public Dialect {
 public:
  [[nodiscard]] std::string_view path() const override { return "/channels"; }
  [[nodiscard]] Opcode opcode() const override { return Opcode::text; }
  [[nodiscard]] std::string hello() const override { return "h"; }
  [[nodiscard]] std::string subscribe(std::string_view channel) const override { return "s" + std::string(channel); }
  [[nodiscard]] std::string recover(std::string_view, const Subscribed&) const override {
    throw std::logic_error("Bun keeps no history");
  }
  [[nodiscard]] std::string unsubscribe(std::string_view channel) const override { return "u" + std::string(channel); }
  [[nodiscard]] std::string publish(std::string_view channel, std::string_view payload) const override {
    return "p" + std::string(channel) + " " + std::string(payload);
  }
  [[nodiscard]] std::string pong() const override { return {}; }

  std::size_t read(std::string_view, std::string_view message, std::size_t, Ear& ear) const override {
    const char first = message.empty() ? ' ' : message.front();
    if (first == '{') {
      ear.on_publication(message);
    } else if (first == 'h') {
      ear.on_welcome();
    } else if (first == 's') {
      ear.on_subscribed({});
    } else if (first == 'u') {
      ear.on_unsubscribed();
    } else if (first == 'p') {
      ear.on_accepted();
    } else {
      ear.on_nonsense(message);
    }
    return message.size();
  }
};

// A stream of lines that knows no frames. What NATS does not confirm is followed by a PING, whose answer confirms it:
// each subscription has its number, so that the answers can be told apart by what came before them.
class NatsDialect final : public Dialect {
 public:
  [[nodiscard]] std::string_view path() const override { return "/"; }
  [[nodiscard]] Opcode opcode() const override { return Opcode::binary; }
  [[nodiscard]] bool server_speaks_first() const override { return true; }
  [[nodiscard]] std::string hello() const override {
    return "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true,\"protocol\":1}\r\nPING\r\n";
  }
  [[nodiscard]] std::string subscribe(std::string_view channel) const override {
    return "SUB " + std::string(channel) + " 1\r\nPING\r\n";
  }
  [[nodiscard]] std::string recover(std::string_view, const Subscribed&) const override {
    throw std::logic_error("NATS without JetStream keeps no history");
  }
  [[nodiscard]] std::string unsubscribe(std::string_view) const override { return "UNSUB 1\r\nPING\r\n"; }
  [[nodiscard]] std::string publish(std::string_view channel, std::string_view payload) const override {
    return "PUB " + std::string(channel) + " " + std::to_string(payload.size()) + "\r\n" + std::string(payload) +
           "\r\n";
  }
  [[nodiscard]] std::string pong() const override { return "PONG\r\n"; }

  std::size_t read(std::string_view channel, std::string_view message, std::size_t payload_bytes,
                   Ear& ear) const override {
    std::string_view rest = message;
    for (std::size_t end = rest.find("\r\n"); end != std::string_view::npos; end = rest.find("\r\n")) {
      const std::string_view line = rest.substr(0, end);
      std::size_t used = end + 2;
      if (line.starts_with("MSG ")) {
        if (rest.size() < used + payload_bytes + 2) break;
        read_message(channel, line, rest.substr(used, payload_bytes), payload_bytes, ear);
        used += payload_bytes + 2;
      } else {
        read_line(line, ear);
      }
      rest.remove_prefix(used);
    }
    return message.size() - rest.size();
  }

 private:
  static void read_message(std::string_view channel, std::string_view line, std::string_view payload,
                           std::size_t payload_bytes, Ear& ear) {
    const std::string expected = std::string(channel) + " 1 " + std::to_string(payload_bytes);
    line.substr(4) == expected ? ear.on_publication(payload) : ear.on_nonsense(line);
  }
  // Whatever was waited for has come: the ear knows what that was.
  static void read_line(std::string_view line, Ear& ear) {
    if (line == "PONG") return ear.on_accepted();
    if (line == "PING") return ear.on_ping();
    if (line.starts_with("INFO ")) return ear.on_greeting();
    if (line != "+OK") ear.on_nonsense(line);
  }
};

}  // namespace

std::unique_ptr<const Dialect> make_dialect(Speech speech) {
  switch (speech) {
    case Speech::json:
      return make_json_dialect();
    case Speech::protobuf:
      return make_protobuf_dialect();
    case Speech::bun:
      return std::make_unique<BunDialect>();
    case Speech::nats:
      return std::make_unique<NatsDialect>();
  }
  throw std::logic_error("no such dialect");
}

}  // namespace fairlead::bench
