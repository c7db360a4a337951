// SPDX-License-Identifier: Apache-2.0
// Messages behind the handshake. Input: a byte for the role, then the content of the records, each behind its length:
// the same messages must come out however their bytes are cut into records, up to where a record's end matters.
#include <fairlead/bytes.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "input.h"
#include "tls/record/post_handshake.h"

namespace {

using namespace fairlead::tls::record;
using fairlead::Bytes;
using fairlead::fuzzing::Input;

struct Outcome {
  std::vector<PostHandshake::Message> messages;
  bool refused = false;
  bool in_message = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Gives false when nothing more may come.
bool feed(PostHandshake& reader, Bytes content, Outcome& outcome) {
  while (!content.empty()) {
    const std::size_t before = content.size();
    const auto message = reader.next(content);
    if (!message) return !(outcome.refused = true);
    FAIRLEAD_ASSERT(content.size() < before);  // it goes on
    if (*message) {
      FAIRLEAD_ASSERT(!reader.in_message());
      outcome.messages.push_back(**message);
    }
  }
  return true;
}

Outcome read(Side side, const std::vector<std::string>& records) {
  PostHandshake reader(side);
  Outcome outcome;
  for (const std::string& record : records) {
    if (!feed(reader, fairlead::as_bytes(record), outcome)) break;
  }
  outcome.in_message = reader.in_message();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const Side side = input.byte() % 2 == 0 ? Side::server : Side::client;
  std::vector<std::string> records;
  std::vector<std::string> bytes;
  while (!input.empty()) {
    records.push_back(input.bytes(input.byte()));
    for (const char c : records.back()) bytes.emplace_back(1, c);
  }
  const Outcome whole = read(side, records);
  const Outcome single = read(side, bytes);
  if (side == Side::server) {
    for (const auto message : whole.messages) FAIRLEAD_ASSERT(message != PostHandshake::Message::new_session_ticket);
  }
  // Cut into single bytes every message ends its record, so nothing more is refused than before.
  if (!whole.refused) FAIRLEAD_ASSERT(whole == single);
  FAIRLEAD_ASSERT(single.messages.size() >= whole.messages.size());
  return 0;
}
