// SPDX-License-Identifier: Apache-2.0
// A byte stream over a socket, through TLS or not: the only place where sockets meet engines.
#pragma once

#include "base/buffer.h"
#include "io/socket.h"
#include "io/timers.h"
#include "net/doorway.h"
#include "net/loop_context.h"
#include "tls/engine.h"

#include <fairlead/bytes.h>
#include <fairlead/error.h>
#include <fairlead/http.h>
#include <fairlead/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace fairlead::net {

// Who stands on a stream. Every call may destroy the stream.
//
//   on_secured, then on_data and on_read_turn_end and on_room as they come, then at most one of on_stream_end and
//   on_secure_failed: answer it with `shutdown`, if not at once then at the latest when on_room finds the stream
//   `broken`. After `shutdown`, exactly one on_stream_gone.
class StreamUser {
 public:
  virtual void on_secured() = 0;                // the TLS handshake is done; at once on a stream without TLS
  virtual void on_data(MutableBytes data) = 0;  // the bytes may be changed in place; they are valid during the call
  virtual void on_read_turn_end() = 0;          // everything that was there has been read: write your answers now
  virtual void on_room() = 0;                   // what was written before has left, or, on a broken stream, never will
  // What was written in this turn has not all left: `stalled_since` says since when. Ends and destroys nothing.
  virtual void on_stalled() {}
  // Whether what came before a reset is wanted also by one that has paused. It may pause again: then the rest is not.
  [[nodiscard]] virtual bool reads_to_the_end() const noexcept { return false; }
  // The peer sends no more: it said goodbye or ended the stream (null), or the connection was reset.
  virtual void on_stream_end(const Error* error) = 0;
  // TLS failed; the alert for the peer has been sent.
  virtual void on_secure_failed(const Error& error) = 0;
  // Nothing will happen any more: destroy the stream.
  virtual void on_stream_gone() = 0;

 protected:
  ~StreamUser() = default;
};

// Reads into the loop's shared buffers and writes from the loop's shared buffers: an idle stream owns no buffer. What
// is written in one turn leaves together, before the turn ends (io/outbox.h). Only what the socket does not take then
// is kept here, and then nothing more is accepted until it has left.
//
//   0 <= unsent bytes <= what one turn gathered (io::Outbox::room_bytes) and one `write` took
class Stream final : private io::SocketEvents, private io::Timer, private io::Deferred, private Doorway::Guest {
 public:
  // `engine` null: cleartext.
  Stream(LoopContext& context, int descriptor, std::unique_ptr<tls::Engine> engine);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() override;

  void set_user(StreamUser* user) noexcept { user_ = user; }
  // Begins to read (a client: to write its hello).
  void start();
  // Whoever cannot take more pauses: the kernel's window then slows the peer down. Data that is here already may still
  // come: after `pause` the rest of the current call is kept.
  void pause() noexcept { paused_ = true; }
  void resume();
  [[nodiscard]] bool paused() const noexcept { return paused_; }

  // True when nothing is waiting: `write` is allowed.
  [[nodiscard]] bool has_room() const noexcept { return unsent_.empty() && !broken_ && !shutting_down_; }
  // Seals and sends. How many bytes of `pieces` were taken: less than all when the socket is full or a turn's share is
  // used up; `on_room` follows if it was full.
  std::size_t write(std::span<const Bytes> pieces);
  // Offers the socket what this turn has gathered, for whoever has to know now: true when all has left.
  bool flush();
  [[nodiscard]] std::size_t gathered_bytes() const noexcept { return socket_.gathered_bytes(); }
  // Of what has left us, and of what this turn has gathered: what the peer's system has not taken yet (io::Socket).
  [[nodiscard]] std::size_t untaken_bytes() const noexcept { return gathered_bytes() + socket_.untaken_bytes(); }

  // Says goodbye (close_notify), ends our direction, and goes on reading and discarding until the peer ends its own or
  // `linger` has passed, so that a reset cannot overtake what we sent (RFC 6455 7.1.1). Whoever has taken more of what
  // the system holds by then is given as much time again, until `at_most`. `on_stream_gone` follows, never from inside
  // this call.
  void shutdown(Duration linger, TimePoint at_most = {});
  // For a peer that speaks cleartext HTTP to a TLS port: a last word that it can read. Before `shutdown`.
  void send_in_the_clear(std::string_view text);
  // Ends at once; no call follows.
  void abort() noexcept;

  // Something that lasts as long as the stream, such as its place among the counted connections.
  void attach(std::shared_ptr<void> companion) noexcept { companion_ = std::move(companion); }

  [[nodiscard]] bool secured() const noexcept { return secured_; }
  // A step of the handshake is possible and waits for us, not for the peer (see Doorway).
  [[nodiscard]] bool waits_for_handshake_step() const noexcept { return waits_at_door(); }
  // How long steps that have been taken have waited since this was asked last. Not while one waits.
  [[nodiscard]] Duration take_time_in_line() noexcept { return std::exchange(in_line_, Duration::zero()); }
  [[nodiscard]] bool shutting_down() const noexcept { return shutting_down_; }
  [[nodiscard]] bool broken() const noexcept { return broken_; }  // nothing can be written any more
  // Nothing more can be sealed: TLS has failed, or the peer ended TCP without a close_notify. What was sealed leaves.
  [[nodiscard]] bool sealed_off() const noexcept { return sealed_off_; }
  [[nodiscard]] bool encrypted() const noexcept { return engine_ != nullptr; }
  [[nodiscard]] TlsInfo tls_info() const;
  [[nodiscard]] std::size_t unsent_bytes() const noexcept { return unsent_.size(); }
  // Of what was written, never left or never will.
  [[nodiscard]] std::size_t undelivered_bytes() const noexcept { return unsent_.size() + lost_bytes_; }
  // Since when the peer has taken none of what is waiting for it.
  [[nodiscard]] std::optional<TimePoint> stalled_since() const noexcept;
  [[nodiscard]] LoopContext& context() noexcept { return context_; }
  // Will be written to in a moment.
  void warm(Ahead place) const noexcept override;

 private:
  void on_readable() override;
  void on_writable() override;
  [[nodiscard]] bool reads_when_told() const noexcept override;
  void on_written(std::size_t bytes, Bytes rest) override;
  void on_timer(TimePoint now) override;
  void on_turn_end() override;
  void on_admitted() override;

  enum class Step : std::uint8_t { more, drained, gone };  // gone: this object may have been destroyed
  void read_turn();
  Step read_once();
  Step deliver_engine_events();
  Step deliver_retained();
  void break_off(int error);
  Step read_to_the_end();
  Step end_of_input(const Error* error);
  [[nodiscard]] bool lingers_on(TimePoint now);
  Step call(auto&& what);
  void finish_turn();
  void send_engine_output();
  [[nodiscard]] bool nothing_waits() const noexcept { return unsent_.empty() && socket_.gathered_bytes() == 0; }
  [[nodiscard]] io::More more() const noexcept;
  void send_or_keep(Bytes bytes);
  void send_now(Bytes bytes);
  void keep(Bytes bytes);
  void lose(std::size_t bytes) noexcept { lost_bytes_ += static_cast<std::uint32_t>(bytes); }
  void count_engine() noexcept;
  void write_fin_if_drained();
  void finish_shutdown();
  std::size_t seal(std::span<const Bytes> pieces);

  LoopContext& context_;
  StreamUser* user_ = nullptr;
  io::Socket socket_;
  std::unique_ptr<tls::Engine> engine_;
  Buffer unsent_;  // ciphertext, or cleartext without TLS
  std::shared_ptr<void> companion_;
  struct Linger {
    Duration each;
    TimePoint at_most;
    std::size_t untaken_bytes;  // here and in the system, when it was asked last
  };
  std::unique_ptr<Linger> linger_;  // where it may last longer than once
  TimePoint last_progress_{};
  bool* alive_ = nullptr;           // set while a call to the user may destroy us
  std::uint32_t engine_bytes_ = 0;  // as they are counted in the loop's
  std::uint32_t lost_bytes_ = 0;    // when it broke
  bool begun_ = false;              // to shake hands
  bool secured_ = false;
  bool paused_ = false;
  bool input_ended_ = false;    // nothing can be read any more
  bool broken_ = false;         // nothing can be written any more
  bool sealed_off_ = false;     // nothing more can be sealed
  bool shutting_down_ = false;  // `shutdown` was called
  bool fin_sent_ = false;
  bool sending_ = false;  // bytes that are not in the socket's hands yet
  bool gone_ = false;     // on_stream_gone is due, or was called
  Duration in_line_{};    // at the door; while it stands there, without the time of day at which it came
};

}  // namespace fairlead::net
