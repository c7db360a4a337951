// SPDX-License-Identifier: Apache-2.0
#include "http1/head_parser.h"

#include "http1/target.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <limits>

namespace fairlead::http1 {
namespace {

namespace beast = boost::beast::http;

// Gives the head to Beast's parser at once. Bodies are read by BodyReader, so Beast is told to skip them.
template <class Parser>
Result<void> feed(Parser& parser, std::string_view head) {
  parser.header_limit(std::numeric_limits<std::uint32_t>::max());  // HeadScanner keeps our limit
  parser.body_limit(boost::none);
  parser.skip(true);
  boost::beast::error_code error;
  const std::size_t read = parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error == beast::error::bad_version) return fail(Errc::http_unsupported_version, "neither HTTP/1.0 nor HTTP/1.1");
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
  if (auto fed = feed(parser, head); !fed) return std::unexpected(fed.error());
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
  if (auto fed = feed(parser, head); !fed) return std::unexpected(fed.error());
  const auto& message = parser.get();
  auto headers = copy_fields(message);
  if (!headers) return std::unexpected(headers.error());
  const auto status = static_cast<int>(message.result_int());
  if (status < 100) return fail(Errc::http_malformed, "a status below 100");
  return ResponseHead{status, version_of(message.version()), std::move(*headers)};
}

}  // namespace fairlead::http1
