// SPDX-License-Identifier: Apache-2.0
#include "http1/request_reader.h"

#include "http1/errors.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <string>
#include <vector>

namespace fairlead::http1 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::string_literals::operator""s;

constexpr TimePoint start{};

// What came of some bytes: requests, then perhaps an error.
struct Outcome {
  std::vector<Request> requests;
  std::optional<Error> error;
  int continues = 0;
};

// Reads all events, answering each request at once.
void drain(RequestReader& reader, Outcome& outcome) {
  while (auto event = reader.next_event()) {
    if (auto* request = std::get_if<RequestEvent>(&*event)) {
      outcome.requests.push_back(std::move(request->request));
      reader.start_next(start);
    }
    if (std::holds_alternative<ContinueEvent>(*event)) ++outcome.continues;
    if (const auto* failed = std::get_if<RequestFailedEvent>(&*event)) outcome.error = failed->error;
  }
}

Outcome read(std::string_view wire, const Limits& limits = {}, std::size_t piece = std::string_view::npos) {
  RequestReader reader(limits, start);
  Outcome outcome;
  while (!wire.empty()) {
    const auto now = wire.substr(0, piece);
    wire.remove_prefix(now.size());
    reader.receive(as_bytes(now), start);
    drain(reader, outcome);
  }
  return outcome;
}

std::string describe(const Outcome& outcome) {
  std::string text;
  for (const auto& request : outcome.requests) {
    text += request.method + " " + request.target + " " + request.path + " " + request.query + "\n";
    for (const auto& [name, value] : request.headers) text += name + "=" + value + "\n";
    text += request.body + "\n";
  }
  return outcome.error ? text + to_string(*outcome.error) : text;
}

Errc error_of(std::string_view wire, const Limits& limits = {}) {
  const auto outcome = read(wire, limits);
  EXPECT_TRUE(outcome.error) << wire;
  return outcome.error ? outcome.error->code : Errc::closed;
}

TEST(RequestReader, ReadsAHead) {
  const auto outcome = read("GET /a%20b/../c?x=%31&y HTTP/1.1\r\nHost: Example.org:81\r\nX-A:  1 \r\nX-A: 2\r\n\r\n");
  ASSERT_EQ(outcome.requests.size(), 1U) << describe(outcome);
  const auto& request = outcome.requests[0];
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/a%20b/../c?x=%31&y");
  EXPECT_EQ(request.path, "/c");
  EXPECT_EQ(request.query, "x=%31&y");
  EXPECT_EQ(request.query_parameter("x"), "1");
  EXPECT_EQ(request.host(), "Example.org:81");
  EXPECT_EQ(request.headers.count("x-a"), 2U);
  EXPECT_EQ(request.headers.find("x-a"), "1");
  EXPECT_EQ(request.version, HttpVersion::http_1_1);
}

TEST(RequestReader, ReadsBodiesByLengthAndInChunks) {
  const auto outcome = read(
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
      "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3\r\nhel\r\n0002;name=value; other=\"quoted\"\r\nlo\r\n0\r\nHost: other\r\nX: y\r\n\r\n"
      "GET /c HTTP/1.0\r\n\r\n");
  ASSERT_EQ(outcome.requests.size(), 3U) << describe(outcome);
  EXPECT_EQ(outcome.requests[0].body, "hello");
  EXPECT_EQ(outcome.requests[1].body, "hello");
  EXPECT_EQ(outcome.requests[1].host(), "h") << "trailer fields are no header fields";
  EXPECT_FALSE(outcome.requests[1].headers.contains("X"));
  EXPECT_EQ(outcome.requests[2].version, HttpVersion::http_1_0);
}

TEST(RequestReader, AnySplitGivesTheSame) {
  const std::string get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string post = "POST /b HTTP/1.1\r\nHost: h\r\n";
  const std::string corpus[] = {
      "\r\n\r\n" + get + post + "Content-Length: 3\r\n\r\nabc" + get + "GE",
      post + "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n1;x\r\na\r\n0\r\nA: b\r\n\r\n" + get,
      "GET / HTTP/1.1\r\nHost: h\r\nA b: c\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\n0\r\n\r\n",
      "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
  };
  for (const auto& wire : corpus) {
    const auto whole = describe(read(wire));
    for (std::size_t piece = 1; piece < wire.size(); ++piece)
      EXPECT_EQ(describe(read(wire, {}, piece)), whole) << piece;
  }
}

TEST(RequestReader, WaitsForTheAnswerBeforeThePipelinedRequest) {
  const Limits limits;
  RequestReader reader(limits, start);
  reader.receive(as_bytes("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n"), start);
  ASSERT_TRUE(std::holds_alternative<RequestEvent>(*reader.next_event()));
  EXPECT_FALSE(reader.next_event());
  EXPECT_FALSE(reader.deadline()) << "our own slowness is not the client's";
  reader.start_next(start);
  const auto second = reader.next_event();
  ASSERT_TRUE(second);
  EXPECT_EQ(std::get<RequestEvent>(*second).request.path, "/b");
}

TEST(RequestReader, BytesBehindAnUpgradeAreLeftOver) {
  const Limits limits;
  RequestReader reader(limits, start);
  reader.receive(as_bytes("GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n\x81\x85"), start);
  ASSERT_TRUE(std::holds_alternative<RequestEvent>(*reader.next_event()));
  reader.receive(as_bytes("rest"), start);
  EXPECT_EQ(as_text(reader.leftover()), "\x81\x85rest");
  EXPECT_EQ(as_text(reader.take_leftover().readable()), "\x81\x85rest");
  EXPECT_FALSE(reader.next_event());
}

struct Refused {
  const char* why;
  std::string wire;
  Errc code = Errc::http_malformed;
};

TEST(RequestReader, RefusesWhatTwoReadersCouldReadDifferently) {
  const std::string get = "GET / HTTP/1.1\r\n";
  const std::string host = get + "Host: h\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  const Refused table[] = {
      {"bare line feeds", "GET / HTTP/1.1\nHost: h\n\n"},
      {"bare carriage return", host + "A: b\rC: d\r\n\r\n"},
      {"bare carriage return at the end of a line", host + "A: b\r\r\n\r\n"},
      {"NUL in a value", host + "A: b\0c\r\n\r\n"s},
      {"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"s},
      {"control character", host + "A: \x01\r\n\r\n"},
      {"folded line", host + "A: b\r\n c\r\n\r\n"},
      {"line folded with a tab", host + "A: b\r\n\tc\r\n\r\n"},
      {"folded first line", get + " Host: h\r\n\r\n"},
      {"space before the colon", host + "A : b\r\n\r\n"},
      {"no colon", host + "A\r\n\r\n"},
      {"no name", host + ": b\r\n\r\n"},
      {"a name that is no token", host + "A(b): c\r\n\r\n"},
      {"a name beyond ASCII", host + "\xc3\xa9: c\r\n\r\n"},
      {"two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"},
      {"the same length twice", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"},
      {"a list of lengths", post + "Content-Length: 1, 1\r\n\r\na"},
      {"a signed length", post + "Content-Length: +1\r\n\r\na"},
      {"a negative length", post + "Content-Length: -1\r\n\r\na"},
      {"a hexadecimal length", post + "Content-Length: 0x1\r\n\r\na"},
      {"an empty length", post + "Content-Length: \r\n\r\na"},
      {"a length past 64 bits", post + "Content-Length: 18446744073709551617\r\n\r\na"},
      {"length and coding", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"coding and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
      {"another coding", post + "Transfer-Encoding: gzip\r\n\r\n"},
      {"chunked not last", post + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"},
      {"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"a disguised coding", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
      {"a coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"chunk without a size", chunked + "\r\n"},
      {"chunk size with a sign", chunked + "+1\r\na\r\n"},
      {"chunk size with 0x", chunked + "0x1\r\na\r\n"},
      {"chunk size with a space", chunked + "1 \r\na\r\n"},
      {"chunk size ended by a line feed", chunked + "1\na\r\n"},
      {"chunk size of many digits", chunked + "00000000000000001\r\na\r\n"},
      {"chunk longer than declared", chunked + "1\r\nab\r\n"},
      {"chunk ended by a line feed", chunked + "1\r\na\n"},
      {"extension with a control character", chunked + "1;a\n\r\na\r\n"},
      {"trailer ended by a line feed", chunked + "0\r\nA: b\n\r\n"},
      {"last line without a line feed", chunked + "0\r\n\rX"},
      {"no Host", get + "\r\n", Errc::http_host_invalid},
      {"two Hosts", host + "Host: h\r\n\r\n", Errc::http_host_invalid},
      {"an empty Host", get + "Host:\r\n\r\n", Errc::http_host_invalid},
      {"a Host with a path", get + "Host: h/x\r\n\r\n", Errc::http_host_invalid},
      {"a Host with a user", get + "Host: a@h\r\n\r\n", Errc::http_host_invalid},
      {"a list of Hosts", get + "Host: a, b\r\n\r\n", Errc::http_host_invalid},
      {"two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", Errc::http_host_invalid},
      {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Errc::http_unsupported_version},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", Errc::http_unsupported_version},
      {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", Errc::http_unsupported_version},
      {"no target", "GET HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"a tab", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"a target with a space", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"a target with a fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"a target beyond ASCII", "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"a target without a slash", "GET a HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"a query alone", "GET ?a HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"an asterisk with GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"CONNECT", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"an encoded slash", "GET /a%2fb HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"an encoded NUL", "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"a foreign scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"an absolute target with a user", "GET http://a@h/ HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"a space at the very front", " GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"TLS instead of HTTP", "\x16\x03\x01\x02\x00"s},
  };
  for (const auto& row : table) {
    const auto whole = read(row.wire);
    ASSERT_TRUE(whole.error) << row.why << describe(whole);
    EXPECT_EQ(whole.error->code, row.code) << row.why << ": " << whole.error->detail;
    EXPECT_TRUE(whole.requests.empty()) << row.why;
    EXPECT_EQ(describe(read(row.wire, {}, 1)), describe(whole)) << row.why;
  }
}

TEST(RequestReader, AnErrorShowsAtItsFirstByte) {
  EXPECT_EQ(error_of("GET / HTTP/1.1\r\nHost: h\r\nA "), Errc::http_malformed);
  EXPECT_EQ(error_of("GET / HTTP/1.1\n"), Errc::http_malformed);
}

TEST(RequestReader, AbsoluteTargetReplacesHost) {
  const auto outcome = read(
      "GET http://real.example:8080/a?b HTTP/1.1\r\nHost: other\r\n\r\n"
      "GET https://h?q HTTP/1.1\r\nHost: h\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_EQ(outcome.requests.size(), 3U) << describe(outcome);
  EXPECT_EQ(outcome.requests[0].host(), "real.example:8080");
  EXPECT_EQ(outcome.requests[0].path, "/a");
  EXPECT_EQ(outcome.requests[0].query, "b");
  EXPECT_EQ(outcome.requests[1].path, "/");
  EXPECT_EQ(outcome.requests[1].query, "q");
  EXPECT_EQ(outcome.requests[2].path, "*");
}

// Of this process, so that a busy machine does not look like quadratic work. Bounds only have to tell the two apart.
class CpuTime {
 public:
  [[nodiscard]] std::chrono::duration<double> spent() const {
    return std::chrono::duration<double>(static_cast<double>(std::clock() - began_) / CLOCKS_PER_SEC);
  }

 private:
  std::clock_t began_ = std::clock();
};

std::string head_of(std::size_t bytes) {
  const std::string before = "GET / HTTP/1.1\r\nHost: h\r\nA: ";
  return before + std::string(bytes - before.size() - 4, 'x') + "\r\n\r\n";
}

TEST(RequestLimits, HeadOfExactlyTheLimitPasses) {
  Limits limits;
  for (const std::size_t limit : {100U, 1'000U, 16'384U}) {
    limits.http_head_bytes = limit;
    for (const std::size_t piece : {std::size_t{1}, std::string::npos}) {
      EXPECT_EQ(read(head_of(limit), limits, piece).requests.size(), 1U);
      EXPECT_EQ(read(head_of(limit) + head_of(limit), limits, piece).requests.size(), 2U) << "each its own";
      const auto over = read(head_of(limit + 1), limits, piece);
      ASSERT_TRUE(over.error);
      EXPECT_EQ(over.error->code, Errc::http_head_too_large);
      EXPECT_EQ(status_for(over.error->code), 431);
    }
  }
}

// CVE-2023-43669: twenty megabytes in pieces of one byte.
TEST(RequestLimits, EndlessHeadIsCutAtTheLimitInLinearTime) {
  const CpuTime time;
  for (const char filler : {'x', '\r'}) {  // one endless field; endless empty lines
    const Limits limits;
    RequestReader reader(limits, start);
    const std::string opening = filler == 'x' ? "GET / HTTP/1.1\r\nA: " : "";
    reader.receive(as_bytes(opening), start);
    std::optional<std::size_t> failed_at;
    for (std::size_t sent = opening.size(); sent < 20'000'000;) {
      // One byte at a time; behind the cut, where a driver would have closed, in pieces, which spares the test's time.
      std::string piece(failed_at ? 32 : 1, filler);
      if (filler == '\r' && sent % 2 == 1) piece.front() = '\n';
      sent += piece.size();
      reader.receive(as_bytes(piece), start);
      const auto event = reader.next_event();
      if (!event) continue;
      ASSERT_FALSE(failed_at) << "one error only";
      ASSERT_EQ(std::get<RequestFailedEvent>(*event).error.code, Errc::http_head_too_large);
      failed_at = sent;
    }
    EXPECT_EQ(failed_at, limits.http_head_bytes + 1);
    EXPECT_TRUE(reader.leftover().size() <= limits.http_head_bytes + 1) << "what follows is not kept";
  }
  EXPECT_LT(time.spent(), seconds(60));
}

TEST(RequestLimits, UnlimitedHeadIsReadInLinearTime) {
  Limits limits;
  limits.http_head_bytes = unlimited;
  const CpuTime time;
  std::string wire = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 40; ++i) wire += "A: " + std::string(50'000, 'x') + "\r\n";
  EXPECT_EQ(read(wire + "\r\n", limits, 1).requests.size(), 1U);
  EXPECT_LT(time.spent(), seconds(20));
}

TEST(RequestLimits, FieldTooLongForTheParserIsRefused) {
  Limits limits;
  limits.http_head_bytes = unlimited;
  EXPECT_EQ(error_of(head_of(100'000), limits), Errc::http_head_too_large);
  EXPECT_EQ(error_of("GET / HTTP/1.1\r\nHost: h\r\n" + std::string(100'000, 'x') + ": y\r\n\r\n", limits),
            Errc::http_head_too_large);
}

// CVE-2024-37890: fields past the limit must not vanish, and Upgrade with them.
TEST(RequestLimits, HeaderCountAroundTheLimit) {
  Limits limits;
  for (const std::size_t limit : {1U, 2U, 10U, 100U}) {
    limits.http_header_count = limit;
    for (std::size_t count = 1; count <= limit + 3; ++count) {
      std::string wire = "GET / HTTP/1.1\r\nHost: h\r\n";
      for (std::size_t i = 2; i < count; ++i) wire += "A: b\r\n";
      if (count > 1) wire += "Upgrade: websocket\r\n";
      const auto outcome = read(wire + "\r\n", limits, 7);
      if (count <= limit) {
        ASSERT_EQ(outcome.requests.size(), 1U) << count;
        EXPECT_EQ(outcome.requests[0].headers.size(), count);
        EXPECT_EQ(outcome.requests[0].headers.contains("Upgrade"), count > 1);
      } else {
        ASSERT_TRUE(outcome.error) << count;
        EXPECT_EQ(outcome.error->code, Errc::http_too_many_headers);
      }
    }
  }
}

TEST(RequestLimits, BodyAtAndAboveTheLimit) {
  Limits limits;
  limits.http_body_bytes = 10;
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read(post + "Content-Length: 10\r\n\r\n0123456789", limits).requests.size(), 1U);
  EXPECT_EQ(error_of(post + "Content-Length: 11\r\n\r\n", limits), Errc::http_body_too_large)
      << "before its first byte";
  EXPECT_EQ(error_of(post + "Content-Length: 18446744073709551615\r\n\r\n", limits), Errc::http_body_too_large);
  EXPECT_EQ(read(chunked + "4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n", limits).requests.size(), 1U);
  EXPECT_EQ(error_of(chunked + "4\r\n0123\r\n7", limits), Errc::http_body_too_large) << "before its first byte";
  EXPECT_EQ(error_of(chunked + "ffffffffffffffff", limits), Errc::http_body_too_large);
  EXPECT_EQ(status_for(Errc::http_body_too_large), 413);
}

TEST(RequestLimits, ChunkExtensionsAndTrailersAreBounded) {
  Limits limits;
  limits.http_head_bytes = 100;
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read(chunked + "1;" + std::string(100, 'x') + "\r\na\r\n0\r\n\r\n", limits).requests.size(), 1U);
  EXPECT_EQ(error_of(chunked + "1;" + std::string(101, 'x'), limits), Errc::http_head_too_large);
  EXPECT_EQ(error_of(chunked + "0\r\n" + std::string(101, 'x'), limits), Errc::http_head_too_large);
  std::string many = chunked;
  for (int i = 0; i < 30; ++i) many += "1;abcd\r\nx\r\n";
  EXPECT_EQ(error_of(many, limits), Errc::http_head_too_large) << "counted over all chunks";
}

TEST(RequestReader, GivesPermissionForABodyOnlyWhenItIsWaitedFor) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
  const Limits limits;
  RequestReader reader(limits, start);
  reader.receive(as_bytes(head), start);
  const auto event = reader.next_event();
  ASSERT_TRUE(event);
  EXPECT_TRUE(std::holds_alternative<ContinueEvent>(*event));
  EXPECT_FALSE(reader.next_event());
  reader.receive(as_bytes("ab"), start);
  const auto request = reader.next_event();
  ASSERT_TRUE(request);
  EXPECT_EQ(std::get<RequestEvent>(*request).request.body, "ab");
  EXPECT_EQ(read(head + "ab").continues, 0);
  EXPECT_EQ(read("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", {}).continues, 0);
}

TEST(RequestTime, WholeHeadMustComeInTime) {
  const Limits limits;
  RequestReader reader(limits, start);
  EXPECT_EQ(reader.deadline(), start + limits.http_head_time);
  // One byte each second does not move the deadline (slow loris).
  for (int i = 0; i < 4; ++i) reader.receive(as_bytes("G"), start + seconds(i));
  EXPECT_EQ(reader.deadline(), start + limits.http_head_time);
  reader.on_deadline(start + limits.http_head_time - milliseconds(1));
  EXPECT_FALSE(reader.next_event());
  reader.on_deadline(start + limits.http_head_time);
  const auto event = reader.next_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<RequestFailedEvent>(*event).error.code, Errc::http_timeout);
  EXPECT_EQ(status_for(Errc::http_timeout), 408);
  EXPECT_FALSE(reader.deadline());
}

TEST(RequestTime, SilentFirstConnectionEndsQuietly) {
  const Limits limits;
  RequestReader reader(limits, start);
  reader.on_deadline(start + limits.http_head_time);
  EXPECT_TRUE(std::holds_alternative<IdleEndEvent>(*reader.next_event()));
}

TEST(RequestTime, IdleTimeBetweenRequestsThenHeadTime) {
  const Limits limits;
  RequestReader reader(limits, start);
  reader.receive(as_bytes("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), start);
  ASSERT_TRUE(reader.next_event());
  const auto answered = start + seconds(20);
  reader.start_next(answered);
  EXPECT_EQ(reader.deadline(), answered + limits.http_idle_time);
  reader.receive(as_bytes("G"), answered + seconds(10));
  EXPECT_EQ(reader.deadline(), answered + seconds(10) + limits.http_head_time);
}

TEST(RequestTime, BodyMustComeInTimeToo) {
  const Limits limits;
  RequestReader reader(limits, start);
  reader.receive(as_bytes("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\na"), start + seconds(1));
  EXPECT_FALSE(reader.next_event());
  EXPECT_EQ(reader.deadline(), start + seconds(1) + limits.http_head_time);
  reader.on_deadline(start + seconds(1) + limits.http_head_time);
  EXPECT_EQ(std::get<RequestFailedEvent>(*reader.next_event()).error.code, Errc::http_timeout);
}

TEST(RequestTime, ALongBodyHasTheTimeOfASlowPhoneForWhatHasArrived) {
  Limits limits;
  limits.http_body_bytes = 1'000'000;
  limits.http_body_bytes_per_second = 10'000;
  const auto until = [&](std::string_view framing, std::size_t arrived) {
    RequestReader reader(limits, start);
    reader.receive(as_bytes("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(framing) + "\r\n\r\n"), start);
    EXPECT_FALSE(reader.next_event());
    const bool chunked = framing.starts_with("Transfer");
    const std::string body = (chunked ? "7a120\r\n" : "") + std::string(arrived, 'x');  // a chunk of 500,000
    reader.receive(as_bytes(body), start + seconds(2));
    EXPECT_FALSE(reader.next_event());
    return *reader.deadline() - start - limits.http_head_time;
  };
  const std::string_view declared = "Content-Length: 500000";
  EXPECT_EQ(until(declared, 1), seconds(0)) << "it is only announced";
  EXPECT_EQ(until(declared, 9'999), seconds(0));
  EXPECT_EQ(until(declared, 10'000), seconds(1));
  EXPECT_EQ(until(declared, 499'999), seconds(49));
  EXPECT_EQ(until("Transfer-Encoding: chunked", 400'000), seconds(40));
  limits.http_body_bytes_per_second = 0;
  EXPECT_LT(until(declared, 499'999), std::chrono::hours(24 * 366)) << "still a time that there is";
}

TEST(RequestReader, EndOfTheStream) {
  const Limits limits;
  RequestReader idle(limits, start);
  idle.receive_end();
  EXPECT_TRUE(std::holds_alternative<IdleEndEvent>(*idle.next_event()));
  EXPECT_FALSE(idle.next_event());
  for (const auto* wire :
       {"G", "GET / HTTP/1.1\r\nHost: h\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na"}) {
    RequestReader cut(limits, start);
    cut.receive(as_bytes(wire), start);
    EXPECT_FALSE(cut.next_event());
    cut.receive_end();
    EXPECT_EQ(std::get<RequestFailedEvent>(*cut.next_event()).error.code, Errc::unexpected_eof) << wire;
  }
}

}  // namespace
}  // namespace fairlead::http1
