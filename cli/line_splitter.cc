// SPDX-License-Identifier: Apache-2.0
#include "line_splitter.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace fairlead::cli {
std::size_t cut_between_characters(std::string_view text) {
  constexpr std::size_t longest_character = 4;
  for (std::size_t back = 1; back <= std::min(longest_character, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

void LineSplitter::feed(std::string_view bytes) {
  if (error_ || bytes.empty()) return;
  switch (splitting_) {
    case Splitting::lines:
      return feed_lines(bytes);
    case Splitting::reads:
      return push(std::string(bytes), true);
    case Splitting::exact_chunks:
      return feed_chunks(bytes, chunk_bytes_);
    case Splitting::one_message:
      return feed_chunks(bytes, std::numeric_limits<std::size_t>::max());
  }
}

void LineSplitter::finish() {
  if (error_) return;
  if (!pending_.empty() || open_) push(std::exchange(pending_, {}), true);
}

std::optional<Result<Piece>> LineSplitter::next() {
  if (!ready_.empty()) {
    Piece piece = std::move(ready_.front());
    ready_.pop_front();
    return Result<Piece>(std::move(piece));
  }
  if (error_) return std::unexpected(*error_);
  return std::nullopt;
}

void LineSplitter::feed_lines(std::string_view bytes) {
  while (!bytes.empty() && !error_) {
    const std::size_t end = bytes.find('\n');
    pending_ += bytes.substr(0, end);
    if (end == std::string_view::npos) return cut_long_line();
    bytes.remove_prefix(end + 1);
    cut_long_line();
    push(std::exchange(pending_, {}), true);
    ++line_;
  }
}

void LineSplitter::cut_long_line() {
  while (pending_.size() > piece_bytes && !error_) {
    const std::size_t cut = cut_between_characters(std::string_view(pending_).substr(0, piece_bytes));
    std::string piece = pending_.substr(0, cut);
    pending_.erase(0, cut);
    push(std::move(piece), false);
  }
}

void LineSplitter::feed_chunks(std::string_view bytes, std::size_t message_bytes) {
  while (!bytes.empty()) {
    const std::size_t left = message_bytes - message_pushed_ - pending_.size();
    const std::size_t take = std::min({bytes.size(), left, piece_bytes - pending_.size()});
    pending_ += bytes.substr(0, take);
    bytes.remove_prefix(take);
    const bool complete = take == left;
    if (complete || pending_.size() == piece_bytes) push(std::exchange(pending_, {}), complete);
  }
}

void LineSplitter::push(std::string bytes, bool last) {
  if (kind() == MessageKind::text && !simdjson::validate_utf8(bytes.data(), bytes.size())) {
    error_ = Error{Errc::invalid_utf8, fmt::format("line {} of the input is not UTF-8 text", line_)};
    return;
  }
  message_pushed_ = last ? 0 : message_pushed_ + bytes.size();
  ready_.push_back({.kind = kind(), .bytes = std::move(bytes), .first = !open_, .last = last});
  open_ = !last;
}

}  // namespace fairlead::cli
