// SPDX-License-Identifier: Apache-2.0
// The Centrifuge client protocol in Protobuf, as few fields of it as are needed.
#include <optional>
#include <string>

#include "dialect.h"

namespace fairlead::bench {

namespace {

enum Field : std::uint32_t {
  id = 1,
  error = 2,
  push = 4,
  connect = 4,
  connected = 5,
  subscribe = 5,
  subscribed = 6,
  unsubscribe = 6,
  unsubscribed = 7,
  publish = 7,
  published = 8,
};

void append_varint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7F) | 0x80));
  out.push_back(static_cast<char>(value));
}
void append_number(std::uint32_t field, std::uint64_t value, std::string& out) {
  append_varint(field << 3, out);
  append_varint(value, out);
}
void append_bytes(std::uint32_t field, std::string_view value, std::string& out) {
  append_varint(field << 3 | 2, out);
  append_varint(value.size(), out);
  out.append(value);
}
std::string command(std::uint32_t number, std::uint32_t field, std::string_view body) {
  std::string inner, frame;
  append_number(Field::id, number, inner);
  append_bytes(field, body, inner);
  append_varint(inner.size(), frame);
  return frame + inner;
}

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}
std::optional<std::string_view> take_bytes(std::string_view& in) {
  const auto length = take_varint(in);
  if (!length || *length > in.size()) return std::nullopt;
  const std::string_view bytes = in.substr(0, *length);
  in.remove_prefix(*length);
  return bytes;
}

struct Value {
  std::uint32_t field = 0;
  std::uint64_t number = 0;
  std::string_view bytes;
};
// The next field, of the two wire types that occur.
std::optional<Value> take_field(std::string_view& in) {
  const auto tag = take_varint(in);
  if (!tag) return std::nullopt;
  Value value{.field = static_cast<std::uint32_t>(*tag >> 3), .number = 0, .bytes = {}};
  if ((*tag & 7) == 0) {
    const auto number = take_varint(in);
    if (!number) return std::nullopt;
    value.number = *number;
    return value;
  }
  const auto bytes = (*tag & 7) == 2 ? take_bytes(in) : std::nullopt;
  if (!bytes) return std::nullopt;
  value.bytes = *bytes;
  return value;
}

std::string_view member(std::string_view message, std::uint32_t field) {
  while (const auto value = take_field(message)) {
    if (value->field == field) return value->bytes;
  }
  return {};
}

class ProtobufDialect final : public Dialect {
 public:
  [[nodiscard]] std::string_view path() const override { return "/connection/websocket"; }
  [[nodiscard]] std::string_view subprotocol() const override { return "centrifuge-protobuf"; }
  [[nodiscard]] Opcode opcode() const override { return Opcode::binary; }

  [[nodiscard]] std::string hello() const override { return command(1, Field::connect, {}); }
  [[nodiscard]] std::string subscribe(std::string_view channel) const override {
    std::string body;
    append_bytes(1, channel, body);
    return command(2, Field::subscribe, body);
  }
  [[nodiscard]] std::string recover(std::string_view channel, const Subscribed& since) const override {
    std::string body;
    append_bytes(1, channel, body);
    append_number(3, 1, body);
    append_bytes(6, since.epoch, body);
    append_number(7, since.offset, body);
    return command(2, Field::subscribe, body);
  }
  [[nodiscard]] std::string unsubscribe(std::string_view channel) const override {
    std::string body;
    append_bytes(1, channel, body);
    return command(3, Field::unsubscribe, body);
  }
  [[nodiscard]] std::string publish(std::string_view channel, std::string_view payload) const override {
    std::string body;
    append_bytes(1, channel, body);
    append_bytes(2, payload, body);
    return command(4, Field::publish, body);
  }
  [[nodiscard]] std::string pong() const override { return std::string(1, '\0'); }

  std::size_t read(std::string_view channel, std::string_view message, std::size_t /*payload_bytes*/,
                   Ear& ear) const override {
    for (std::string_view rest = message; !rest.empty();) {
      const auto reply = take_bytes(rest);
      if (!reply) {
        ear.on_nonsense(message);
        break;
      }
      read_reply(channel, *reply, ear);
    }
    return message.size();
  }

 private:
  static void read_reply(std::string_view channel, std::string_view reply, Ear& ear) {
    if (reply.empty()) return ear.on_ping();
    std::string_view rest = reply;
    auto value = take_field(rest);
    const bool is_answer = value && value->field == Field::id;
    if (!is_answer) {
      if (!value || value->field != Field::push) return ear.on_nonsense(reply);
      return read_push(channel, value->bytes, ear);
    }
    value = take_field(rest);
    if (!value) return ear.on_nonsense(reply);
    if (value->field == Field::connected) return ear.on_welcome();
    if (value->field == Field::subscribed) return read_subscribed(value->bytes, ear);
    if (value->field == Field::unsubscribed) return ear.on_unsubscribed();
    if (value->field == Field::published) return ear.on_accepted();
    ear.on_nonsense(reply);
  }

  static void read_push(std::string_view channel, std::string_view push, Ear& ear) {
    constexpr std::uint32_t name = 2, publication = 4;
    const std::string_view whole = push;
    const auto first = take_field(push);
    const auto second = take_field(push);
    const bool ours = first && second && first->field == name && first->bytes == channel &&
                      second->field == publication && push.empty();
    ours ? ear.on_publication(member(second->bytes, 4)) : ear.on_nonsense(whole);
  }

  static void read_subscribed(std::string_view result, Ear& ear) {
    constexpr std::uint32_t epoch = 6, publications = 7, recovered = 8, offset = 9;
    Subscribed what;
    for (std::string_view rest = result; const auto value = take_field(rest);) {
      if (value->field == epoch) what.epoch = value->bytes;
      if (value->field == recovered) what.recovered = value->number != 0;
      if (value->field == offset) what.offset = value->number;
    }
    ear.on_subscribed(what);
    for (std::string_view rest = result; const auto value = take_field(rest);) {
      if (value->field == publications) ear.on_missed(member(value->bytes, 4));
    }
  }
};

}  // namespace

std::unique_ptr<const Dialect> make_protobuf_dialect() { return std::make_unique<ProtobufDialect>(); }

}  // namespace fairlead::bench
