// SPDX-License-Identifier: Apache-2.0
#include "http1/response_reader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace fairlead::http1 {
namespace {

using std::chrono::seconds;
using std::string_literals::operator""s;

constexpr TimePoint start{};
constexpr TimePoint deadline = start + seconds(5);

struct Outcome {
  std::optional<ResponseEvent> response;
  std::optional<Error> error;
  std::string leftover;
};

Outcome read(std::string_view wire, ResponseReader::Body body = ResponseReader::Body::read, bool end = false,
             std::size_t piece = std::string_view::npos, const Limits& limits = {}) {
  ResponseReader reader(limits, body, deadline);
  Outcome outcome;
  const auto drain = [&] {
    while (auto event = reader.next_event()) {
      if (auto* response = std::get_if<ResponseEvent>(&*event)) outcome.response = std::move(*response);
      if (const auto* failed = std::get_if<ResponseFailedEvent>(&*event)) outcome.error = failed->error;
    }
  };
  while (!wire.empty()) {
    const auto now = wire.substr(0, piece);
    wire.remove_prefix(now.size());
    reader.receive(as_bytes(now), start);
    drain();
  }
  if (end) reader.receive_end();
  drain();
  outcome.leftover = as_text(reader.leftover());
  return outcome;
}

std::string describe(const Outcome& outcome) {
  std::string text = outcome.error ? to_string(*outcome.error) : "";
  if (!outcome.response) return text;
  const auto& [response, version, keep_alive] = *outcome.response;
  text += std::to_string(response.status) + (keep_alive ? " open " : " closed ") + response.body + "|";
  for (const auto& [name, value] : response.headers) text += name + "=" + value + "\n";
  return text + outcome.leftover;
}

TEST(ResponseReader, BytesBehind101AreTheWebSockets) {
  for (const auto body : {ResponseReader::Body::read, ResponseReader::Body::skip}) {
    const auto outcome = read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi", body);
    ASSERT_TRUE(outcome.response) << describe(outcome);
    EXPECT_EQ(outcome.response->response.status, 101);
    EXPECT_EQ(outcome.leftover, "\x81\x02hi");
  }
}

TEST(ResponseReader, BodyByLengthInChunksAndToTheEnd) {
  const auto length = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(length.response);
  EXPECT_EQ(length.response->response.body, "hi");
  EXPECT_TRUE(length.response->keep_alive);
  const auto chunked = read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  ASSERT_TRUE(chunked.response);
  EXPECT_EQ(chunked.response->response.body, "hi");
  EXPECT_FALSE(read("HTTP/1.0 200 OK\r\n\r\nhi").response) << "only the end of the stream ends it";
  const auto ended = read("HTTP/1.0 200 OK\r\n\r\nhi", ResponseReader::Body::read, true);
  ASSERT_TRUE(ended.response);
  EXPECT_EQ(ended.response->response.body, "hi");
  EXPECT_FALSE(ended.response->keep_alive);
}

TEST(ResponseReader, HeadEndsTheseResponses) {
  for (const auto* status : {"204 No Content", "304 Not Modified"}) {
    const auto outcome = read("HTTP/1.1 "s + status + "\r\nContent-Length: 5\r\n\r\n");
    EXPECT_TRUE(outcome.response) << status;
  }
  EXPECT_TRUE(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", ResponseReader::Body::skip).response);
}

TEST(ResponseReader, PassesOverInterimResponses) {
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n";
  const auto outcome = read(interim + "HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n");
  ASSERT_TRUE(outcome.response) << describe(outcome);
  EXPECT_EQ(outcome.response->response.status, 101);
  EXPECT_FALSE(outcome.response->response.headers.contains("Link"));
  std::string endless;
  for (int i = 0; i < 100; ++i) endless += interim;
  EXPECT_EQ(read(endless).error->code, Errc::http_malformed);
}

TEST(ResponseReader, AnySplitGivesTheSame) {
  for (const auto& wire :
       {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"s,
        "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\nmore"s,
        "HTTP/1.0 200 OK\r\nA: b\r\n\r\nto the end"s, "HTTP/1.1 200 OK\r\nA : b\r\n\r\n"s,
        "HTTP/1.1 200 OK\nA: b\n\n"s}) {
    const auto whole = describe(read(wire, ResponseReader::Body::read, true));
    for (std::size_t piece = 1; piece < wire.size(); ++piece) {
      EXPECT_EQ(describe(read(wire, ResponseReader::Body::read, true, piece)), whole) << piece;
    }
  }
}

TEST(ResponseReader, RefusesMalformedResponses) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::pair<std::string, Errc> table[] = {
      {"HTTP/2.0 200 OK\r\n\r\n", Errc::http_unsupported_version},
      {"HTTP/1.1 20 OK\r\n\r\n", Errc::http_malformed},
      {"HTTP/1.1 099 OK\r\n\r\n", Errc::http_malformed},
      {"HTTP/1.1 2000 OK\r\n\r\n", Errc::http_malformed},
      {"HTTP/1.1 abc OK\r\n\r\n", Errc::http_malformed},
      {"http/1.1 200 OK\r\n\r\n", Errc::http_malformed},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", Errc::http_malformed},
      {ok + "A b: c\r\n\r\n", Errc::http_malformed},
      {ok + "A: b\r\n c\r\n\r\n", Errc::http_malformed},
      {ok + "A: b\0\r\n\r\n"s, Errc::http_malformed},
      {ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", Errc::http_malformed},
      {ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", Errc::http_malformed},
      {ok + "Transfer-Encoding: gzip\r\n\r\n", Errc::http_malformed},
      {ok + "Transfer-Encoding: chunked\r\n\r\nx", Errc::http_malformed},
      {ok + "Content-Length: 65537\r\n\r\n", Errc::http_body_too_large},
      {ok + "\r\n" + std::string(65'537, 'x'), Errc::http_body_too_large},
      {ok + "A: " + std::string(16'384, 'x'), Errc::http_head_too_large},
  };
  for (const auto& [wire, code] : table) {
    const auto outcome = read(wire, ResponseReader::Body::read, true);
    ASSERT_TRUE(outcome.error) << wire.substr(0, 80);
    EXPECT_EQ(outcome.error->code, code) << wire.substr(0, 80) << ": " << outcome.error->detail;
  }
}

TEST(ResponseReader, StreamEndedInside) {
  for (const auto* wire : {"", "HTTP", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"}) {
    const auto outcome = read(wire, ResponseReader::Body::read, true);
    ASSERT_TRUE(outcome.error) << wire;
    EXPECT_EQ(outcome.error->code, Errc::unexpected_eof);
  }
}

TEST(ResponseReader, WholeResponseMustComeInTime) {
  const Limits limits;
  ResponseReader reader(limits, ResponseReader::Body::read, deadline);
  EXPECT_EQ(reader.deadline(), deadline);
  reader.receive(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"), start);
  EXPECT_FALSE(reader.next_event());
  reader.on_deadline(deadline - seconds(1));
  EXPECT_FALSE(reader.next_event());
  reader.on_deadline(deadline);
  EXPECT_EQ(std::get<ResponseFailedEvent>(*reader.next_event()).error.code, Errc::http_timeout);
  EXPECT_FALSE(reader.deadline());
}

}  // namespace
}  // namespace fairlead::http1
