// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 as an application sees it: what a peer asked for before the channel opened, and ordinary answers.
#pragma once

#include <fairlead/response_stream.h>
#include <fairlead/tls_info.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead {

// One field. The name keeps the case in which it came; it is compared without case (RFC 9110 5.1).
struct Header {
  std::string name;
  std::string value;
};

// An ordered list of fields. Nothing that could end a line can ever be stored: `add` and `set` refuse (and answer
// false) a name that is not a token and a value with CR, LF, NUL or another control character (RFC 9110 5.5), so a
// value that came from elsewhere cannot inject a field. Spaces around a value are dropped.
class Headers {
 public:
  Headers() = default;
  // For literals: a pair that `add` would refuse is left out.
  Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

  // Appends a field, or replaces all fields of that name by one. False: refused, nothing has changed.
  bool add(std::string_view name, std::string_view value);
  bool set(std::string_view name, std::string_view value);
  // Removes all fields of that name; how many there were.
  std::size_t remove(std::string_view name);

  // The first value of that name; the values of all fields of that name in order. Views last until a change.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept { return find(name).has_value(); }

  [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
  [[nodiscard]] auto end() const noexcept { return fields_.end(); }
  [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
  [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }
  void clear() noexcept { fields_.clear(); }
  void reserve(std::size_t fields) { fields_.reserve(fields); }

 private:
  std::vector<Header> fields_;
};

// Who is on the other end of the socket.
struct PeerAddress {
  std::string ip;          // "192.0.2.1", "2001:db8::1"; empty for a UNIX socket
  std::uint16_t port = 0;  // 0 for a UNIX socket
  std::string path;        // a UNIX socket's path as far as the peer has one

  [[nodiscard]] bool is_unix() const noexcept { return ip.empty(); }
};
// "192.0.2.1:443", "[2001:db8::1]:443", "unix:/run/x.sock", "unix".
[[nodiscard]] std::string to_string(const PeerAddress& address);

enum class HttpVersion : std::uint8_t { http_1_0, http_1_1 };

// A request as the server received it. It has passed every rule of RFC 9112 that the reader checks: well-formed fields,
// one Host at most (exactly one in HTTP/1.1), an unambiguous body.
struct Request {
  std::string method;  // case-sensitive (RFC 9110 9.1)
  std::string target;  // as it stood in the request line
  std::string path;    // percent-decoded, dot segments removed, always begins with '/', holds no NUL; "*" for OPTIONS *
  std::string query;   // raw, without '?'; may hold a token: never log it
  HttpVersion version = HttpVersion::http_1_1;
  Headers headers;
  std::string body;
  PeerAddress peer;                    // filled in by the driver
  std::shared_ptr<const TlsInfo> tls;  // filled in by the driver; null when the channel is not encrypted

  // The first parameter of that name in the query, decoded ('+' is a space). Empty text when it has no value.
  [[nodiscard]] std::optional<std::string> query_parameter(std::string_view name) const;
  // Host with its port as sent; empty when there is none (HTTP/1.0).
  [[nodiscard]] std::string_view host() const noexcept;
  // The Origin of a browser's page (RFC 6454); nullopt when the peer sent none, as programs do.
  [[nodiscard]] std::optional<std::string_view> origin() const noexcept;
  // The subprotocols that the client offers, in its order of preference (RFC 6455 4.1). Empty when malformed.
  [[nodiscard]] std::vector<std::string_view> subprotocols() const;
  [[nodiscard]] bool secure() const noexcept { return tls != nullptr; }
};

// A part of an open file as a body; the file is closed with the last copy. The driver reads and sends it in pieces.
class FileBody {
 public:
  // Takes over the descriptor.
  FileBody(int descriptor, std::uint64_t offset, std::uint64_t length_bytes);

  [[nodiscard]] int descriptor() const noexcept { return *descriptor_; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  [[nodiscard]] std::uint64_t length_bytes() const noexcept { return length_bytes_; }

 private:
  std::shared_ptr<const int> descriptor_;
  std::uint64_t offset_;
  std::uint64_t length_bytes_;
};

// An answer. Content-Length, Connection and Date are written by the library: leave them out.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::optional<FileBody> file;  // instead of `body`
  // Instead of both: called once the head is on its way, with the stream of the body (fairlead/response_stream.h). Not
  // called for a HEAD request, and for a status that has no body.
  std::function<void(ResponseStream)> body_stream{};

  // "text/plain; charset=utf-8"; `empty` has no body and no type.
  [[nodiscard]] static Response text(int status, std::string body);
  [[nodiscard]] static Response html(int status, std::string body);
  [[nodiscard]] static Response json(int status, std::string body);
  [[nodiscard]] static Response empty(int status);
  // A body that comes piece by piece, with Transfer-Encoding: chunked.
  [[nodiscard]] static Response stream(int status, Headers headers, std::function<void(ResponseStream)> begin);
  // 308 keeps the method. A location that cannot stand in a header gives 500.
  [[nodiscard]] static Response redirect(std::string_view location, int status = 308);

  // Of a body whose length is known.
  [[nodiscard]] std::uint64_t body_bytes() const noexcept { return file ? file->length_bytes() : body.size(); }
};

// "Not Found" for 404; the name of the class ("Client Error") for a number that has no registered phrase.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

// Strict-Transport-Security for two years (Mozilla's guideline): browsers come back by TLS only.
inline constexpr std::string_view hsts_value = "max-age=63072000";

}  // namespace fairlead
