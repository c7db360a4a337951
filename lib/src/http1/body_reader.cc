// SPDX-License-Identifier: Apache-2.0
// Chunks are read by hand: Beast's chunk parser takes extensions of any length and keeps trailer fields as if they had
// stood in the head.
#include "http1/body_reader.h"

#include "text/tokens.h"

#include <algorithm>

namespace fairlead::http1 {
namespace {

constexpr int max_size_digits = 16;  // 64 bits; bounds leading zeros too
constexpr std::string_view malformed_chunk = "a malformed chunk";

int hexadecimal(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `absent`: the framing of a message that names none.
Result<Framing> read_framing(const Headers& headers, HttpVersion version, Framing absent) {
  const auto lengths = headers.all("Content-Length");
  const auto codings = headers.all("Transfer-Encoding");
  if (!codings.empty()) {
    // RFC 9112 6.1, 6.3: both at once "might indicate an attempt to perform request smuggling" and ought to be refused.
    if (!lengths.empty()) return fail(Errc::http_malformed, "Content-Length beside Transfer-Encoding");
    if (version == HttpVersion::http_1_0) return fail(Errc::http_malformed, "Transfer-Encoding in HTTP/1.0");
    if (codings.size() != 1 || !text::equals_ignoring_case(codings.front(), "chunked")) {
      return fail(Errc::http_malformed, "a transfer coding other than chunked");
    }
    return Framing{Framing::Kind::chunked, 0};
  }
  if (lengths.empty()) return absent;
  const auto length = text::parse_decimal(lengths.front());
  if (lengths.size() != 1 || !length) return fail(Errc::http_malformed, "Content-Length is not one number");
  return Framing{Framing::Kind::length, *length};
}

}  // namespace

Result<Framing> request_framing(const Headers& headers, HttpVersion version) {
  return read_framing(headers, version, {});
}

Result<Framing> response_framing(int status, const Headers& headers, HttpVersion version) {
  auto framing = read_framing(headers, version, {Framing::Kind::until_end, 0});
  // RFC 9112 6.3: these end with their head whatever their fields say.
  if (framing && (status < 200 || status == 204 || status == 304)) return Framing{};
  return framing;
}

Result<BodyReader> BodyReader::start(const Framing& framing, const Limits& limits) {
  if (framing.kind == Framing::Kind::length && framing.length_bytes > limits.http_body_bytes) {
    return fail(Errc::http_body_too_large, "the body passes the limit");
  }
  return BodyReader(framing, limits);
}

BodyReader::BodyReader(const Framing& framing, const Limits& limits) noexcept
    : limit_bytes_(limits.http_body_bytes), overhead_left_(limits.http_head_bytes), remaining_(framing.length_bytes) {
  if (framing.kind == Framing::Kind::length && remaining_ != 0) place_ = Place::length;
  if (framing.kind == Framing::Kind::chunked) place_ = Place::size_first;
  if (framing.kind == Framing::Kind::until_end) place_ = Place::until_end;
}

Result<std::size_t> BodyReader::receive(Bytes in) {
  const auto text = as_text(in);
  std::size_t read = 0;
  while (read < text.size() && !done()) {
    if (place_ == Place::length || place_ == Place::until_end || place_ == Place::data) {
      const auto taken = take_data(text.substr(read));
      if (!taken) return taken;
      read += *taken;
      continue;
    }
    if (auto stepped = step(text[read]); !stepped) return std::unexpected(stepped.error());
    ++read;
  }
  return read;
}

void BodyReader::receive_end() noexcept {
  if (place_ == Place::until_end) place_ = Place::done;
}

Result<std::size_t> BodyReader::take_data(std::string_view in) {
  const bool bounded = place_ != Place::until_end;
  const auto count = bounded ? static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), remaining_)) : in.size();
  // Counted while it arrives. (A declared chunk was compared with the limit before its first byte.)
  if (count > limit_bytes_ - body_.size()) return fail(Errc::http_body_too_large, "the body passes the limit");
  body_.append(in.substr(0, count));
  if (bounded) remaining_ -= count;
  if (bounded && remaining_ == 0) place_ = place_ == Place::length ? Place::done : Place::data_return;
  return count;
}

Result<void> BodyReader::step(char c) {
  switch (place_) {
    case Place::size_first:
    case Place::size:
      return read_size(c);
    case Place::extension:
      return skip_text(c, Place::size_line_feed);
    case Place::size_line_feed:
      if (c == '\n') end_size_line();
      return c == '\n' ? Result<void>() : fail(Errc::http_malformed, std::string(malformed_chunk));
    case Place::data_return:
      return expect(c, '\r', Place::data_line_feed);
    case Place::data_line_feed:
      return expect(c, '\n', Place::size_first);
    case Place::trailer_begin:
      if (c != '\r') place_ = Place::trailer;
      return c == '\r' ? expect(c, '\r', Place::last_line_feed) : skip_text(c, Place::trailer_line_feed);
    case Place::trailer:
      return skip_text(c, Place::trailer_line_feed);
    case Place::trailer_line_feed:
      return expect(c, '\n', Place::trailer_begin);
    default:
      return expect(c, '\n', Place::done);  // last_line_feed: data and done never come here
  }
}

Result<void> BodyReader::read_size(char c) {
  const int digit = hexadecimal(c);
  if (digit < 0 && place_ == Place::size_first) return fail(Errc::http_malformed, std::string(malformed_chunk));
  if (place_ == Place::size_first) {
    remaining_ = 0;
    digits_ = 0;
  }
  if (digit >= 0) {
    if (++digits_ > max_size_digits) return fail(Errc::http_malformed, "a chunk's size has too many digits");
    remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(digit);
    if (remaining_ > limit_bytes_ - body_.size()) return fail(Errc::http_body_too_large, "the body passes the limit");
    place_ = Place::size;
    return {};
  }
  if (c == '\r') return expect(c, '\r', Place::size_line_feed);
  return expect(c, ';', Place::extension);
}

Result<void> BodyReader::skip_text(char c, Place after_return) {
  if (c == '\r') return expect(c, '\r', after_return);
  if (!text::is_field_value({&c, 1})) return fail(Errc::http_malformed, std::string(malformed_chunk));
  if (overhead_left_-- == 0) return fail(Errc::http_head_too_large, "chunk extensions and trailers pass the limit");
  return {};
}

Result<void> BodyReader::expect(char c, char wanted, Place next) {
  if (c != wanted) return fail(Errc::http_malformed, std::string(malformed_chunk));
  place_ = next;
  return {};
}

void BodyReader::end_size_line() noexcept { place_ = remaining_ == 0 ? Place::trailer_begin : Place::data; }

}  // namespace fairlead::http1
