// SPDX-License-Identifier: Apache-2.0
// The Centrifuge client protocol in JSON, by comparing with what is expected: a parser would cost more than the server.
#include <charconv>
#include <optional>

#include "dialect.h"

namespace fairlead::bench {

namespace {

bool skip(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::uint64_t number_after(std::string_view text, std::string_view name) {
  std::uint64_t number = 0;
  const std::size_t at = text.find(name);
  if (at != std::string_view::npos) {
    const std::string_view digits = text.substr(at + name.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
  }
  return number;
}

std::string_view text_after(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  return text.substr(0, text.find('"'));
}

class JsonDialect final : public Dialect {
 public:
  [[nodiscard]] std::string_view path() const override { return "/connection/websocket"; }
  [[nodiscard]] std::string_view subprotocol() const override { return "centrifuge-json"; }
  [[nodiscard]] Opcode opcode() const override { return Opcode::text; }

  [[nodiscard]] std::string hello() const override { return R"({"id":1,"connect":{}})"; }
  [[nodiscard]] std::string subscribe(std::string_view channel) const override {
    return R"({"id":2,"subscribe":{"channel":")" + std::string(channel) + "\"}}";
  }
  [[nodiscard]] std::string recover(std::string_view channel, const Subscribed& since) const override {
    return R"({"id":2,"subscribe":{"channel":")" + std::string(channel) + R"(","recover":true,"offset":)" +
           std::to_string(since.offset) + R"(,"epoch":")" + std::string(since.epoch) + "\"}}";
  }
  [[nodiscard]] std::string unsubscribe(std::string_view channel) const override {
    return R"({"id":3,"unsubscribe":{"channel":")" + std::string(channel) + "\"}}";
  }
  [[nodiscard]] std::string publish(std::string_view channel, std::string_view payload) const override {
    return R"({"id":4,"publish":{"channel":")" + std::string(channel) + R"(","data":)" + std::string(payload) + "}}";
  }
  [[nodiscard]] std::string pong() const override { return "{}"; }

  std::size_t read(std::string_view channel, std::string_view message, std::size_t payload_bytes,
                   Ear& ear) const override {
    for (std::string_view rest = message; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      read_line(channel, rest.substr(0, end), payload_bytes, ear);
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    return message.size();
  }

 private:
  static void read_line(std::string_view channel, std::string_view line, std::size_t payload_bytes, Ear& ear) {
    const std::string_view whole = line;
    if (skip(line, R"({"push":{"channel":")")) {
      const bool ours = skip(line, channel) && skip(line, R"(","pub":{"data":)") && line.size() > payload_bytes &&
                        line.ends_with("}}}");
      return ours ? ear.on_publication(line.substr(0, payload_bytes)) : ear.on_nonsense(whole);
    }
    if (line == "{}") return ear.on_ping();
    if (line.starts_with(R"({"id":1,"connect":{)")) return ear.on_welcome();
    if (line.starts_with(R"({"id":2,"subscribe":{)")) return read_subscribed(line, payload_bytes, ear);
    if (line.starts_with(R"({"id":3,"unsubscribe":{)")) return ear.on_unsubscribed();
    if (line.starts_with(R"({"id":4,"publish":{)")) return ear.on_accepted();
    ear.on_nonsense(whole);
  }

  // Its own members stand before and behind the list of what was missed.
  static void read_subscribed(std::string_view line, std::size_t payload_bytes, Ear& ear) {
    constexpr std::string_view list = R"("publications":[)";
    const std::size_t begin = line.find(list);
    const std::size_t end = begin == std::string_view::npos ? begin : line.rfind(']');
    const std::string_view tail = begin == std::string_view::npos ? line : line.substr(end);
    ear.on_subscribed({.recovered = tail.find(R"("recovered":true)") != std::string_view::npos,
                       .offset = number_after(tail, R"("offset":)"),
                       .epoch = text_after(line, R"("epoch":")")});
    if (begin == std::string_view::npos) return;
    std::string_view rest = line.substr(begin + list.size(), end - begin - list.size());
    while (!rest.empty()) {
      if (!skip(rest, R"({"data":)") || rest.size() <= payload_bytes) return ear.on_nonsense(rest);
      ear.on_missed(rest.substr(0, payload_bytes));
      rest.remove_prefix(payload_bytes);
      const std::size_t next = rest.find("},{");
      if (next == std::string_view::npos) return;
      rest.remove_prefix(next + 2);
    }
  }
};

}  // namespace

std::unique_ptr<const Dialect> make_json_dialect() { return std::make_unique<JsonDialect>(); }

}  // namespace fairlead::bench
