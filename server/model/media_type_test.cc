// SPDX-License-Identifier: Apache-2.0
#include "model/media_type.h"

#include <gtest/gtest.h>

namespace fairlead::server {
namespace {

using namespace std::string_view_literals;

struct Case {
  std::string_view bytes, type;
};
constexpr Case cases[] = {
    {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"sv, "image/png"},
    {"\xff\xd8\xff\xe0\0\x10JFIF"sv, "image/jpeg"},
    {"GIF87a"sv, "image/gif"},
    {"GIF89a,,"sv, "image/gif"},
    {"RIFF\x24\0\0\0WEBPVP8 "sv, "image/webp"},
    {"\0\0\0\x20"
     "ftypavif\0\0\0\0"sv,
     "image/avif"},
    // What holds programs, or only looks like a picture from far away.
    {"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>1</script></svg>"sv, ""},
    {"<?xml version=\"1.0\"?><svg/>"sv, ""},
    {"<!doctype html><script>1</script>"sv, ""},
    {"GIF89"sv, ""},
    {"GIF88a"sv, ""},
    {"RIFF\x24\0\0\0WAVEfmt "sv, ""},
    {"RIFF"sv, ""},
    {"\0\0\0\x20"
     "ftypmp42"sv,
     ""},
    {"\x89PNG\n\x1a\n"sv, ""},
    {" \x89PNG\r\n\x1a\n"sv, ""},
    {"%PDF-1.7"sv, ""},
    {""sv, ""},
};

TEST(MediaType, IsWhatTheBytesBeginWith) {
  for (const Case& one : cases) EXPECT_EQ(picture_type(one.bytes), one.type) << one.bytes;
}

TEST(MediaType, EveryPrefixOfAPictureIsThatPictureOrNothing) {
  for (const Case& one : cases) {
    for (std::size_t size = 0; size < one.bytes.size(); ++size) {
      const auto type = picture_type(one.bytes.substr(0, size));
      EXPECT_TRUE(type.empty() || type == one.type) << one.type << ' ' << size;
    }
  }
}

TEST(MediaType, ItsNamesAreKnownAndNoOthers) {
  for (const auto name : {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
    EXPECT_TRUE(is_picture_type(name)) << name;
  for (const auto name : {"image/svg+xml", "text/html", "image/", ""}) EXPECT_FALSE(is_picture_type(name)) << name;
}

}  // namespace
}  // namespace fairlead::server
