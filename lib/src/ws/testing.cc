// SPDX-License-Identifier: Apache-2.0
#include "ws/testing.h"

#include "base/assert.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace fairlead::ws::testing {
namespace {

constexpr MaskKey hand_key{std::byte{0x37}, std::byte{0xFA}, std::byte{0x21}, std::byte{0x3D}};

std::string_view name_of(Seen::What what) {
  constexpr std::array<std::string_view, 6> names{"message", "chunk", "ping", "pong", "closed", "failed"};
  return names.at(static_cast<std::size_t>(what));
}

MutableBytes writable(std::string& text) { return std::as_writable_bytes(std::span<char>(text)); }

struct Watcher {
  Seen operator()(const MessageEvent& event) const {
    return {.what = Seen::What::message,
            .kind = event.message.kind,
            .payload = std::string(event.message.text()),
            .compressed = event.message.compressed,
            .first = false,
            .last = false,
            .error = {}};
  }
  Seen operator()(const ChunkEvent& event) const {
    return {.what = Seen::What::chunk,
            .kind = event.kind,
            .payload = std::string(as_text(event.payload)),
            .compressed = false,
            .first = event.first,
            .last = event.last,
            .error = {}};
  }
  Seen operator()(const PingEvent& event) const { return ping_of(as_text(event.payload)); }
  Seen operator()(const PongEvent& event) const { return pong_of(as_text(event.payload)); }
  Seen operator()(const ClosedEvent& /*event*/) const { return closed(); }
  Seen operator()(const FailedEvent& event) const { return failed(event.error.code); }
};

Seen of(Seen::What what, std::string_view payload) {
  Seen seen;
  seen.what = what;
  seen.payload = payload;
  return seen;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  out << name_of(seen.what) << "(" << seen.payload.substr(0, 40) << ", " << seen.payload.size() << " bytes";
  if (seen.kind == MessageKind::binary) out << ", binary";
  if (seen.compressed) out << ", compressed";
  if (seen.error) out << ", " << name(*seen.error);
  return out << ")";
}

Seen seen(const Event& event) { return std::visit(Watcher(), event); }
Seen text_message(std::string_view payload) { return of(Seen::What::message, payload); }
Seen binary_message(std::string_view payload) {
  Seen seen = of(Seen::What::message, payload);
  seen.kind = MessageKind::binary;
  return seen;
}
Seen ping_of(std::string_view payload) { return of(Seen::What::ping, payload); }
Seen pong_of(std::string_view payload) { return of(Seen::What::pong, payload); }
Seen closed() { return of(Seen::What::closed, {}); }
Seen failed(Errc code) {
  Seen seen = of(Seen::What::failed, {});
  seen.error = code;
  return seen;
}

std::string raw(const RawFrame& frame) {
  const std::uint64_t length = frame.declared.value_or(frame.payload.size());
  int extension = frame.length_bytes;
  if (extension < 0) extension = length < 126 ? 0 : length <= 0xFFFF ? 2 : 8;
  std::string bytes(1, static_cast<char>(frame.first_byte));
  const unsigned mask_bit = frame.masked ? 0x80U : 0U;
  const unsigned short_length = extension == 0 ? static_cast<unsigned>(length) : extension == 2 ? 126U : 127U;
  bytes.push_back(static_cast<char>(mask_bit | short_length));
  for (int shift = 8 * (extension - 1); shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(length >> shift));
  if (frame.masked) bytes.append(as_text(hand_key));
  std::string payload(frame.payload);
  if (frame.masked) apply_mask(writable(payload), hand_key);
  return bytes + payload;
}

std::string frame_for(Role reader, unsigned first_byte, std::string_view payload) {
  return raw({.first_byte = first_byte, .payload = payload, .masked = reader == Role::server, .declared = {}});
}

std::string close_for(Role reader, CloseCode code, std::string_view reason) {
  std::string body{static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
  return frame_for(reader, 0x88, body.append(reason));
}

std::string from_hex(std::string_view hex) {
  std::string digits;
  std::ranges::copy_if(hex, std::back_inserter(digits), [](unsigned char c) { return std::isxdigit(c) != 0; });
  std::string bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16)));
  return bytes;
}

std::vector<SentFrame> parse_sent(Role sender, std::string_view bytes) {
  const Role reader = sender == Role::server ? Role::client : Role::server;
  std::vector<SentFrame> frames;
  while (!bytes.empty()) {
    const auto header = parse_frame_header(as_bytes(bytes), {.reader = reader, .deflate = true});
    FAIRLEAD_ASSERT(header.has_value() && header->has_value());
    bytes.remove_prefix((*header)->size);
    FAIRLEAD_ASSERT(bytes.size() >= (*header)->payload_bytes);
    std::string payload(bytes.substr(0, (*header)->payload_bytes));
    if ((*header)->masked) apply_mask(writable(payload), (*header)->mask);
    bytes.remove_prefix((*header)->payload_bytes);
    frames.push_back({**header, std::move(payload)});
  }
  return frames;
}

Side::Side(Role role_of_side, Settings settings_of_side, std::optional<DeflateAgreement> agreement, std::uint64_t seed)
    : role(role_of_side),
      settings(settings_of_side),
      entropy(seed),
      resources{entropy, pool, deflate},
      connection(role, settings, resources, agreement, now) {}

std::vector<Seen> Side::receive(std::string_view bytes) {
  std::string copy(bytes);
  connection.receive(writable(copy), now);
  auto all = events();
  connection.retain();
  return all;
}

std::vector<Seen> Side::receive_split(std::string_view bytes, std::size_t piece) {
  std::vector<Seen> all;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    auto some = receive(bytes.substr(at, piece));
    std::ranges::move(some, std::back_inserter(all));
  }
  return all;
}

std::vector<Seen> Side::events() {
  std::vector<Seen> all;
  while (const auto event = connection.next_event()) all.push_back(seen(*event));
  return all;
}

std::string Side::output() {
  std::string all;
  std::array<Bytes, 4> views;
  while (const std::size_t count = connection.output(views)) {
    std::size_t taken = 0;
    for (const Bytes view : std::span(views).first(count)) {
      all.append(as_text(view));
      taken += view.size();
    }
    connection.consume(taken);
  }
  return all;
}

Exchange exchange(Side& server, Side& client) {
  Exchange seen;
  for (bool moved = true; moved;) {
    const std::string down = server.output();
    const std::string up = client.output();
    std::ranges::move(client.receive(down), std::back_inserter(seen.client));
    std::ranges::move(server.receive(up), std::back_inserter(seen.server));
    moved = !down.empty() || !up.empty();
  }
  return seen;
}

}  // namespace fairlead::ws::testing
