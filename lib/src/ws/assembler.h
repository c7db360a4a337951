// SPDX-License-Identifier: Apache-2.0
// From received bytes to whole messages or pieces of them, and control frames: frame order (RFC 6455 5.4), unmasking,
// inflating (RFC 7692), UTF-8 (8.1) and every limit on what comes in. Decides nothing about what to answer.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/error.h>
#include <fairlead/message.h>
#include <fairlead/time.h>

#include "base/buffer.h"
#include "base/rate.h"
#include "text/utf8.h"
#include "ws/deflate.h"
#include "ws/events.h"
#include "ws/frame.h"
#include "ws/input.h"
#include "ws/settings.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <variant>

namespace fairlead::ws {

struct ControlFrame {
  Opcode opcode = Opcode::ping;
  Bytes payload;
};

// Nothing yet; or something with views that are valid until the next call that is not const.
using Incoming = std::variant<std::monostate, MessageEvent, ChunkEvent, ControlFrame>;

// How the peer's messages are compressed, when they may be.
struct InflateRules {
  bool negotiated = false;
  bool context_takeover = false;
  std::uint8_t window_bits = 15;
};

class Assembler {
 public:
  Assembler(Role role, const Settings& settings, const Resources& resources, InflateRules inflate);
  Assembler(const Assembler&) = delete;
  Assembler& operator=(const Assembler&) = delete;
  ~Assembler();

  void receive(MutableBytes in) { input_.receive(in); }
  void retain() { input_.retain(); }
  [[nodiscard]] bool drained() const noexcept { return input_.empty(); }
  // Of the message that has not ended, and for inflating.
  [[nodiscard]] std::size_t held_bytes() const noexcept {
    return assembled_.size() + (inflater_ != nullptr ? inflater_->held_bytes() : 0);
  }
  // Drops everything: nothing will be read any more.
  void stop();

  // The next thing in the input. After an error nothing more may be asked for.
  [[nodiscard]] std::expected<Incoming, Errc> next(TimePoint now);

 private:
  using Step = std::expected<Incoming, Errc>;

  // The data frame whose payload is being read.
  struct Frame {
    std::uint64_t left = 0;  // payload bytes that have not been taken from the input
    MaskKey mask{};
    std::uint8_t mask_offset = 0;  // index, modulo 4, of the first byte that is still masked
    bool fin = false;
    bool open = false;
  };
  // The message to which data frames belong.
  struct Message {
    std::uint64_t bytes = 0;  // as the application will see them
    std::uint32_t fragments = 0;
    MessageKind kind = MessageKind::text;
    bool compressed = false;
    bool open = false;
    bool announced = false;    // a chunk has been handed over
    bool more_output = false;  // the inflater filled what it was given and may have more
    bool tail_begun = false;
    std::uint8_t tail_left = 0;  // of the bytes that the sender left off, those that are still to be inflated
    text::Utf8Validator utf8;
  };

  [[nodiscard]] std::expected<std::optional<FrameHeader>, Errc> next_header();
  [[nodiscard]] Step read_control(const FrameHeader& header, TimePoint now);
  [[nodiscard]] std::optional<Errc> begin_data(const FrameHeader& header, TimePoint now);
  [[nodiscard]] std::optional<Errc> check_limits(const FrameHeader& header) const noexcept;
  [[nodiscard]] bool lies_whole() noexcept;
  [[nodiscard]] Step read_whole();
  [[nodiscard]] Step read_plain();
  [[nodiscard]] Step read_compressed();
  [[nodiscard]] std::optional<Errc> inflate_some(Bytes in);
  [[nodiscard]] bool frame_is_inflated() noexcept;
  [[nodiscard]] Bytes compressed_input();
  void take_compressed(std::size_t bytes);
  [[nodiscard]] Step finish_compressed();
  [[nodiscard]] Step hand_over(Bytes payload, bool last);
  [[nodiscard]] Step hand_over_chunk(Bytes payload, bool last);
  [[nodiscard]] Step hand_over_assembled(bool last);
  void end_message() noexcept;
  [[nodiscard]] bool text_may_begin_with(Bytes piece) noexcept;
  [[nodiscard]] MutableBytes unmask_front();
  void take_payload(std::size_t bytes);
  void assemble(Bytes piece);
  void give_back_inflater();
  void forget_delivered();
  [[nodiscard]] bool in_chunks() const noexcept { return settings_->delivery == Delivery::chunks; }

  const Settings* settings_;
  const Resources* resources_;
  Input input_;
  Buffer assembled_;  // the message so far; in `chunks` delivery the inflated piece that was handed over
  std::unique_ptr<Inflater> inflater_;
  Frame frame_;
  Message message_;
  std::size_t unmasked_ = 0;  // bytes at the front of the input that are unmasked and not yet taken
  Role role_;
  InflateRules inflate_;
  bool delivered_ = false;  // what is in `assembled_` has been handed over
  Rate control_rate_;
  Rate message_rate_;
};

}  // namespace fairlead::ws
