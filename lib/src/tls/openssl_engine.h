// SPDX-License-Identifier: Apache-2.0
// The engine over OpenSSL's own record layer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/rate.h"
#include "tls/client_session.h"
#include "tls/context.h"
#include "tls/engine.h"
#include "tls/failure.h"
#include "tls/openssl.h"
#include "tls/record/reader.h"
#include "tls/record/sealer.h"
#include "tls/scratch.h"
#include "tls/traffic_secrets.h"

namespace fairlead::tls {

// What may wait to be sealed while the peer is in the middle of a handshake message (see `seal`).
// What OpenSSL takes for one connection: with the buffers that it has while hands are shaken, and without (README.md).
inline constexpr std::size_t handshake_bytes = std::size_t{48} * 1024;
inline constexpr std::size_t open_bytes = std::size_t{14} * 1024;
inline constexpr std::size_t unsealed_limit_bytes = std::size_t{4} * 1024 * 1024;

// Lets OpenSSL's callbacks of this context reach the engine that is running.
void call_engines(SSL_CTX* context);

// Which record layer seals and opens once the handshake is done.
enum class Records : std::uint8_t {
  openssl,  // OpenSSL's, in this engine
  ours,     // a RecordEngine's, which takes over from this engine: what the handshake left unread stays unread
};

class OpensslEngine final : public Engine {
 public:
  // What only a client needs.
  struct ClientPart {
    std::shared_ptr<const ClientContext> context;
    std::shared_ptr<ClientSession> session;  // null: no resumption
    std::string host;                        // the name that is verified
  };

  OpensslEngine(std::shared_ptr<const ServerContext> context, SslPtr ssl, Scratch& scratch,
                Records records = Records::openssl);
  OpensslEngine(ClientPart client, SslPtr ssl, Scratch& scratch, Records records = Records::openssl);
  ~OpensslEngine() override;

  void receive(Bytes ciphertext) override;
  [[nodiscard]] std::optional<Event> next_event() override;
  void retain() override;
  void receive_end() override;
  void limit_messages(std::size_t per_second) override { messages_per_second_ = per_second; }
  void seal(Bytes plaintext) override;
  void close() override;
  [[nodiscard]] Bytes output() const override;
  void consume(std::size_t bytes) override;
  // OpenSSL does not say: what was measured, see README.md.
  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    return phase_ == Phase::handshaking ? handshake_bytes : open_bytes;
  }
  [[nodiscard]] TlsInfo info() const override;
  [[nodiscard]] std::vector<CertificateDetails> presented_chain() const override;

  // For tests of the rekeying: seals at most so many records with one key.
  void limit_records_per_key(std::uint32_t records) { records_left_ = records_each_key_ = records; }

  // ── For the engine that takes over (engine.h says how) ────────────────────────────────────────────────────────────
  // The secrets of TLS 1.3, once they are complete; null: not asked for.
  [[nodiscard]] const TrafficSecrets* secrets() const noexcept { return secrets_.get(); }
  [[nodiscard]] const SSL* ssl() const noexcept { return ssl_.get(); }
  [[nodiscard]] bool keys_changed() const noexcept { return keys_changed_; }
  // Ciphertext that was received and not read, to be moved to whoever takes over, and back.
  [[nodiscard]] record::Reader take_unread();
  void begin_with(record::Reader unread);
  // What `info` is made of: everything but the certificate, and whether that was verified.
  [[nodiscard]] TlsInfo negotiated() const;
  [[nodiscard]] bool peer_is_verified() const;
  // What `presented_chain` describes; owned by the connection.
  [[nodiscard]] std::vector<X509*> presented() const;
  [[nodiscard]] bool end_received() const noexcept { return end_received_; }
  [[nodiscard]] std::size_t messages_per_second() const noexcept { return messages_per_second_; }
  // Where the records begin in the output that were sealed with the secrets above: the tickets of a server.
  [[nodiscard]] std::size_t handshake_output_bytes() const noexcept { return handshake_output_bytes_; }
  // A client that keeps a session for the next connection, and has not got it yet.
  [[nodiscard]] bool awaits_session() const noexcept { return client_ && client_->session && !session_kept_; }
  // Counts the bytes of handshake messages that have come whole, from here on.
  void count_messages();
  [[nodiscard]] std::uint64_t message_bytes() const noexcept { return message_bytes_; }
  // OpenSSL is at rest, the secrets are still the ones that seal and open, and records may be as long as they like.
  [[nodiscard]] bool can_be_replaced() const noexcept;
  // Nobody takes over: from here on as much ciphertext as there is goes into OpenSSL's buffer at once.
  void keep_records();

  // ── For OpenSSL's callbacks ───────────────────────────────────────────────────────────────────────────────────────
  [[nodiscard]] static OpensslEngine& of(const SSL* ssl);
  [[nodiscard]] bool verify(X509_STORE_CTX* store);
  [[nodiscard]] bool keep_session(SSL_SESSION* session);
  void note_message();
  void note_whole_message(std::size_t bytes) noexcept { message_bytes_ += bytes; }

 private:
  enum class Phase : std::uint8_t {
    handshaking,
    open,
    peer_closed,  // close_notify has arrived; we may still send
    failed,
  };
  class Active;  // lends the scratch to this engine for one call

  void start(SSL* ssl) const;
  [[nodiscard]] std::optional<Event> handshake();
  [[nodiscard]] Event established();
  void keep_resumed_session();
  [[nodiscard]] std::optional<Event> read();
  [[nodiscard]] std::size_t read_burst();
  void settle_read();
  [[nodiscard]] std::optional<Event> ended();
  [[nodiscard]] Event fail_with(Error error);
  [[nodiscard]] Error failure();
  void note_plaintext_answer(Bytes ciphertext);
  bool write(Bytes plaintext);
  void seal_waiting();
  void renew_key_if_due(std::size_t bytes);
  [[nodiscard]] Side side() const noexcept { return client_ ? Side::client : Side::server; }
  [[nodiscard]] bool pins_match(X509_STORE_CTX* store) const;

  Scratch& scratch_;
  std::shared_ptr<const ServerContext> server_;  // keeps the SSL_CTX's settings alive; null on a client
  std::unique_ptr<ClientPart> client_;           // null on a server
  SslPtr ssl_;                                   // goes before the contexts
  Bytes unread_;                                 // of the caller's buffer, or of `retained_`
  std::vector<std::byte> retained_;
  std::unique_ptr<TrafficSecrets> secrets_;
  std::size_t handshake_output_bytes_ = 0;
  std::unique_ptr<Error> error_;      // the next event is a failure
  std::unique_ptr<Buffer> unsealed_;  // plaintext that waits for the rest of a handshake message; usually null
  std::uint32_t records_each_key_ = record::records_per_key_unless_a_test_lowers_it;  // RFC 8446 5.5
  std::uint32_t records_left_ = records_each_key_;
  std::size_t messages_per_second_ = Limits{}.tls_messages_per_second;
  std::uint64_t message_bytes_ = 0;  // of those that were counted
  Rate message_rate_;
  Phase phase_ = Phase::handshaking;
  Records records_;
  bool session_kept_ = false;
  bool keys_changed_ = false;  // by a KeyUpdate, in either direction
  bool reading_ = false;       // records are being opened: what OpenSSL tells of comes from the peer
  bool drained_ = false;       // OpenSSL holds nothing that can be read
  bool end_received_ = false;  // the stream ended below
  bool close_sent_ = false;
  bool peer_closed_unsaid_ = false;  // the event is still to be given
  std::uint8_t head_bytes_ = 0;      // of the stream, that looked like "HTTP/" so far; see note_plaintext_answer
};

}  // namespace fairlead::tls
