// SPDX-License-Identifier: Apache-2.0
#include "tls/record/ticket.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tls/record/testing.h"

namespace fairlead::tls::record {
namespace {

using namespace std::string_literals;
using testing::from_hex;

std::string number(std::size_t value) {
  return {static_cast<char>(value >> 8U & 0xffU), static_cast<char>(value & 0xffU)};
}

std::string extension(std::size_t type, std::string_view data) {
  return number(type) + number(data.size()) + std::string(data);
}

// The body of a ticket with these extensions, which say that they are `said` bytes long.
std::string body_saying(std::size_t said, std::string_view extensions) {
  return from_hex("00 00 0e 10 01 02 03 04 02 0a 0b 00 03 aa bb cc") + number(said) + std::string(extensions);
}
std::string body(std::string_view extensions) { return body_saying(extensions.size(), extensions); }

struct Outcome {
  bool good = false;
  std::string alert;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
const Outcome good{.good = true, .alert = {}};
Outcome refused(std::string_view alert) { return {.good = false, .alert = std::string(alert)}; }

Outcome read(std::string_view text, std::size_t piece_bytes) {
  TicketReader reader;
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    if (const auto fault = reader.take(as_bytes(text.substr(at, piece_bytes)))) {
      return refused(alert_name(static_cast<std::uint8_t>(fault->alert)));
    }
  }
  return {.good = reader.complete(), .alert = {}};
}

// The same for any split.
void expect_read(std::string_view text, const Outcome& wanted) {
  for (const std::size_t piece : {text.size(), std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
    const Outcome found = read(text, piece);
    EXPECT_TRUE(found == wanted) << found.good << " " << found.alert << " in pieces of " << piece;
  }
}

TEST(TicketExtensions, NoneSomeAndManyAreGood) {
  expect_read(body(""), good);
  expect_read(body(extension(42, "\0\0\x40\0"s)), good);  // early_data with its max_early_data_size
  expect_read(body(extension(0x0a0a, "")), good);         // RFC 8701: to see whether unknown ones are ignored
  expect_read(body(extension(0x0a0a, "x") + extension(42, "1234") + extension(0xff01, "unknown")), good);
  std::string many;
  constexpr std::size_t each_bytes = 4;
  for (std::size_t type = 100; many.size() + each_bytes <= 65'534; ++type) many += extension(type, "");
  expect_read(body(many), good);
  expect_read(body(extension(0xaaaa, std::string(65'530, 'e'))), good);
}

TEST(TicketExtensions, EarlyDataIsFourBytes) {
  for (const char* data : {"", "1", "123", "12345", "12345678"}) {
    expect_read(body(extension(42, data)), refused("decode_error"));
  }
}

TEST(TicketExtensions, NoneComesTwice) {
  expect_read(body(extension(42, "1234") + extension(42, "1234")), refused("illegal_parameter"));
  expect_read(body(extension(0xffff, "") + extension(7777, "between") + extension(0xffff, "x")),
              refused("illegal_parameter"));
}

TEST(TicketExtensions, ThoseOfOtherMessagesAreRefused) {
  // server_name, supported_groups, application_layer_protocol_negotiation, pre_shared_key, cookie, key_share
  for (const std::size_t type : {0U, 10U, 16U, 41U, 44U, 51U}) {
    expect_read(body(extension(type, "data")), refused("illegal_parameter"));
  }
}

TEST(TicketExtensions, LengthsThatContradictEachOtherAreRefused) {
  const std::string one = extension(0xaaaa, "data");
  expect_read(body_saying(one.size() - 1, one), refused("decode_error"));       // it is longer than all of them
  expect_read(body_saying(3, one.substr(0, 3)), refused("decode_error"));       // no room for type and length
  expect_read(body(one + "\0\0\0"s), refused("decode_error"));                  // nor behind one
  expect_read(body(one) + "x", refused("decode_error"));                        // a byte behind the last
  expect_read(body("") + "x", refused("decode_error"));                         // without any
  expect_read(body(number(0xaaaa) + number(0xffff)), refused("decode_error"));  // far longer than all of them
}

TEST(TicketExtensions, ThatAreCutOffAreNotComplete) {
  const std::string whole = body(extension(0xaaaa, "data") + extension(42, "1234"));
  for (std::size_t end = 1; end < whole.size(); ++end) {
    expect_read(std::string_view(whole).substr(0, end), Outcome{});
  }
}

}  // namespace
}  // namespace fairlead::tls::record
