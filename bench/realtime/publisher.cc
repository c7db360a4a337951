// SPDX-License-Identifier: Apache-2.0
#include "publisher.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace fairlead::bench {

namespace {

std::size_t content_length(std::string_view head) {
  std::string lower(head);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view name = "\r\ncontent-length: ";
  std::size_t length = 0;
  const std::size_t at = lower.find(name);
  if (at != std::string::npos) {
    std::from_chars(lower.data() + at + name.size(), lower.data() + lower.size(), length);
  }
  return length;
}

}  // namespace

void ApiPublisher::begin(bool batch) {
  batch_ = batch;
  body_ = batch ? R"({"commands":[)" : "";
}

// The same JSON for both servers.
void ApiPublisher::add(std::string_view channel, std::string_view payload) {
  if (body_.ends_with('}')) body_.push_back(',');
  if (batch_) body_.append(R"({"publish":)");
  body_.append(R"({"channel":")").append(channel).append(R"(","data":)").append(payload).append("}");
  if (batch_) body_.append("}");
}

void ApiPublisher::send() {
  if (batch_) body_.append("]}");
  std::string request = batch_ ? "POST /api/batch" : "POST /api/publish";
  request.append(" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-API-Key: ").append(api_key_);
  request.append("\r\nContent-Length: ").append(std::to_string(body_.size())).append("\r\n\r\n").append(body_);
  write(request);
}

bool ApiPublisher::good(std::string_view head, std::string_view body) const {
  if (!head.starts_with("HTTP/1.1 200 ")) return false;
  return speech_ == Speech::bun ||
         (body.find("\"error\"") == std::string_view::npos && body.find("\"result\"") != std::string_view::npos) ||
         (batch_ && body.find("\"replies\"") != std::string_view::npos &&
          body.find("\"error\"") == std::string_view::npos);
}

std::size_t ApiPublisher::on_bytes(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  const std::string_view head = bytes.substr(0, end + 2);
  const std::size_t length = content_length(head);
  if (bytes.size() < end + 4 + length) return 0;
  const std::string_view body = bytes.substr(end + 4, length);
  if (!good(head, body)) {
    events_.trouble("the API answered " + std::string(head.substr(0, head.find('\r'))) + " " +
                    std::string(body.substr(0, 200)));
  } else {
    events_.ready(*this);
  }
  return end + 4 + length;
}

}  // namespace fairlead::bench
