// SPDX-License-Identifier: Apache-2.0
#include "http1/conditions.h"

#include <gtest/gtest.h>

namespace fairlead::http1 {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr auto modified_text = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr auto earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr auto later = "Sun, 06 Nov 1994 08:49:38 GMT";

FileFacts facts(std::uint64_t size = 100) {
  return {.size_bytes = size, .modified = sys_seconds(seconds(784111777)), .etag = "\"tag\""};
}

FileAnswer answer(Headers headers, std::uint64_t size = 100, std::string method = "GET") {
  Request request;
  request.method = std::move(method);
  request.headers = std::move(headers);
  return evaluate_conditions(request, facts(size));
}

struct Row {
  Headers headers;
  int status;
};

TEST(Conditions, TableOfTagsAndDates) {
  const Row table[] = {
      {{}, 200},
      {{{"If-None-Match", "\"tag\""}}, 304},
      {{{"If-None-Match", "W/\"tag\""}}, 304},
      {{{"If-None-Match", "\"a\", W/\"tag\" ,\"b\""}}, 304},
      {{{"If-None-Match", "*"}}, 304},
      {{{"If-None-Match", "\"other\""}}, 200},
      {{{"If-None-Match", "tag"}}, 200},
      {{{"If-None-Match", "\"other\""}, {"If-Modified-Since", modified_text}}, 200},
      {{{"If-Modified-Since", modified_text}}, 304},
      {{{"If-Modified-Since", later}}, 304},
      {{{"If-Modified-Since", earlier}}, 200},
      {{{"If-Modified-Since", "yesterday"}}, 200},
      {{{"If-Match", "\"tag\""}}, 200},
      {{{"If-Match", "W/\"tag\""}}, 412},
      {{{"If-Match", "\"other\""}}, 412},
      {{{"If-Unmodified-Since", earlier}}, 412},
      {{{"If-Unmodified-Since", modified_text}}, 200},
  };
  for (const auto& row : table) {
    EXPECT_EQ(answer(row.headers).status, row.status) << row.headers.begin()->name << row.headers.begin()->value;
  }
}

TEST(Conditions, OneRange) {
  const struct {
    const char* range;
    int status;
    std::uint64_t offset;
    std::uint64_t length;
  } table[] = {
      {"bytes=0-9", 206, 0, 10},
      {"bytes=90-", 206, 90, 10},
      {"bytes=-10", 206, 90, 10},
      {"bytes=99-99", 206, 99, 1},
      {"bytes=0-1000", 206, 0, 100},
      {"bytes=-1000", 206, 0, 100},
      {"Bytes=5-6", 206, 5, 2},
      {"bytes=100-", 416, 0, 0},
      {"bytes=100-200", 416, 0, 0},
      {"bytes=-0", 416, 0, 0},
      {"bytes=9-0", 200, 0, 100},
      {"bytes=", 200, 0, 100},
      {"bytes=-", 200, 0, 100},
      {"bytes=a-b", 200, 0, 100},
      {"bytes=0-1,5-6", 200, 0, 100},
      {"lines=0-9", 200, 0, 100},
      {"bytes=+1-2", 200, 0, 100},
      {"bytes=0-18446744073709551616", 200, 0, 100},
      {"bytes=0-18446744073709551615", 206, 0, 100},
      {"bytes=18446744073709551615-", 416, 0, 0},
  };
  for (const auto& row : table) {
    const auto given = answer({{"Range", row.range}});
    EXPECT_EQ(given.status, row.status) << row.range;
    EXPECT_EQ(given.offset, row.offset) << row.range;
    EXPECT_EQ(given.length_bytes, row.length) << row.range;
  }
  EXPECT_EQ(answer({{"Range", "bytes=0-"}}, 0).status, 416) << "nothing to send of an empty file";
  EXPECT_EQ(answer({{"Range", "bytes=0-9"}}, 100, "HEAD").status, 200);
  EXPECT_EQ(answer({{"Range", "bytes=0-9"}, {"Range", "bytes=0-9"}}).status, 200);
}

TEST(Conditions, RangeOnlyOfTheVerySameFile) {
  const auto ranged = [](const char* condition) {
    return answer({{"Range", "bytes=0-9"}, {"If-Range", condition}}).status;
  };
  EXPECT_EQ(ranged("\"tag\""), 206);
  EXPECT_EQ(ranged("W/\"tag\""), 200);
  EXPECT_EQ(ranged("\"other\""), 200);
  EXPECT_EQ(ranged(modified_text), 206);
  EXPECT_EQ(ranged(later), 200);
}

TEST(Conditions, ContentRange) {
  EXPECT_EQ(content_range({206, 90, 10}, facts()), "bytes 90-99/100");
  EXPECT_EQ(content_range({416, 0, 0}, facts()), "bytes */100");
}

TEST(MediaType, ByEnding) {
  EXPECT_EQ(media_type("index.html"), "text/html; charset=utf-8");
  EXPECT_EQ(media_type("a.b.JS"), "text/javascript; charset=utf-8");
  EXPECT_EQ(media_type("x.wasm"), "application/wasm");
  EXPECT_EQ(media_type("x.svg"), "image/svg+xml");
  EXPECT_EQ(media_type("x.webmanifest"), "application/manifest+json");
  EXPECT_EQ(media_type("x.exe"), "application/octet-stream");
  EXPECT_EQ(media_type("html"), "application/octet-stream");
  EXPECT_EQ(media_type(""), "application/octet-stream");
}

}  // namespace
}  // namespace fairlead::http1
