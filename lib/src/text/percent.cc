// SPDX-License-Identifier: Apache-2.0
#include "text/percent.h"

#include <algorithm>
#include <vector>

namespace fairlead::text {
namespace {

int hexadecimal(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A slash or backslash inside a segment can only have come encoded: one reader would see two segments where another
// sees one.
bool is_ambiguous(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return c == '/' || c == '\\' || byte < 0x20 || byte == 0x7F;
}

// RFC 3986 5.2.4 on decoded segments, so that "%2e%2e" is no way around it.
void append_segment(std::vector<std::string>& segments, std::string segment, bool last) {
  const bool up = segment == "..";
  if (!up && segment != ".") {
    segments.push_back(std::move(segment));
    return;
  }
  if (up && !segments.empty()) segments.pop_back();
  if (last) segments.emplace_back();  // "/a/.." is the directory "/"
}

std::optional<std::string> decode_form(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return decode_percent(spaced);
}

}  // namespace

std::optional<std::string> decode_percent(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hexadecimal(text[i + 1]);
    const int low = hexadecimal(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::optional<std::string> decode_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    auto segment = decode_percent(path.substr(0, end));
    if (!segment || std::ranges::any_of(*segment, is_ambiguous)) return std::nullopt;
    path.remove_prefix(end);
    append_segment(segments, std::move(*segment), path.empty());
  }
  std::string decoded;
  for (const auto& segment : segments) decoded.append("/").append(segment);
  return decoded.empty() ? "/" : decoded;
}

std::optional<std::string> find_query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    const auto key = decode_form(pair.substr(0, equals));
    if (!key || *key != name) continue;
    return decode_form(pair.substr(std::min(equals + 1, pair.size())));
  }
  return std::nullopt;
}

}  // namespace fairlead::text
