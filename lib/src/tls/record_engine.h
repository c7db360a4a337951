// SPDX-License-Identifier: Apache-2.0
// The engine over our own record layer: OpenSSL shakes hands, then its connection object goes, and records are sealed
// and opened here. engine.h says how the one takes over from the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/prefetch.h"
#include "tls/engine.h"
#include "tls/failure.h"
#include "tls/openssl_engine.h"
#include "tls/record/layer.h"
#include "tls/record/reader.h"
#include "tls/scratch.h"

namespace fairlead::tls {

// What has to be known of a connection whose OpenSSL object is gone. Shared by connections that agreed on the same.
struct Agreed {
  std::shared_ptr<const TlsInfo> info;    // without the peer's certificate
  std::shared_ptr<const DerChain> chain;  // null: the peer presented none
  bool verified = false;                  // the first of the chain is the peer's verified certificate
};

class RecordEngine final : public Engine {
 public:
  RecordEngine(std::unique_ptr<OpensslEngine> openssl, Side side, Scratch& scratch);
  ~RecordEngine() override;

  void receive(Bytes ciphertext) override;
  [[nodiscard]] std::optional<Event> next_event() override;
  void retain() override;
  void receive_end() override;
  void limit_messages(std::size_t per_second) override;
  void seal(Bytes plaintext) override;
  void warm() const noexcept override { prefetch(*this); }
  void close() override;
  [[nodiscard]] Bytes output() const override;
  void consume(std::size_t bytes) override;
  [[nodiscard]] std::size_t held_bytes() const noexcept override {
    return sizeof(*this) + (openssl_ != nullptr ? openssl_->held_bytes() : 0);
  }
  [[nodiscard]] TlsInfo info() const override;
  [[nodiscard]] std::vector<CertificateDetails> presented_chain() const override;

  // For tests: whether our record layer has taken over, and its rekeying.
  [[nodiscard]] bool took_over() const noexcept { return layer_ != std::nullopt; }
  void limit_records_per_key(std::uint32_t records);
  void update_keys(bool request);

 private:
  // A client that waits for its ticket: OpenSSL reads, one whole record at a time, so that it can go after any of them.
  struct Waiting {
    record::Reader reader;
    std::uint64_t read_sequence = 0;
    std::uint64_t write_sequence = 0;
    std::uint64_t content_bytes = 0;  // of records, beside OpensslEngine::message_bytes
    bool end_received = false;
    bool between_messages = false;  // the last record surely ended no later than a handshake message
  };

  [[nodiscard]] std::optional<Event> after_handshake();
  [[nodiscard]] std::optional<Event> next_while_waiting();
  [[nodiscard]] std::optional<Event> feed_openssl();
  void note_where_record_ended(std::size_t opened_bytes, bool had_data);
  [[nodiscard]] std::optional<Event> stay_with_openssl();
  void take_over(record::Reader reader, std::uint64_t read_sequence, std::uint64_t write_sequence);
  [[nodiscard]] std::optional<Event> next_of_layer();
  [[nodiscard]] record::Lent lend();
  [[nodiscard]] std::uint64_t records_written_since(std::size_t output_bytes) const;

  Scratch& scratch_;
  std::unique_ptr<OpensslEngine> openssl_;  // null once the layer has taken over
  std::unique_ptr<Waiting> waiting_;
  std::optional<record::Layer> layer_;
  Agreed agreed_;
  Side side_;
};

}  // namespace fairlead::tls
