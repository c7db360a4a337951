// SPDX-License-Identifier: Apache-2.0
#include "http1/conditions.h"

#include "http1/http_date.h"
#include "text/tokens.h"

#include <algorithm>
#include <optional>

namespace fairlead::http1 {
namespace {

using std::chrono::sys_seconds;

// Whether a list of entity tags names this one. Weak comparison passes over "W/" (RFC 9110 8.8.3.2). Our tags hold no
// comma, so splitting there cannot match a part of a foreign tag with one.
bool names_tag(std::string_view list, std::string_view etag, bool weak) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    auto tag = text::trim(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (weak && tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag || tag == "*") return true;
  }
  return false;
}

bool any_names_tag(const Request& request, std::string_view field, std::string_view etag, bool weak) {
  const auto values = request.headers.all(field);
  return std::ranges::any_of(values, [&](auto value) { return names_tag(value, etag, weak); });
}

std::optional<sys_seconds> date_in(const Request& request, std::string_view field) {
  const auto value = request.headers.find(field);
  return value ? parse_http_date(*value) : std::nullopt;
}

// RFC 9110 13.2.2, steps 1 and 2.
bool precondition_failed(const Request& request, const FileFacts& facts) {
  if (request.headers.contains("If-Match")) return !any_names_tag(request, "If-Match", facts.etag, false);
  const auto since = date_in(request, "If-Unmodified-Since");
  return since && facts.modified > *since;
}

// Steps 3 and 4: a tag, when there is one, decides alone.
bool not_modified(const Request& request, const FileFacts& facts) {
  if (request.headers.contains("If-None-Match")) return any_names_tag(request, "If-None-Match", facts.etag, true);
  const auto since = date_in(request, "If-Modified-Since");
  return since && facts.modified <= *since;
}

// Step 5: the part is only right for the very same file.
bool range_applies(const Request& request, const FileFacts& facts) {
  const auto condition = request.headers.find("If-Range");
  if (!condition) return true;
  if (condition->starts_with('"')) return *condition == facts.etag;
  const auto date = parse_http_date(*condition);
  return date && *date == facts.modified;
}

// `first-last`, `first-` or `-suffix` (RFC 9110 14.1.1) as an answer; nullopt when it is malformed.
std::optional<FileAnswer> read_range(std::string_view spec, std::uint64_t size) {
  constexpr FileAnswer unsatisfiable{416, 0, 0};
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto last_text = spec.substr(dash + 1);
  const auto last = text::parse_decimal(last_text);
  if (!last && (dash == 0 || !last_text.empty())) return std::nullopt;
  if (dash == 0) {
    const std::uint64_t length = std::min<std::uint64_t>(*last, size);
    return length == 0 ? unsatisfiable : FileAnswer{206, size - length, length};
  }
  const auto first = text::parse_decimal(spec.substr(0, dash));
  if (!first || (last && *last < *first)) return std::nullopt;
  if (*first >= size) return unsatisfiable;
  const std::uint64_t end = last ? std::min<std::uint64_t>(*last, size - 1) : size - 1;
  return FileAnswer{206, *first, end - *first + 1};
}

struct MediaType {
  std::string_view ending;
  std::string_view type;
};

constexpr MediaType media_types[] = {
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"txt", "text/plain; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"xml", "text/xml; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"webmanifest", "application/manifest+json"},
    {"wasm", "application/wasm"},
    {"pdf", "application/pdf"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"svg", "image/svg+xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"avif", "image/avif"},
    {"ico", "image/x-icon"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"ttf", "font/ttf"},
    {"otf", "font/otf"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"wav", "audio/wav"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
};

}  // namespace

FileAnswer evaluate_conditions(const Request& request, const FileFacts& facts) {
  if (precondition_failed(request, facts)) return {412, 0, 0};
  if (not_modified(request, facts)) return {304, 0, 0};
  const FileAnswer whole{200, 0, facts.size_bytes};
  const auto range = request.headers.find("Range");
  constexpr std::string_view unit = "bytes=";
  const bool wanted = request.method == "GET" && request.headers.count("Range") == 1 &&
                      text::equals_ignoring_case(range->substr(0, unit.size()), unit);
  if (!wanted || !range_applies(request, facts)) return whole;
  return read_range(text::trim(range->substr(unit.size())), facts.size_bytes).value_or(whole);
}

std::string content_range(const FileAnswer& answer, const FileFacts& facts) {
  const auto size = std::to_string(facts.size_bytes);
  if (answer.status != 206) return "bytes */" + size;
  return "bytes " + std::to_string(answer.offset) + "-" + std::to_string(answer.offset + answer.length_bytes - 1) +
         "/" + size;
}

std::string_view media_type(std::string_view file_name) noexcept {
  const auto dot = file_name.rfind('.');
  if (dot != std::string_view::npos) {
    for (const auto& [ending, type] : media_types) {
      if (text::equals_ignoring_case(ending, file_name.substr(dot + 1))) return type;
    }
  }
  return "application/octet-stream";
}

}  // namespace fairlead::http1
