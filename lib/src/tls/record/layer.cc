// SPDX-License-Identifier: Apache-2.0
#include "tls/record/layer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.h"

namespace fairlead::tls::record {
namespace {

Error explain_alert(std::uint8_t number) {
  if (static_cast<Alert>(number) == Alert::certificate_required) {
    return {.code = Errc::tls_client_certificate_missing,
            .detail = "the server requires a client certificate: give one (the option identity)"};
  }
  const char* name = alert_name(number);
  const std::string words = name != nullptr ? name : "alert number " + std::to_string(number);
  return {.code = Errc::tls_protocol_error, .detail = "the peer refused: " + words};
}

}  // namespace

Layer::Layer(KeyCache& keys, const Start& start)
    : keys_(keys),
      opener_(keys, start.suite, start.read_secret, start.read_sequence),
      sealer_(keys, start.suite, start.write_secret, start.write_sequence),
      messages_(start.side) {}

Layer::~Layer() {
  opener_.forget(keys_);
  sealer_.forget(keys_);
}

void Layer::receive(Bytes stream) {
  if (phase_ != Phase::open || error_) return;  // RFC 8446 6.1: data after close_notify is ignored
  reader_.receive(stream);
}

std::optional<Happening> Layer::next(const Lent& lent) {
  if (phase_ == Phase::open && !error_) return read(lent);
  if (std::exchange(goodbye_unsaid_, false)) return Goodbye{};
  if (!error_ || phase_ == Phase::failed) return std::nullopt;
  phase_ = Phase::failed;
  reader_.clear();
  return std::move(*std::exchange(error_, nullptr));
}

// ── Records in ──────────────────────────────────────────────────────────────────────────────────────────────────────

std::optional<Happening> Layer::read(const Lent& lent) {
  const std::size_t filled = read_burst(lent);
  if (key_update_owed_) answer_key_update(lent);
  if (filled > 0) return lent.plain.first(filled);
  if (error_ || phase_ != Phase::open) return next(lent);
  if (!end_received_) return std::nullopt;
  fail(Errc::unexpected_eof, "the stream ended without close_notify: it may be cut short");
  return next(lent);
}

// Fills the lent room with the plaintext of as many records as there are.
std::size_t Layer::read_burst(const Lent& lent) {
  std::size_t filled = 0;
  while (phase_ == Phase::open && !error_) {
    const auto record = reader_.next();
    if (!record) {
      give_up(lent, record.error());
      break;
    }
    const MutableBytes room = lent.plain.subspan(filled);
    if (!*record || Opener::opened_bytes(**record) > room.size()) break;
    const auto content = opener_.open(keys_, **record, room);
    reader_.advance();
    if (!content) {
      give_up(lent, content.error());
      break;
    }
    filled += take(lent, *content, room.first(content->bytes));
  }
  if (phase_ != Phase::open) reader_.clear();
  return filled;
}

// How many of the opened bytes are plaintext for above.
std::size_t Layer::take(const Lent& lent, Opener::Content content, Bytes bytes) {
  // RFC 8446 5.1: no record of any other type may come between the parts of a handshake message, not even an alert.
  if (messages_.in_message() && content.type != ContentType::handshake) {
    give_up(lent, {Alert::unexpected_message, "another record came in the middle of a handshake message"});
    return 0;
  }
  switch (content.type) {
    case ContentType::application_data:
      return take_data(lent, bytes);
    case ContentType::alert:
      take_alert(lent, bytes);
      return 0;
    case ContentType::handshake:
      take_handshake(lent, bytes);
      return 0;
    default:
      // RFC 8446 5: change_cipher_spec is never protected, and no other type is known.
      give_up(lent, {Alert::unexpected_message, "a record has an unknown type"});
      return 0;
  }
}

std::size_t Layer::take_data(const Lent& lent, Bytes content) {
  // RFC 8446 5.1 allows empty ones; each costs us as much as a small message and brings nothing.
  if (content.empty()) check_rate(lent);
  return content.size();
}

// RFC 8446 6: one alert in one record; its level says nothing.
void Layer::take_alert(const Lent& lent, Bytes content) {
  constexpr std::size_t alert_bytes = 2;
  if (content.size() != alert_bytes) {
    const bool empty = content.empty();  // RFC 8446 5.4: unexpected_message for an empty one
    return give_up(lent, {empty ? Alert::unexpected_message : Alert::decode_error, "an alert is not two bytes long"});
  }
  const auto alert = static_cast<Alert>(content[1]);
  if (alert == Alert::close_notify) {
    phase_ = Phase::peer_closed;
    goodbye_unsaid_ = true;
  } else if (alert == Alert::user_canceled) {
    check_rate(lent);  // RFC 8446 6.1: a close_notify should follow
  } else {
    // RFC 8446 6.2: all others are fatal, unknown ones too, and nothing more is sent.
    error_ = std::make_unique<Error>(explain_alert(std::to_integer<std::uint8_t>(content[1])));
  }
}

void Layer::take_handshake(const Lent& lent, Bytes content) {
  // RFC 8446 5.1: zero-length fragments are not allowed.
  if (content.empty()) return give_up(lent, {Alert::unexpected_message, "an empty handshake record"});
  // Each costs for itself, and so does each record of one that is cut into many.
  while (!content.empty() && check_rate(lent)) {
    const auto message = messages_.next(content);
    if (!message) return give_up(lent, message.error());
    if (!*message || **message == PostHandshake::Message::new_session_ticket) continue;
    opener_.update(keys_);
    if (**message == PostHandshake::Message::key_update_requested) key_update_owed_ = true;
  }
}

// Each message costs a key derivation or an open for a few dozen bytes on the wire, and RFC 8446 4.6.3 sets no limit.
bool Layer::check_rate(const Lent& lent) {
  if (message_rate_.take(messages_per_second_, lent.clock())) return true;
  close(lent);
  fail(Errc::tls_message_rate_exceeded,
       "too many TLS handshake messages (KeyUpdate), alerts or empty records per second");
  return false;
}

void Layer::give_up(const Lent& lent, const Fault& fault) {
  send_alert(lent, fault.alert);
  fail(Errc::tls_protocol_error, fault.words);
}

void Layer::fail(Errc code, std::string detail) {
  error_ = std::make_unique<Error>(Error{.code = code, .detail = std::move(detail)});
}

// ── Records out ─────────────────────────────────────────────────────────────────────────────────────────────────────

void Layer::seal(const Lent& lent, Bytes plaintext) {
  if (phase_ == Phase::failed || error_) return;
  FAIRLEAD_ASSERT(!close_sent_);
  while (!plaintext.empty()) {
    if (!sealer_.may_seal()) update_keys(lent, false);  // RFC 8446 5.5: before the limit of a key is reached
    const Bytes content = plaintext.first(std::min(plaintext.size(), content_limit_bytes));
    sealer_.seal(keys_, ContentType::application_data, content, lent.output);
    plaintext = plaintext.subspan(content.size());
  }
}

void Layer::close(const Lent& lent) {
  if (phase_ == Phase::failed || error_) return;
  send_alert(lent, Alert::close_notify);
}

// RFC 8446 6.1: nothing is sent behind close_notify; 6.2: nor behind a fatal alert, which fails this layer.
void Layer::send_alert(const Lent& lent, Alert alert) {
  if (close_sent_) return;
  close_sent_ = true;
  constexpr std::byte warning{1};
  constexpr std::byte fatal{2};
  const std::array<std::byte, 2> message{alert == Alert::close_notify ? warning : fatal, static_cast<std::byte>(alert)};
  sealer_.seal(keys_, ContentType::alert, message, lent.output);
}

// RFC 8446 4.6.3: one answer is enough for all that came meanwhile, and it comes before our next data.
void Layer::answer_key_update(const Lent& lent) {
  key_update_owed_ = false;
  if (!close_sent_ && !error_) update_keys(lent, false);
}

void Layer::update_keys(const Lent& lent, bool request) {
  if (phase_ == Phase::failed || close_sent_) return;
  sealer_.seal(keys_, ContentType::handshake, key_update_message(request), lent.output);
  sealer_.update(keys_);
}

}  // namespace fairlead::tls::record
