// SPDX-License-Identifier: Apache-2.0
#include "sim/endpoint.h"

#include <algorithm>
#include <array>

namespace fairlead::sim {
namespace {

// Text that compresses a little and has characters of every length to be cut in.
std::string words(Random& random, std::size_t bytes) {
  constexpr std::array<std::string_view, 8> list{"wind ", "κόσμε",    "rope ", "日本語",
                                                 "🜚",     "{\"id\":", "sail ", "0123456789"};
  std::string text;
  while (text.size() < bytes) text += list.at(pick(random, list.size()));
  return text;
}

std::string noise(Random& random, std::size_t bytes) {
  std::string data(bytes, '\0');
  for (char& byte : data) byte = static_cast<char>(random());
  return data;
}

Note compose(Random& random) {
  const std::size_t bytes = pick(random, 4) == 0 ? pick(random, 20'000) : pick(random, 300);
  if (pick(random, 2) == 0) return {MessageKind::text, words(random, bytes)};
  return {MessageKind::binary, noise(random, bytes)};
}

}  // namespace

Endpoint::Endpoint(ws::Role role, const ws::Settings& settings, std::optional<ws::DeflateAgreement> deflate,
                   TimePoint now, std::uint64_t seed)
    : settings_(settings),
      entropy_(seed),
      resources_{entropy_, pool_, deflate_},
      connection_(role, settings_, resources_, deflate, now) {}

void Endpoint::receive(std::string bytes, TimePoint now, Random& random) {
  connection_.receive(std::as_writable_bytes(std::span<char>(bytes)), now);
  // Sometimes the reader pauses with events unread; they come with the next turn.
  const bool pauses = pick(random, 8) == 0;
  if (pauses) {
    if (const auto event = connection_.next_event()) note(*event);
  } else {
    note_events();
  }
  connection_.retain();
  bytes.assign(bytes.size(), '!');
}

void Endpoint::receive_end(TimePoint now) {
  connection_.receive_end(now);
  note_events();
}

void Endpoint::flush(Wire& out, TimePoint now, Random& random) {
  note_events();
  while (out.room() != 0 && !ended) {
    std::array<Bytes, 3> views;
    if (connection_.output(views) == 0) break;
    const std::size_t step = std::min({views[0].size(), out.room(), pick(random, 9000) + 1});
    out.write(as_text(views[0].first(step)), now, random);
    connection_.consume(step);
  }
  if (!connection_.finished() || ended) return;
  out.end(now, random);
  ended = true;
}

void Endpoint::wake(TimePoint now) {
  connection_.on_deadline(now);
  note_events();
}

void Endpoint::act(TimePoint now, Random& random) {
  if (streaming_out_ || pick(random, 5) == 0) return stream_some(now, random);
  if (pick(random, 6) == 0) {
    if (connection_.ping(as_bytes("ping"), now) == ws::Sent::accepted) ++pings;
    return;
  }
  Note message = compose(random);
  const auto compress = static_cast<ws::Compress>(pick(random, 3));
  const auto once = pick(random, 2) == 0 ? SharedMessage::Compression::once : SharedMessage::Compression::none;
  const bool shared = pick(random, 3) == 0;
  const ws::Sent sent_now = shared ? connection_.send({message.first, as_bytes(message.second), once}, now)
                                   : connection_.send(message.first, as_bytes(message.second), now, compress);
  if (sent_now == ws::Sent::accepted) sent.push_back(std::move(message));
}

void Endpoint::stream_some(TimePoint now, Random& random) {
  if (!streaming_out_) streaming_out_ = Note{static_cast<MessageKind>(pick(random, 2)), {}};
  const bool last = pick(random, 4) == 0;
  const std::string piece = words(random, pick(random, 3) == 0 ? 0 : pick(random, 3000));
  const auto taken = connection_.send_chunk(streaming_out_->first, as_bytes(piece), last, now, ws::Compress::always);
  if (taken == ws::Sent::closed) streaming_out_.reset();
  if (taken != ws::Sent::accepted) return;
  streaming_out_->second += piece;
  if (!last) return;
  sent.push_back(std::move(*streaming_out_));
  streaming_out_.reset();
}

void Endpoint::close(TimePoint now, Random& random) {
  const auto code = static_cast<CloseCode>(4000 + pick(random, 1000));
  (void)connection_.close(code, words(random, pick(random, 90)), now);
}

void Endpoint::note_events() {
  while (const auto event = connection_.next_event()) note(*event);
}

void Endpoint::note(const ws::Event& event) {
  if (const auto* message = std::get_if<ws::MessageEvent>(&event))
    received.emplace_back(message->message.kind, message->message.text());
  if (const auto* chunk = std::get_if<ws::ChunkEvent>(&event)) note_chunk(*chunk);
  if (std::holds_alternative<ws::PongEvent>(event)) ++pongs;
  if (std::holds_alternative<ws::ClosedEvent>(event)) saw_close = true;
  if (const auto* failed = std::get_if<ws::FailedEvent>(&event)) failure = failed->error.code;
}

void Endpoint::note_chunk(const ws::ChunkEvent& chunk) {
  if (chunk.first == streaming_in_.has_value()) ++chunk_problems;
  if (!streaming_in_) streaming_in_ = Note{chunk.kind, {}};
  if (streaming_in_->first != chunk.kind) ++chunk_problems;
  streaming_in_->second += as_text(chunk.payload);
  if (!chunk.last) return;
  received.push_back(std::move(*streaming_in_));
  streaming_in_.reset();
}

}  // namespace fairlead::sim
