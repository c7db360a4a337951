// SPDX-License-Identifier: Apache-2.0
#include "model/json_cursor.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

namespace fairlead::server {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20; }

// The first byte from `at` on that means something in a string: a quotation mark, a backslash, a control character; the
// end of the text when there is none. Eight bytes at a time: most of what a server reads is inside of strings.
std::size_t end_of_plain(std::string_view text, std::size_t at) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t tops = ones << 7U;
  // The lowest byte that is marked is right, which is all that is asked for (a borrow only ever reaches higher ones).
  const auto is_zero = [](std::uint64_t bytes) { return (bytes - ones) & ~bytes & tops; };
  const auto is_below_space = [](std::uint64_t bytes) { return (bytes - 0x20 * ones) & ~bytes & tops; };
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
      std::uint64_t bytes = 0;
      std::memcpy(&bytes, text.data() + at, sizeof bytes);
      const std::uint64_t marked =
          is_zero(bytes ^ ('"' * ones)) | is_zero(bytes ^ ('\\' * ones)) | is_below_space(bytes);
      if (marked != 0) return at + static_cast<std::size_t>(std::countr_zero(marked)) / 8;
    }
  }
  while (at < text.size() && text[at] != '"' && text[at] != '\\' && !is_control(text[at])) ++at;
  return at;
}

void append_utf8(std::uint32_t point, std::string& out) {
  const auto byte = [&](std::uint32_t bits) { out.push_back(static_cast<char>(static_cast<unsigned char>(bits))); };
  const auto tail = [&](unsigned shift) { byte(0x80U | ((point >> shift) & 0x3FU)); };
  if (point < 0x80) return byte(point);
  if (point < 0x800) return byte(0xC0U | (point >> 6U)), tail(0);
  if (point < 0x10000) return byte(0xE0U | (point >> 12U)), tail(6), tail(0);
  byte(0xF0U | (point >> 18U)), tail(12), tail(6), tail(0);
}

bool is_high_surrogate(std::uint32_t unit) noexcept { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(std::uint32_t unit) noexcept { return unit >= 0xDC00 && unit < 0xE000; }

template <class Number>
bool parse_integer(std::string_view text, Number& out) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void JsonCursor::space() noexcept {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
    ++at_;
}

bool JsonCursor::take(char wanted) noexcept {
  space();
  if (at_ >= text_.size() || text_[at_] != wanted) return false;
  ++at_;
  return true;
}

bool JsonCursor::word(std::string_view wanted) noexcept {
  if (!text_.substr(at_).starts_with(wanted)) return false;
  at_ += wanted.size();
  return true;
}

bool JsonCursor::at_end() {
  space();
  return at_ == text_.size();
}

bool JsonCursor::open(char bracket) noexcept {
  if (depth_left_ == 0 || !take(bracket)) return false;
  --depth_left_;
  return true;
}

JsonCursor::Next JsonCursor::next(bool first, char end) noexcept {
  if (take(end)) {
    ++depth_left_;
    return Next::end;
  }
  return first || take(',') ? Next::entry : Next::broken;
}

bool JsonCursor::skip() {
  space();
  if (at_ == text_.size()) return false;
  switch (text_[at_]) {
    case '{':
      return walk('{', '}', [this] { return quoted() && take(':') && skip(); });
    case '[':
      return walk('[', ']', [this] { return skip(); });
    case '"':
      return quoted();
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    default:
      return number();
  }
}

std::optional<std::string_view> JsonCursor::raw() {
  space();
  const std::size_t begin = at_;
  if (!skip()) return std::nullopt;
  return text_.substr(begin, at_ - begin);
}

bool JsonCursor::null() {
  space();
  return word("null");
}

bool JsonCursor::boolean(bool& out) {
  space();
  out = at_ < text_.size() && text_[at_] == 't';
  return word(out ? "true" : "false");
}

bool JsonCursor::integer(std::uint64_t& out) {
  const auto text = raw();
  return text && parse_integer(*text, out);
}

bool JsonCursor::integer(std::int64_t& out) {
  const auto text = raw();
  return text && parse_integer(*text, out);
}

bool JsonCursor::digits() noexcept {
  const std::size_t begin = at_;
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  return at_ > begin;
}

// RFC 8259 6: no leading zeros, no plus sign, digits on both sides of the point.
bool JsonCursor::number() {
  if (text_[at_] == '-') ++at_;
  const std::size_t begin = at_;
  if (!digits() || (text_[begin] == '0' && at_ > begin + 1)) return false;
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    if (!digits()) return false;
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    return digits();
  }
  return true;
}

bool JsonCursor::quoted() {
  if (!take('"')) return false;
  for (;;) {
    at_ = end_of_plain(text_, at_);
    if (at_ >= text_.size() || is_control(text_[at_])) return false;
    if (text_[at_++] == '"') return true;
    if (!escape(nullptr)) return false;
  }
}

bool JsonCursor::string(std::string& out) {
  out.clear();
  if (!take('"')) return false;
  for (;;) {
    const std::size_t begin = at_;
    at_ = end_of_plain(text_, at_);
    out.append(text_, begin, at_ - begin);
    if (at_ >= text_.size() || is_control(text_[at_])) return false;
    if (text_[at_++] == '"') return true;
    if (!escape(&out)) return false;
  }
}

// A key is rarely escaped: then it is a view of the text.
bool JsonCursor::key(std::string_view& out, std::string& storage) {
  space();
  const std::size_t begin = at_;
  if (!quoted()) return false;
  out = text_.substr(begin + 1, at_ - begin - 2);
  if (!out.contains('\\')) return true;
  at_ = begin;
  const bool read = string(storage);
  out = storage;
  return read;
}

bool JsonCursor::escape(std::string* out) {
  if (at_ >= text_.size()) return false;
  static constexpr std::string_view letters = "\"\\/bfnrt";
  static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  const char letter = text_[at_++];
  if (letter == 'u') return unicode_escape(out);
  const std::size_t index = letters.find(letter);
  if (index == std::string_view::npos) return false;
  if (out != nullptr) out->push_back(meanings[index]);
  return true;
}

std::optional<std::uint32_t> JsonCursor::hex4() noexcept {
  const std::string_view four = text_.substr(std::min(at_, text_.size()), 4);
  std::uint32_t unit = 0;
  const auto [end, error] = std::from_chars(four.data(), four.data() + four.size(), unit, 16);
  if (error != std::errc() || four.size() != 4 || end != four.data() + 4) return std::nullopt;
  at_ += 4;
  return unit;
}

// RFC 8259 7: characters beyond the basic plane are two escapes. Half of a pair stands for no character; like most
// readers this one takes it for U+FFFD.
bool JsonCursor::unicode_escape(std::string* out) {
  const auto unit = hex4();
  if (!unit) return false;
  std::uint32_t point = *unit;
  if (is_high_surrogate(*unit) && text_.substr(at_).starts_with("\\u")) {
    const std::size_t before = at_;
    at_ += 2;
    const auto low = hex4();
    if (!low) return false;
    if (is_low_surrogate(*low))
      point = 0x10000 + ((*unit - 0xD800) << 10U) + (*low - 0xDC00);
    else
      at_ = before;
  }
  if (point >= 0xD800 && point < 0xE000) point = 0xFFFD;
  if (out != nullptr) append_utf8(point, *out);
  return true;
}

}  // namespace fairlead::server
