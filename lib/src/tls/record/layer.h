// SPDX-License-Identifier: Apache-2.0
// A TLS 1.3 connection behind its handshake: records in, plaintext out, and the reverse, with alerts and KeyUpdate.
// It knows no certificate and no OpenSSL connection; all it needs are two secrets and two numbers.
#pragma once

#include <fairlead/bytes.h>
#include <fairlead/error.h>
#include <fairlead/limits.h>
#include <fairlead/time.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "base/buffer.h"
#include "base/rate.h"
#include "tls/record/key_cache.h"
#include "tls/record/post_handshake.h"
#include "tls/record/reader.h"
#include "tls/record/sealer.h"

namespace fairlead::tls::record {

// What the loop lends for one call.
struct Lent {
  KeyCache& keys;
  Buffer& output;      // sealed records are appended
  MutableBytes plain;  // room for at least one full record: `least_plain_bytes`
  TimePoint (*clock)();
};
inline constexpr std::size_t least_plain_bytes = content_limit_bytes + 1;

struct Goodbye {};  // close_notify
// Plaintext lies in the lent room. After an Error nothing happens any more; an alert may be in the output.
using Happening = std::variant<MutableBytes, Goodbye, Error>;

class Layer {
 public:
  struct Start {
    Side side;
    Suite suite;
    Bytes read_secret;
    Bytes write_secret;
    std::uint64_t read_sequence = 0;   // records that were read with the secret before
    std::uint64_t write_sequence = 0;  // records that were written with it before
  };

  Layer(KeyCache& keys, const Start& start);
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  ~Layer();

  // As tls::Engine has them.
  void receive(Bytes stream);
  void retain() { reader_.retain(); }
  void begin_with(Reader unread) { reader_ = std::move(unread); }  // what the handshake left
  void receive_end() noexcept { end_received_ = true; }
  [[nodiscard]] std::optional<Happening> next(const Lent& lent);
  void limit_messages(std::size_t per_second) noexcept { messages_per_second_ = per_second; }
  void seal(const Lent& lent, Bytes plaintext);
  void close(const Lent& lent);
  // RFC 8446 4.6.3. `request`: the peer shall change its keys, too.
  void update_keys(const Lent& lent, bool request);

  void limit_records_per_key(std::uint32_t records) { sealer_.limit_records_per_key(records); }  // for tests

 private:
  enum class Phase : std::uint8_t { open, peer_closed, failed };

  [[nodiscard]] std::optional<Happening> read(const Lent& lent);
  [[nodiscard]] std::size_t read_burst(const Lent& lent);
  [[nodiscard]] std::size_t take(const Lent& lent, Opener::Content content, Bytes bytes);
  [[nodiscard]] std::size_t take_data(const Lent& lent, Bytes content);
  void take_alert(const Lent& lent, Bytes content);
  void take_handshake(const Lent& lent, Bytes content);
  bool check_rate(const Lent& lent);
  void give_up(const Lent& lent, const Fault& fault);
  void fail(Errc code, std::string detail);
  void answer_key_update(const Lent& lent);
  void send_alert(const Lent& lent, Alert alert);

  KeyCache& keys_;
  Opener opener_;
  Sealer sealer_;
  Reader reader_;
  std::unique_ptr<Error> error_;  // the next event is a failure
  std::size_t messages_per_second_ = Limits{}.tls_messages_per_second;
  Rate message_rate_;
  PostHandshake messages_;
  Phase phase_ = Phase::open;
  bool end_received_ = false;
  bool close_sent_ = false;
  bool goodbye_unsaid_ = false;   // the event is still to be given
  bool key_update_owed_ = false;  // the peer asked for one
};

}  // namespace fairlead::tls::record
