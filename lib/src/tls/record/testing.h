// SPDX-License-Identifier: Apache-2.0
// For tests: bytes out of hexadecimal text, and two record layers that share their secrets.
#pragma once

#include <fairlead/bytes.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/record/layer.h"

namespace fairlead::tls::record::testing {

// "17 03 03": spaces are for the reader.
[[nodiscard]] std::string from_hex(std::string_view text);

// One end, driven as an engine drives it.
struct End {
  End(Side side, Suite suite, std::string_view read_secret, std::string_view write_secret,
      std::uint64_t read_sequence = 0, std::uint64_t write_sequence = 0);

  void receive(std::string_view stream);
  void receive_end();
  void send(std::string_view text);
  // One protected record of any type, as a peer with the right keys could make it; padded with zeros.
  void send_raw(ContentType type, std::string_view content, std::size_t padding = 0);
  void close();
  void settle();
  [[nodiscard]] Lent lend();
  [[nodiscard]] Errc failure() const { return failed ? failed->code : Errc::closed; }
  [[nodiscard]] std::string take_output();

  KeyCache keys;
  Buffer output;
  std::vector<std::byte> room;
  TimePoint (*clock)() = [] { return TimePoint{}; };
  std::unique_ptr<Layer> layer;
  std::unique_ptr<Sealer> forger;  // a second sealer with the same secret, for `send_raw`
  std::string outgoing;
  std::string plaintext;
  bool said_goodbye = false;  // the peer did
  std::optional<Error> failed;
};

// Client and server with the same secrets.
struct Pair {
  explicit Pair(Suite suite = Suite::aes_128_gcm_sha256);
  // Carries bytes until nothing moves, at most `chunk_bytes` at a time.
  void run(std::size_t chunk_bytes = 1U << 20U);

  End client;
  End server;
};

}  // namespace fairlead::tls::record::testing
