// SPDX-License-Identifier: Apache-2.0
#include "http1/head_parser.h"

#include "http1/target.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <limits>
#include <stdexcept>

namespace fairlead::http1 {
namespace {

namespace beast = boost::beast::http;

// "HTTP/2.0", but not "HTTP/1.1", and not what is no version at all.
bool is_foreign_version(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool shaped =
      text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
  return shaped && text != "HTTP/1.0" && text != "HTTP/1.1";
}

// Gives the head to Beast's parser at once. Bodies are read by BodyReader, so Beast is told to skip them.
template <class Parser>
Result<void> feed(Parser& parser, std::string_view head, std::string_view version) {
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // HeadScanner keeps our limit
  parser.body_limit(boost::none);
  parser.skip(true);
  boost::beast::error_code error;
  std::size_t read = 0;
  try {
    read = parser.put(boost::asio::buffer(head.data(), head.size()), error);
  } catch (const std::length_error&) {
    // Beast keeps a field's length in 16 bits, and throws. Only a limit above 64 KiB lets a peer get here.
    return fail(Errc::http_head_too_large, "a field is longer than 64 KiB");
  }
  if (error == beast::error::bad_version && is_foreign_version(version)) {
    return fail(Errc::http_unsupported_version, "neither HTTP/1.0 nor HTTP/1.1");
  }
  if (error || read != head.size() || !parser.is_done()) return fail(Errc::http_malformed, error.message());
  return {};
}

template <class Fields>
Result<Headers> copy_fields(const Fields& fields) {
  Headers headers;
  for (const auto& field : fields) {
    const auto name = field.name_string();
    const auto value = field.value();
    if (!headers.add({name.data(), name.size()}, {value.data(), value.size()})) {
      return fail(Errc::http_malformed, "a field that cannot be kept");
    }
  }
  return headers;
}

HttpVersion version_of(unsigned number) { return number == 10 ? HttpVersion::http_1_0 : HttpVersion::http_1_1; }

}  // namespace

Result<Request> parse_request_head(std::string_view head) {
  beast::request_parser<beast::empty_body> parser;
  const auto line = head.substr(0, head.find('\r'));
  const auto version = line.substr(line.rfind(' ') + 1);  // npos + 1 is the line's begin
  if (auto fed = feed(parser, head, version); !fed) return std::unexpected(fed.error());
  const auto& message = parser.get();
  Request request;
  request.method.assign(message.method_string().data(), message.method_string().size());
  request.target.assign(message.target().data(), message.target().size());
  request.version = version_of(message.version());
  auto headers = copy_fields(message);
  if (!headers) return std::unexpected(headers.error());
  request.headers = std::move(*headers);
  if (auto resolved = resolve_target(request); !resolved) return std::unexpected(resolved.error());
  return request;
}

Result<ResponseHead> parse_response_head(std::string_view head) {
  beast::response_parser<beast::empty_body> parser;
  if (auto fed = feed(parser, head, head.substr(0, head.find(' '))); !fed) return std::unexpected(fed.error());
  const auto& message = parser.get();
  auto headers = copy_fields(message);
  if (!headers) return std::unexpected(headers.error());
  const auto status = static_cast<int>(message.result_int());
  if (status < 100) return fail(Errc::http_malformed, "a status below 100");
  return ResponseHead{status, version_of(message.version()), std::move(*headers)};
}

}  // namespace fairlead::http1
