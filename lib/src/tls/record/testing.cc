// SPDX-License-Identifier: Apache-2.0
#include "tls/record/testing.h"

#include <utility>

#include "base/assert.h"

namespace fairlead::tls::record::testing {
namespace {

std::string secret_of(Suite suite, char fill) { return std::string(secret_bytes(suite), fill); }

unsigned digit(char c) {
  const std::string_view digits = "0123456789abcdef";
  const auto at = digits.find(c);
  FAIRLEAD_ASSERT(at != std::string_view::npos);
  return static_cast<unsigned>(at);
}

}  // namespace

std::string from_hex(std::string_view text) {
  std::string bytes;
  std::optional<unsigned> high;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    if (!high) {
      high = digit(c);
      continue;
    }
    bytes.push_back(static_cast<char>(*high * 16 + digit(c)));
    high.reset();
  }
  return bytes;
}

End::End(Side side, Suite suite, std::string_view read_secret, std::string_view write_secret,
         std::uint64_t read_sequence, std::uint64_t write_sequence)
    : room(4 * least_plain_bytes),
      layer(std::make_unique<Layer>(keys, Layer::Start{.side = side,
                                                       .suite = suite,
                                                       .read_secret = as_bytes(read_secret),
                                                       .write_secret = as_bytes(write_secret),
                                                       .read_sequence = read_sequence,
                                                       .write_sequence = write_sequence})),
      forger(std::make_unique<Sealer>(keys, suite, as_bytes(write_secret), write_sequence)) {}

Lent End::lend() { return {.keys = keys, .output = output, .plain = room, .clock = clock}; }

void End::receive(std::string_view stream) {
  layer->receive(as_bytes(stream));
  settle();
}

void End::receive_end() {
  layer->receive_end();
  settle();
}

void End::send(std::string_view text) {
  layer->seal(lend(), as_bytes(text));
  settle();
}

void End::send_raw(ContentType type, std::string_view content, std::size_t padding) {
  // The padding is content to the sealer; the byte that it takes for the type is the last zero of it.
  std::string inner(content);
  if (padding > 0) {
    inner.push_back(static_cast<char>(type));
    inner.append(padding - 1, '\0');
  }
  forger->seal(keys, padding > 0 ? ContentType{} : type, as_bytes(inner), output);
  outgoing += take_output();
}

void End::close() {
  layer->close(lend());
  settle();
}

void End::settle() {
  while (auto happening = layer->next(lend())) {
    if (const auto* plain = std::get_if<MutableBytes>(&*happening)) plaintext += as_text(*plain);
    if (std::holds_alternative<Goodbye>(*happening)) said_goodbye = true;
    if (auto* error = std::get_if<Error>(&*happening)) failed = std::move(*error);
  }
  outgoing += take_output();
}

std::string End::take_output() {
  std::string text(as_text(std::as_const(output).readable()));
  output.clear();
  return text;
}

Pair::Pair(Suite suite)
    : client(Side::client, suite, secret_of(suite, 's'), secret_of(suite, 'c')),
      server(Side::server, suite, secret_of(suite, 'c'), secret_of(suite, 's')) {}

void Pair::run(std::size_t chunk_bytes) {
  const auto carry = [chunk_bytes](End& from, End& to) {
    const std::string bytes = std::exchange(from.outgoing, {});
    for (std::size_t at = 0; at < bytes.size(); at += chunk_bytes) {
      to.receive(std::string_view(bytes).substr(at, chunk_bytes));
    }
  };
  while (!client.outgoing.empty() || !server.outgoing.empty()) {
    carry(client, server);
    carry(server, client);
  }
}

}  // namespace fairlead::tls::record::testing
