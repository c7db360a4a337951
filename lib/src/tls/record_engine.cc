// SPDX-License-Identifier: Apache-2.0
#include "tls/record_engine.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "tls/x509.h"

namespace fairlead::tls {
namespace {

// A server that sends tickets sends them right behind the handshake. For one that has not come within so many records
// nobody waits on: should it come after all, it is passed over.
constexpr std::uint64_t records_with_a_ticket = 16;

std::optional<record::Suite> suite_of(const SSL* ssl) {
  return record::suite_of(SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl)));
}

// The records in a piece of output that begins with one.
std::uint64_t count_records(Bytes output) {
  std::uint64_t records = 0;
  while (output.size() >= record::header_bytes) {
    const std::size_t length = std::to_integer<std::size_t>(output[3]) << 8U | std::to_integer<std::size_t>(output[4]);
    output = output.subspan(record::header_bytes + length);
    ++records;
  }
  FAIRLEAD_ASSERT(output.empty());
  return records;
}

// The same facts as the connection before are the same object.
template <class T>
std::shared_ptr<const T> shared_with(std::shared_ptr<const T>& last, T&& value) {
  if (last == nullptr || *last != value) last = std::make_shared<const T>(std::forward<T>(value));
  return last;
}

std::string der_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  FAIRLEAD_ASSERT(size > 0);
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));  // NOLINT: bytes are bytes
  OPENSSL_free(der);
  return text;
}

X509Ptr parse_der(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());  // NOLINT: bytes are bytes
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  FAIRLEAD_ASSERT(certificate != nullptr);  // OpenSSL wrote it
  return certificate;
}

Agreed agreed_with(const OpensslEngine& openssl, Scratch& scratch) {
  Agreed agreed;
  agreed.verified = openssl.peer_is_verified();
  TlsInfo info = openssl.negotiated();
  info.own_record_layer = true;
  agreed.info = shared_with(scratch.last_info, std::move(info));
  DerChain chain;
  for (X509* certificate : openssl.presented()) chain.push_back(der_of(certificate));
  if (!chain.empty()) agreed.chain = shared_with(scratch.last_chain, std::move(chain));
  return agreed;
}

}  // namespace

RecordEngine::RecordEngine(std::unique_ptr<OpensslEngine> openssl, Side side, Scratch& scratch)
    : scratch_(scratch), openssl_(std::move(openssl)), side_(side) {
  FAIRLEAD_ASSERT(scratch.plain_capacity >= record::least_plain_bytes);
}

RecordEngine::~RecordEngine() {
  if (scratch_.writer != this) return;
  scratch_.cipher.clear();  // nobody will send it
  scratch_.writer = nullptr;
}

// ── Taking over ─────────────────────────────────────────────────────────────────────────────────────────────────────

std::optional<Event> RecordEngine::next_event() {
  if (layer_) return next_of_layer();
  if (waiting_) return next_while_waiting();
  auto event = openssl_->next_event();
  if (event && std::holds_alternative<HandshakeDone>(*event)) return after_handshake();
  return event;
}

std::optional<Event> RecordEngine::after_handshake() {
  record::Reader reader;
  if (!openssl_->can_be_replaced() || !suite_of(openssl_->ssl())) {
    openssl_->keep_records();
  } else if (openssl_->awaits_session()) {
    waiting_ = std::make_unique<Waiting>();
    openssl_->count_messages();
    waiting_->reader = openssl_->take_unread();
    waiting_->end_received = openssl_->end_received();
  } else {
    reader = openssl_->take_unread();
    // A server's tickets left in the last step of the handshake, under the secret that seals from now on.
    const bool tickets = side_ == Side::server;
    take_over(std::move(reader), 0, tickets ? records_written_since(openssl_->handshake_output_bytes()) : 0);
  }
  return HandshakeDone{};
}

void RecordEngine::take_over(record::Reader reader, std::uint64_t read_sequence, std::uint64_t write_sequence) {
  const TrafficSecrets& secrets = *openssl_->secrets();
  const bool server = side_ == Side::server;
  layer_.emplace(scratch_.keys, record::Layer::Start{.side = server ? record::Side::server : record::Side::client,
                                                     .suite = *suite_of(openssl_->ssl()),
                                                     .read_secret = server ? secrets.client() : secrets.server(),
                                                     .write_secret = server ? secrets.server() : secrets.client(),
                                                     .read_sequence = read_sequence,
                                                     .write_sequence = write_sequence});
  layer_->limit_messages(openssl_->messages_per_second());
  layer_->begin_with(std::move(reader));
  if (openssl_->end_received()) layer_->receive_end();
  agreed_ = agreed_with(*openssl_, scratch_);
  if (scratch_.writer == openssl_.get()) scratch_.writer = this;  // its last records are ours to send
  waiting_.reset();
  openssl_.reset();
}

std::uint64_t RecordEngine::records_written_since(std::size_t output_bytes) const {
  const Bytes all = openssl_->output();
  return count_records(all.subspan(std::min(output_bytes, all.size())));
}

// ── A client that waits for its ticket ──────────────────────────────────────────────────────────────────────────────

std::optional<Event> RecordEngine::next_while_waiting() {
  while (true) {
    // OpenSSL may hold the first bytes of a handshake message without a sign of it (RFC 8446 5.1): not in between them.
    const bool waits = openssl_->awaits_session() && waiting_->read_sequence < records_with_a_ticket;
    if (!waits && waiting_->between_messages && openssl_->can_be_replaced()) {
      const bool ended = waiting_->end_received;
      take_over(std::move(waiting_->reader), waiting_->read_sequence, waiting_->write_sequence);
      if (ended) layer_->receive_end();
      return next_of_layer();
    }
    const auto record = waiting_->reader.next();
    if (!record || openssl_->keys_changed()) return stay_with_openssl();
    if (!*record) break;
    openssl_->receive(**record);
    ++waiting_->read_sequence;
    auto event = feed_openssl();
    note_where_record_ended(record::Opener::opened_bytes(**record), event && std::holds_alternative<Plaintext>(*event));
    waiting_->reader.advance();
    if (event) return event;
  }
  if (waiting_->end_received) return stay_with_openssl();
  return std::nullopt;
}

// Application data stands in no handshake message. Other records end with a message when all that they held is of whole
// ones; padding counts as held, so behind some of that it is not known before there is data.
void RecordEngine::note_where_record_ended(std::size_t opened_bytes, bool had_data) {
  waiting_->content_bytes = had_data ? openssl_->message_bytes() : waiting_->content_bytes + opened_bytes - 1;
  waiting_->between_messages = waiting_->content_bytes == openssl_->message_bytes();
}

// OpenSSL reads the record to its end in one step; what it writes meanwhile counts as ours.
std::optional<Event> RecordEngine::feed_openssl() {
  const std::size_t before = openssl_->output().size();
  auto event = openssl_->next_event();
  waiting_->write_sequence += records_written_since(before);
  return event;
}

// It changed a key, or it is for OpenSSL to say what is wrong: then the connection is OpenSSL's to its end.
std::optional<Event> RecordEngine::stay_with_openssl() {
  const std::unique_ptr<Waiting> waiting = std::move(waiting_);
  openssl_->keep_records();
  openssl_->begin_with(std::move(waiting->reader));
  if (waiting->end_received) openssl_->receive_end();
  return openssl_->next_event();
}

// ── The verbs ───────────────────────────────────────────────────────────────────────────────────────────────────────

record::Lent RecordEngine::lend() {
  // The driver drains one engine's output before it calls another engine.
  FAIRLEAD_ASSERT(scratch_.cipher.empty() || scratch_.writer == this);
  return {.keys = scratch_.keys, .output = scratch_.cipher, .plain = scratch_.plain(), .clock = scratch_.clock};
}

std::optional<Event> RecordEngine::next_of_layer() {
  auto happening = layer_->next(lend());
  if (!scratch_.cipher.empty()) scratch_.writer = this;
  if (!happening) return std::nullopt;
  if (const auto* plain = std::get_if<MutableBytes>(&*happening)) return Plaintext{*plain};
  if (auto* error = std::get_if<Error>(&*happening)) return Failed{std::move(*error)};
  return PeerClosed{};
}

void RecordEngine::receive(Bytes ciphertext) {
  if (layer_) return layer_->receive(ciphertext);
  if (waiting_) return waiting_->reader.receive(ciphertext);
  openssl_->receive(ciphertext);
}

void RecordEngine::retain() {
  if (layer_) return layer_->retain();
  if (waiting_) return waiting_->reader.retain();
  openssl_->retain();
}

void RecordEngine::receive_end() {
  if (layer_) return layer_->receive_end();
  if (waiting_) {
    waiting_->end_received = true;
    return;
  }
  openssl_->receive_end();
}

void RecordEngine::limit_messages(std::size_t per_second) {
  if (layer_) return layer_->limit_messages(per_second);
  openssl_->limit_messages(per_second);
}

void RecordEngine::seal(Bytes plaintext) {
  if (layer_) {
    layer_->seal(lend(), plaintext);
    if (!scratch_.cipher.empty()) scratch_.writer = this;
    return;
  }
  const std::size_t before = openssl_->output().size();
  openssl_->seal(plaintext);
  if (waiting_) waiting_->write_sequence += records_written_since(before);
}

void RecordEngine::close() {
  if (!layer_) return openssl_->close();
  layer_->close(lend());
  if (!scratch_.cipher.empty()) scratch_.writer = this;
}

Bytes RecordEngine::output() const {
  if (openssl_) return openssl_->output();
  return scratch_.writer == this ? scratch_.cipher.readable() : Bytes{};
}

void RecordEngine::consume(std::size_t bytes) {
  if (bytes == 0) return;
  if (openssl_) return openssl_->consume(bytes);
  FAIRLEAD_ASSERT(scratch_.writer == this);
  scratch_.consume(bytes);
}

// ── Facts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

TlsInfo RecordEngine::info() const {
  if (openssl_) return openssl_->info();
  TlsInfo info = *agreed_.info;
  if (agreed_.verified) {
    info.peer_certificate = std::make_shared<const CertificateInfo>(describe(parse_der(agreed_.chain->front()).get()));
  }
  return info;
}

std::vector<CertificateDetails> RecordEngine::presented_chain() const {
  if (openssl_) return openssl_->presented_chain();
  std::vector<CertificateDetails> presented;
  if (agreed_.chain == nullptr) return presented;
  for (const std::string& der : *agreed_.chain) presented.push_back(describe_details(parse_der(der).get()));
  return presented;
}

// ── For tests ───────────────────────────────────────────────────────────────────────────────────────────────────────

void RecordEngine::limit_records_per_key(std::uint32_t records) {
  if (layer_) return layer_->limit_records_per_key(records);
  openssl_->limit_records_per_key(records);
}

void RecordEngine::update_keys(bool request) {
  FAIRLEAD_ASSERT(layer_);
  layer_->update_keys(lend(), request);
  if (!scratch_.cipher.empty()) scratch_.writer = this;
}

}  // namespace fairlead::tls
