// SPDX-License-Identifier: Apache-2.0
#include "http1/head_scanner.h"

#include "text/tokens.h"

namespace fairlead::http1 {
namespace {

bool is_text(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7F;
}

}  // namespace

Result<std::optional<HeadScanner::Extent>> HeadScanner::scan(Bytes buffered) {
  const auto text = as_text(buffered);
  while (scanned_ < text.size()) {
    if (scanned_ == limit_bytes_) return fail(Errc::http_head_too_large, "the head passes the limit");
    const auto complete = step(text[scanned_]);
    if (!complete) return std::unexpected(complete.error());
    ++scanned_;
    if (*complete) return Extent{begin_, scanned_};
  }
  return std::nullopt;
}

Result<bool> HeadScanner::step(char c) {
  if (place_ == Place::carriage_return) return end_line(c);
  if (c == '\r') {
    if (place_ == Place::field_name) return fail(Errc::http_malformed, "a field without a colon");
    empty_line_ = place_ == Place::line_begin;
    place_ = Place::carriage_return;
    return false;
  }
  // RFC 9112 2.2 would let a bare LF end a line, and 9110 5.5 a NUL become a space: a proxy that reads them otherwise
  // sees other requests than we do.
  const bool tab = c == '\t' && place_ == Place::field_value;
  if (!is_text(c) && !tab) return fail(Errc::http_malformed, "a control character in the head");
  if (place_ == Place::line_begin) {
    if (auto begun = begin_line(c); !begun) return std::unexpected(begun.error());
  }
  if (place_ != Place::field_name) return false;
  if (c == ':') {
    place_ = Place::field_value;
    return false;
  }
  // RFC 9112 5.1: no whitespace between the name and the colon; the server MUST answer 400.
  if (!text::is_token({&c, 1})) return fail(Errc::http_malformed, "a field's name is not a token");
  return false;
}

Result<void> HeadScanner::begin_line(char c) {
  if (!in_head_) {
    in_head_ = true;
    place_ = Place::start_line;
    return {};
  }
  // RFC 9112 5.2: "A server that receives an obs-fold … MUST either reject the message…".
  if (c == ' ') return fail(Errc::http_malformed, "a folded line");
  if (c == ':') return fail(Errc::http_malformed, "a field without a name");
  if (fields_ == limit_fields_) return fail(Errc::http_too_many_headers, "more fields than the limit allows");
  ++fields_;
  place_ = Place::field_name;
  return {};
}

Result<bool> HeadScanner::end_line(char c) {
  if (c != '\n') return fail(Errc::http_malformed, "a carriage return without a line feed");
  place_ = Place::line_begin;
  if (!empty_line_) return false;
  if (in_head_) return true;
  // RFC 9112 2.2: "a server … SHOULD ignore at least one empty line (CRLF) received prior to the request-line".
  begin_ = scanned_ + 1;
  return false;
}

}  // namespace fairlead::http1
