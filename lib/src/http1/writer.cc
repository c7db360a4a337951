// SPDX-License-Identifier: Apache-2.0
#include "http1/writer.h"

#include "base/assert.h"
#include "http1/http_date.h"
#include "text/tokens.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace fairlead::http1 {
namespace {

// Fields that say where a message ends: two writers of them would contradict each other.
bool is_written_here(std::string_view name, bool own_connection) {
  static constexpr std::array<std::string_view, 3> written = {"Content-Length", "Transfer-Encoding", "Date"};
  if (std::ranges::any_of(written, [&](auto mine) { return text::equals_ignoring_case(mine, name); })) return true;
  return own_connection && text::equals_ignoring_case("Connection", name);
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

bool status_forbids_body(int status) noexcept { return status < 200 || status == 204 || status == 304; }

void append_connection(std::string& head, const Response& response, const ResponseContext& context) {
  if (response.status == 101) return;  // its own Connection field names the upgrade
  // RFC 9110 7.8: who sends Upgrade "MUST also send an 'Upgrade' connection option" (426 does).
  const bool upgrade = response.headers.contains("Upgrade");
  if (!context.keep_alive) {
    append_field(head, "Connection", upgrade ? "close, Upgrade" : "close");
  } else if (upgrade) {
    append_field(head, "Connection", context.version == HttpVersion::http_1_0 ? "keep-alive, Upgrade" : "Upgrade");
  } else if (context.version == HttpVersion::http_1_0) {
    append_field(head, "Connection", "keep-alive");  // RFC 9112 9.3: 1.0 closes unless told otherwise
  }
}

std::string response_head(const Response& response, const ResponseContext& context) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(reason_phrase(response.status)).append("\r\n");
  if (context.date)
    append_field(head, "Date", format_http_date(std::chrono::floor<std::chrono::seconds>(*context.date)));
  for (const auto& [name, value] : response.headers) {
    if (!is_written_here(name, response.status != 101)) append_field(head, name, value);
  }
  // RFC 9110 8.6: no Content-Length with 1xx and 204. A 304 would have to repeat the 200's, so it has none either.
  if (response.body_stream) {
    if (!status_forbids_body(response.status) && context.version == HttpVersion::http_1_1) {
      append_field(head, "Transfer-Encoding", "chunked");
    }
  } else if (!status_forbids_body(response.status)) {
    append_field(head, "Content-Length", std::to_string(response.body_bytes()));
  }
  append_connection(head, response, context);
  return head.append("\r\n");
}

bool is_request_target(std::string_view target) {
  return !target.empty() && std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

bool keeps_alive(const Request& request) {
  const auto has_option = [&](std::string_view option) {
    const auto fields = request.headers.all("Connection");
    return std::ranges::any_of(fields, [&](auto value) { return text::list_contains(value, option); });
  };
  if (has_option("close")) return false;
  return request.version == HttpVersion::http_1_1 || has_option("keep-alive");
}

ResponseContext context_of(const Request& request) {
  return {.head_only = request.method == "HEAD",
          .keep_alive = keeps_alive(request),
          .version = request.version,
          .date = std::nullopt};
}

bool has_body(const Response& response, const ResponseContext& context) {
  return !context.head_only && !status_forbids_body(response.status) &&
         (response.body_stream || response.body_bytes() != 0);
}

void write_response(const Response& response, const ResponseContext& context, Buffer& out) {
  FAIRLEAD_ASSERT(response.status >= 100 && response.status <= 999);
  out.append(as_bytes(response_head(response, context)));
  if (has_body(response, context) && !response.file && !response.body_stream) out.append(as_bytes(response.body));
}

Result<void> write_request(const Request& request, Buffer& out) {
  if (!text::is_token(request.method)) return fail(Errc::invalid_argument, "the method is not a token");
  if (!is_request_target(request.target)) return fail(Errc::invalid_argument, "the target is not visible ASCII");
  std::string head = request.method + " " + request.target + " HTTP/1.1\r\n";
  for (const auto& [name, value] : request.headers) {
    if (!is_written_here(name, false)) append_field(head, name, value);
  }
  if (!request.body.empty()) append_field(head, "Content-Length", std::to_string(request.body.size()));
  out.append(as_bytes(head.append("\r\n")));
  out.append(as_bytes(request.body));
  return {};
}

}  // namespace fairlead::http1
