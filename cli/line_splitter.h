// SPDX-License-Identifier: Apache-2.0
// Standard input as messages: lines of text, or bytes in chunks. Sans-I/O; bounded memory for a line of any length.
#pragma once

#include <fairlead/error.h>
#include <fairlead/message.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::cli {

// A message, or a part of one that is too long to be held. The parts of one message follow each other.
struct Piece {
  MessageKind kind = MessageKind::text;
  std::string bytes;
  bool first = true;
  bool last = true;
};

// Longest part: a message of 64 MiB is 256 of these, well within a receiver's limit for fragments.
inline constexpr std::size_t piece_bytes = std::size_t{256} * 1024;

enum class Splitting : std::uint8_t {
  lines,         // each line is a text message, without its newline
  reads,         // each `feed` is a binary message
  exact_chunks,  // binary messages of `chunk_bytes`, the last one may be shorter
  one_message,   // everything is one binary message
};

// Where valid UTF-8 may be cut so that no character is divided: its end, or before a character that is not all there.
[[nodiscard]] std::size_t cut_between_characters(std::string_view text);

class LineSplitter {
 public:
  explicit LineSplitter(Splitting splitting, std::size_t chunk_bytes = 0)
      : splitting_(splitting), chunk_bytes_(chunk_bytes) {}

  // More input. Then take pieces until there is none.
  void feed(std::string_view bytes);
  // The input has ended: the last line may lack its newline.
  void finish();
  // The next piece; an error (invalid_utf8, naming the line) when a line is not text. Nothing follows an error.
  [[nodiscard]] std::optional<Result<Piece>> next();

 private:
  void feed_lines(std::string_view bytes);
  void feed_chunks(std::string_view bytes, std::size_t message_bytes);
  void cut_long_line();
  void push(std::string bytes, bool last);
  [[nodiscard]] MessageKind kind() const noexcept {
    return splitting_ == Splitting::lines ? MessageKind::text : MessageKind::binary;
  }

  Splitting splitting_;
  std::size_t chunk_bytes_;
  std::string pending_;             // of the message that has not ended
  std::size_t message_pushed_ = 0;  // bytes of it that have been pushed already
  bool open_ = false;               // a part of it has been pushed
  std::uint64_t line_ = 1;
  std::optional<Error> error_;
  std::deque<Piece> ready_;
};

}  // namespace fairlead::cli
