// SPDX-License-Identifier: Apache-2.0
#include "net/stream.h"

#include "base/assert.h"
#include "base/prefetch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

namespace fairlead::net {
namespace {

// How often one connection may read before others have their turn.
constexpr int reads_per_turn = 8;
// What one `write` seals, or sends in cleartext, at most: bounds what is kept when the socket is full.
constexpr std::size_t write_share_bytes = std::size_t{256} * 1024;
// More than this is never added to by reading on: what one write seals, and answers of the handshake.
constexpr std::size_t unsent_limit_bytes = 2 * write_share_bytes;
// A piece of at least this size is sealed from where it lies; smaller neighbours are gathered into one record first.
constexpr std::size_t gather_below_bytes = 4'096;

}  // namespace

Stream::Stream(LoopContext& context, int descriptor, std::unique_ptr<tls::Engine> engine)
    : context_(context), socket_(context.loop, descriptor), engine_(std::move(engine)), unsent_(context.buffers) {
  socket_.set_events(this);
  count_engine();
}

Stream::~Stream() {
  context_.tls_bytes -= engine_bytes_;
  context_.doorway.leave(*this);
  if (alive_ != nullptr) *alive_ = false;
}

void Stream::count_engine() noexcept {
  const std::size_t now = engine_ != nullptr ? engine_->held_bytes() : 0;
  context_.tls_bytes += now - engine_bytes_;
  engine_bytes_ = static_cast<std::uint32_t>(now);
}

// Calls the user, who may destroy this stream meanwhile.
Stream::Step Stream::call(auto&& what) {
  bool alive = true;
  bool* const outer = std::exchange(alive_, &alive);
  what();
  if (alive) {
    alive_ = outer;
    return Step::more;
  }
  if (outer != nullptr) *outer = false;
  return Step::gone;
}

void Stream::start() {
  if (engine_ == nullptr) {
    secured_ = true;
    if (call([&] { user_->on_secured(); }) == Step::gone) return;
  } else if (deliver_engine_events() == Step::gone) {  // a client's hello
    return;
  }
  if (!paused_ && !input_ended_) socket_.wait_readable();
}

void Stream::resume() {
  if (!std::exchange(paused_, false)) return;
  // Not from here: the caller stands in the middle of its own work.
  context_.loop.defer(*this);
}

void Stream::on_turn_end() {
  if (gone_) {
    call([&] { user_->on_stream_gone(); });
    return;
  }
  if (paused_ || input_ended_) return;
  if (deliver_retained() != Step::gone) finish_turn();
}

// ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void Stream::on_readable() {
  if (waits_at_door()) return;
  const bool shakes_hands = engine_ != nullptr && !secured_ && !shutting_down_;
  if (!shakes_hands) return read_turn();
  in_line_ -= io::Loop::now().time_since_epoch();
  context_.doorway.queue(*this, begun_ ? Doorway::Progress::begun : Doorway::Progress::fresh);
}

bool Stream::reads_when_told() const noexcept { return secured_ && !paused_ && !input_ended_ && !waits_at_door(); }

void Stream::on_admitted() {
  begun_ = true;
  in_line_ += io::Loop::now().time_since_epoch();
  read_turn();
}

void Stream::read_turn() {
  Step step = Step::more;
  for (int i = 0; i < reads_per_turn && step == Step::more && !paused_ && !input_ended_; ++i) step = read_once();
  if (step != Step::gone) finish_turn();
}

void Stream::finish_turn() {
  if (!shutting_down_ && call([&] { user_->on_read_turn_end(); }) == Step::gone) return;
  context_.publish_memory();
  // A peer that takes nothing but makes us answer (KeyUpdate requests, pings) is read no further until it takes its
  // answers; the write stall limit ends it otherwise.
  if (!paused_ && !input_ended_ && unsent_.size() <= unsent_limit_bytes) socket_.wait_readable();
}

Stream::Step Stream::read_once() {
  const io::Received read = socket_.read(context_.receive_buffer());
  const bool at_the_end = broken_ && read.what != io::Transfer::some;  // what broke it is told, not what followed
  if (read.what == io::Transfer::would_block || at_the_end) return Step::drained;
  if (read.what == io::Transfer::failed) {
    broken_ = true;
    const Error error = io::system_error(Errc::connection_reset, read.error, "read");
    return end_of_input(&error);
  }
  if (read.what == io::Transfer::ended) {
    if (engine_ == nullptr || shutting_down_) return end_of_input(nullptr);
    engine_->receive_end();
    return deliver_engine_events();
  }
  context_.counters.bytes_in.add(read.bytes.size());
  if (shutting_down_) return Step::more;  // read and discarded
  const Step after = read.left_room ? Step::drained : Step::more;
  if (engine_ == nullptr) return call([&] { user_->on_data(read.bytes); }) == Step::gone ? Step::gone : after;
  engine_->receive(read.bytes);
  return deliver_engine_events() == Step::gone ? Step::gone : after;
}

Stream::Step Stream::deliver_engine_events() {
  while (!paused_ && !input_ended_ && !shutting_down_) {
    auto event = engine_->next_event();
    // Answers of the handshake leave before the user seals anything, and before another engine uses the buffer.
    send_engine_output();
    if (!event) return Step::drained;
    if (auto* plaintext = std::get_if<tls::Plaintext>(&*event)) {
      if (call([&] { user_->on_data(plaintext->bytes); }) == Step::gone) return Step::gone;
    } else if (std::holds_alternative<tls::HandshakeDone>(*event)) {
      secured_ = true;
      count_engine();
      if (call([&] { user_->on_secured(); }) == Step::gone) return Step::gone;
    } else if (std::holds_alternative<tls::PeerClosed>(*event)) {
      return end_of_input(nullptr);
    } else {
      sealed_off_ = true;
      const Error error = std::move(std::get<tls::Failed>(*event).error);
      if (error.code == Errc::unexpected_eof) return end_of_input(&error);
      return call([&] { user_->on_secure_failed(error); });
    }
  }
  if (!input_ended_) engine_->retain();
  return Step::drained;
}

Stream::Step Stream::deliver_retained() { return engine_ != nullptr ? deliver_engine_events() : Step::drained; }

// The user answers the end of the input with `shutdown`; when it has done so before, that is what was waited for.
Stream::Step Stream::end_of_input(const Error* error) {
  if (std::exchange(input_ended_, true)) return Step::drained;
  if (!shutting_down_) return call([&] { user_->on_stream_end(error); });
  finish_shutdown();
  return Step::drained;
}

void Stream::warm(Ahead place) const noexcept {
  if (place == Ahead::second) return prefetch(*this);
  if (engine_ != nullptr) engine_->warm();
}

// ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

std::size_t Stream::write(std::span<const Bytes> pieces) {
  FAIRLEAD_ASSERT(has_room() && secured_);
  if (engine_ != nullptr) {
    const std::size_t taken = seal(pieces);
    send_engine_output();
    return taken;
  }
  std::size_t taken = 0;
  for (const Bytes piece : pieces) {
    if (!unsent_.empty() || taken >= write_share_bytes) break;
    const Bytes share = piece.first(std::min(piece.size(), write_share_bytes - taken));
    send_or_keep(share);
    taken += share.size();
  }
  return taken;
}

bool Stream::flush() {
  sending_ = true;
  socket_.write_gathered();
  sending_ = false;
  return has_room();
}

std::size_t Stream::seal(std::span<const Bytes> pieces) {
  std::size_t taken = 0;
  std::size_t staged = 0;
  const auto seal_staged = [&] {
    if (staged != 0) engine_->seal(Bytes(context_.stage).first(staged));
    staged = 0;
  };
  for (const Bytes piece : pieces) {
    if (taken >= write_share_bytes) break;
    if (piece.size() >= gather_below_bytes || pieces.size() == 1) {
      seal_staged();
      const Bytes share = piece.first(std::min(piece.size(), write_share_bytes - taken));
      engine_->seal(share);
      taken += share.size();
      continue;
    }
    if (staged + piece.size() > context_.stage.size()) seal_staged();
    std::memcpy(context_.stage.data() + staged, piece.data(), piece.size());
    staged += piece.size();
    taken += piece.size();
  }
  seal_staged();
  return taken;
}

void Stream::send_engine_output() {
  const Bytes records = engine_->output();
  if (records.empty()) return;
  send_or_keep(records);
  engine_->consume(records.size());
}

void Stream::send_or_keep(Bytes bytes) {
  if (broken_) return lose(bytes.size());
  if (unsent_.empty()) {
    sending_ = true;
    const bool gathered = socket_.write_soon(bytes, more());
    sending_ = false;
    if (gathered) return;
  }
  if (unsent_.empty()) return send_now(bytes);
  unsent_.append(bytes);
}

void Stream::send_now(Bytes bytes) {
  while (!bytes.empty()) {
    const io::Transferred written = socket_.write(bytes, more());
    if (written.what != io::Transfer::some) break;  // an error will be seen by the read side
    context_.counters.bytes_out.add(written.bytes);
    bytes = bytes.subspan(written.bytes);
  }
  keep(bytes);
}

void Stream::on_written(std::size_t bytes, Bytes rest) {
  context_.counters.bytes_out.add(bytes);
  keep(rest);
  if (sending_) return;  // more comes
  if (!shutting_down_) {
    if (!unsent_.empty() && user_ != nullptr) user_->on_stalled();
    return;
  }
  write_fin_if_drained();
  finish_shutdown();
}

void Stream::keep(Bytes bytes) {
  if (bytes.empty()) return;
  if (broken_) return lose(bytes.size());
  last_progress_ = io::Loop::now();
  socket_.wait_writable();
  unsent_.append(bytes);
}

// The end of our direction follows at once and travels with the last bytes.
io::More Stream::more() const noexcept { return shutting_down_ && !fin_sent_ ? io::More::follows : io::More::nothing; }

void Stream::on_writable() {
  while (!unsent_.empty()) {
    const io::Transferred written = socket_.write(unsent_.readable());
    if (written.what == io::Transfer::would_block) return socket_.wait_writable();
    if (written.what != io::Transfer::some) return break_off(written.error);
    context_.counters.bytes_out.add(written.bytes);
    last_progress_ = io::Loop::now();
    unsent_.consume(written.bytes);
  }
  unsent_.release_if_empty();
  if (!shutting_down_) {
    if (!paused_ && !input_ended_) socket_.wait_readable();
    call([&] { user_->on_room(); });
    return;
  }
  write_fin_if_drained();
  finish_shutdown();
}

void Stream::break_off(int error) {
  broken_ = true;
  lose(unsent_.size());
  unsent_.clear();
  // Who was told of the input's end before, and still writes, has to learn that it is in vain.
  if (input_ended_ && !shutting_down_) {
    call([&] { user_->on_room(); });
    return;
  }
  if (input_ended_) return finish_shutdown();  // nothing is left to wait for
  const bool wanted = secured_ && !shutting_down_ && user_->reads_to_the_end();
  if (wanted && read_to_the_end() == Step::gone) return;
  const Error why = io::system_error(Errc::connection_reset, error, "write");
  end_of_input(&why);
}

// Nothing comes any more behind what is here: no more than the system holds for one socket.
Stream::Step Stream::read_to_the_end() {
  paused_ = false;
  Step step = deliver_retained() == Step::gone ? Step::gone : Step::more;
  while (step == Step::more && !paused_ && !input_ended_ && !shutting_down_) step = read_once();
  return step;
}

std::optional<TimePoint> Stream::stalled_since() const noexcept {
  if (unsent_.empty()) return std::nullopt;
  return last_progress_;
}

// ── Ending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void Stream::shutdown(Duration linger, TimePoint at_most) {
  if (std::exchange(shutting_down_, true)) return;
  context_.doorway.leave(*this);
  paused_ = false;
  if (engine_ != nullptr && !broken_) {
    engine_->retain();
    engine_->close();
    send_engine_output();
  }
  write_fin_if_drained();
  if (!input_ended_) socket_.wait_readable();
  const TimePoint over_at = io::Loop::now() + linger;
  context_.loop.set_timer(*this, over_at);
  if (linger > Duration::zero() && over_at < at_most) {
    linger_ = std::make_unique<Linger>(Linger{linger, at_most, unsent_bytes() + untaken_bytes()});
  }
  finish_shutdown();
}

void Stream::write_fin_if_drained() {
  if (!shutting_down_ || !nothing_waits() || std::exchange(fin_sent_, true)) return;
  socket_.shutdown_write();
}

// Over when the peer has ended its direction and ours has left, or cannot.
void Stream::finish_shutdown() {
  if (!shutting_down_ || !input_ended_ || gone_) return;
  if (!nothing_waits() && !broken_) return;
  gone_ = true;
  context_.loop.cancel_timer(*this);
  context_.loop.defer(*this);
}

bool Stream::lingers_on(TimePoint now) {
  if (linger_ == nullptr || now >= linger_->at_most) return false;
  const std::size_t before = std::exchange(linger_->untaken_bytes, unsent_bytes() + untaken_bytes());
  return linger_->untaken_bytes != 0 && linger_->untaken_bytes < before;
}

void Stream::on_timer(TimePoint now) {
  if (lingers_on(now)) return context_.loop.set_timer(*this, std::min(now + linger_->each, linger_->at_most));
  gone_ = true;
  context_.loop.defer(*this);
}

void Stream::send_in_the_clear(std::string_view text) { send_or_keep(as_bytes(text)); }

void Stream::abort() noexcept {
  socket_.drop_gathered();
  input_ended_ = broken_ = shutting_down_ = gone_ = true;
  context_.loop.cancel_timer(*this);
  context_.doorway.leave(*this);
  socket_.close();
}

TlsInfo Stream::tls_info() const { return engine_ != nullptr && secured_ ? engine_->info() : TlsInfo{}; }

}  // namespace fairlead::net
