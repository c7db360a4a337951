// SPDX-License-Identifier: Apache-2.0
// Cuts the stream into records (RFC 8446 5.1), whatever pieces it comes in, and keeps what is not whole yet.
#pragma once

#include <fairlead/bytes.h>

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <utility>

#include "base/buffer.h"
#include "tls/record/content.h"

namespace fairlead::tls::record {

// Records are read from where the caller has them. Only a record that is cut in two, or what `retain` was called for,
// is copied; without either nothing is held.
class Reader {
 public:
  Reader() = default;
  Reader(Reader&&) = default;
  Reader& operator=(Reader&&) = default;
  ~Reader() = default;

  // The bytes must stay until `retain`, or until `next` gives nothing. Nothing of an earlier span may be unread.
  void receive(Bytes stream);
  void retain();
  // A whole protected record with its header, good until `advance`; nothing: more must come.
  [[nodiscard]] std::expected<std::optional<Bytes>, Fault> next();
  // Behind the record that `next` gave.
  void advance();
  void clear() noexcept;

  // Everything that was not read, for somebody else to read; null: nothing.
  [[nodiscard]] std::unique_ptr<Buffer> take_all();

 private:
  [[nodiscard]] bool keep_up_to(std::size_t bytes);
  [[nodiscard]] std::nullopt_t keep_rest();

  Bytes unread_;                  // of the caller
  std::unique_ptr<Buffer> kept_;  // what comes before that; null: nothing
};

}  // namespace fairlead::tls::record
