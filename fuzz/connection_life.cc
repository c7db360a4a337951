// SPDX-License-Identifier: Apache-2.0
#include "connection_life.h"

#include "base/assert.h"
#include "base/buffer.h"
#include "base/entropy.h"
#include "input.h"
#include "ws/connection.h"
#include "ws/deflate.h"
#include "ws/settings.h"

#include <array>
#include <cstring>
#include <optional>
#include <string>

namespace fairlead::fuzzing {
namespace {

constexpr std::size_t message_limit = 50'000;
constexpr std::size_t queue_limit = 20'000;
constexpr std::size_t control_slack = 4096 + 256;

ws::Settings settings_of(unsigned options) {
  ws::Settings settings;
  settings.limits.message_bytes = settings.limits.frame_bytes = message_limit;
  settings.limits.fragments_per_message = 20;
  settings.limits.outgoing_queue_bytes = queue_limit;
  settings.limits.overflow = static_cast<OverflowPolicy>((options >> 2U) % 3);
  settings.delivery = (options & 1U) != 0 ? ws::Delivery::chunks : ws::Delivery::messages;
  settings.compressor = (options & 2U) != 0 ? ws::CompressorUse::shared : ws::CompressorUse::dedicated;
  settings.compress_from_bytes = 10;
  return settings;
}

ws::Settings lenient() {
  ws::Settings settings;
  Limits& limits = settings.limits;
  limits.message_bytes = limits.frame_bytes = limits.fragments_per_message = unlimited;
  limits.control_frames_per_second = limits.messages_per_second = unlimited;
  return settings;
}

std::optional<ws::DeflateAgreement> agreement_of(unsigned choice, bool mirrored) {
  if ((choice & 1U) == 0) return std::nullopt;
  const auto bits = static_cast<std::uint8_t>(8 + (choice >> 1U) % 8);
  const bool down = (choice & 16U) != 0;
  const bool up = (choice & 32U) != 0;
  if (mirrored) return ws::DeflateAgreement{15, bits, up, down};
  return ws::DeflateAgreement{bits, 15, down, up};
}

class Life {
 public:
  Life(ws::Role role, unsigned options, unsigned deflate)
      : settings_(settings_of(options)),
        resources_{entropy_, pool_, deflaters_},
        subject_(role, settings_, resources_, agreement_of(deflate, false), now_),
        peer_resources_{entropy_, peer_pool_, deflaters_},
        peer_(role == ws::Role::server ? ws::Role::client : ws::Role::server, peer_settings_, peer_resources_,
              agreement_of(deflate, true), now_) {}

  void step(Input& input) {
    const unsigned verb = input.byte();
    switch (verb % 16) {
      case 0:
        return send(input);
      case 1:
        return send_chunk(input);
      case 2:
        (void)subject_.send(
            SharedMessage::binary(as_bytes(input.bytes(input.byte())), SharedMessage::Compression::once), now_);
        return;
      case 3:
        (void)subject_.ping(as_bytes(input.bytes(input.byte())), now_);
        return;
      case 4:
        (void)subject_.close(static_cast<CloseCode>(input.byte() * 20), input.bytes(input.byte() % 130), now_);
        return;
      case 5:
        now_ += std::chrono::milliseconds(input.byte() * 400);
        return subject_.on_deadline(now_);
      case 6:
        return drain(input.byte() * 8U);
      case 7:
        if (input.byte() % 8 == 0) subject_.receive_end(now_);
        return read_events();
      default:
        return receive(input, (verb >> 4U) == 0 ? input.byte() : verb >> 4U);
    }
  }

  void finish() {
    read_events();
    drain(static_cast<std::size_t>(-1));
    for (int wake = 0; wake < 8 && !subject_.finished(); ++wake) {
      if (const auto due = subject_.deadline()) now_ = std::max(now_, *due);
      subject_.on_deadline(now_);
      read_events();
      drain(static_cast<std::size_t>(-1));
    }
    FAIRLEAD_ASSERT(subject_.finished());  // silence always ends
    FAIRLEAD_ASSERT(subject_.queued_bytes() == 0);
  }

 private:
  void receive(Input& input, std::size_t size) {
    std::string bytes = input.bytes(size);
    received_ += bytes.size();
    subject_.receive(std::as_writable_bytes(std::span<char>(bytes)), now_);
    if (size % 5 != 0) read_events();
    subject_.retain();
    std::memset(bytes.data(), '!', bytes.size());
  }

  void read_events() {
    while (const auto event = subject_.next_event()) {
      // Deflate makes at most about a thousand bytes of one, in pieces of 16 KiB.
      FAIRLEAD_ASSERT(++events_ <= received_ + 100);
      if (const auto* message = std::get_if<ws::MessageEvent>(&*event))
        FAIRLEAD_ASSERT(message->message.payload.size() <= message_limit);
      FAIRLEAD_ASSERT(!failed_);
      failed_ = std::holds_alternative<ws::FailedEvent>(*event);
      FAIRLEAD_ASSERT(pool_.lent_bytes() <= 3 * message_limit + 3 * queue_limit + 6 * pool_.block_bytes());
    }
  }

  void send(Input& input) {
    const auto compress = static_cast<ws::Compress>(input.byte() % 3);
    const std::string payload = input.bytes(input.byte());
    const auto kind = static_cast<MessageKind>(payload.size() % 2);
    (void)subject_.send(kind, as_bytes(payload), now_, compress);
    FAIRLEAD_ASSERT(subject_.queued_bytes() <= queue_limit + control_slack);
  }

  void send_chunk(Input& input) {
    const unsigned flags = input.byte();
    const std::string payload = input.bytes(input.byte());
    (void)subject_.send_chunk(static_cast<MessageKind>(flags & 1U), as_bytes(payload), (flags & 2U) != 0, now_,
                              static_cast<ws::Compress>((flags >> 2U) % 3));
    FAIRLEAD_ASSERT(subject_.queued_bytes() <= queue_limit + control_slack);
  }

  // The honest peer reads what leaves.
  void drain(std::size_t bytes) {
    std::array<Bytes, 3> views;
    while (bytes != 0 && subject_.output(views) != 0) {
      std::string wire(as_text(views[0].first(std::min(bytes, views[0].size()))));
      subject_.consume(wire.size());
      bytes -= wire.size();
      peer_.receive(std::as_writable_bytes(std::span<char>(wire)), now_);
      while (const auto event = peer_.next_event()) FAIRLEAD_ASSERT(!std::holds_alternative<ws::FailedEvent>(*event));
      peer_.retain();
      std::array<Bytes, 8> answers;
      while (const std::size_t count = peer_.output(answers))
        for (std::size_t index = 0; index < count; ++index) peer_.consume(answers.at(index).size());
    }
  }

  TimePoint now_{std::chrono::hours(1)};
  ws::Settings settings_;
  ws::Settings peer_settings_ = lenient();
  SeededEntropy entropy_{7};
  BufferPool pool_;
  BufferPool peer_pool_;
  ws::DeflatePool deflaters_;
  ws::Resources resources_;
  ws::Connection subject_;
  ws::Resources peer_resources_;
  ws::Connection peer_;
  std::size_t received_ = 0;
  std::size_t events_ = 0;
  bool failed_ = false;
};

}  // namespace

void live(ws::Role role, const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const unsigned options = input.byte();
  const unsigned deflate = input.byte();
  Life life(role, options, deflate);
  while (!input.empty()) life.step(input);
  life.finish();
}

}  // namespace fairlead::fuzzing
