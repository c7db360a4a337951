// SPDX-License-Identifier: Apache-2.0
// One end of the record layer against a peer that knows its keys. Input: a byte that chooses role, suite and chunks,
// then steps: a record of any type, content and padding that the peer seals honestly, bytes that nobody sealed, or a
// change of one byte in what was sealed. Whatever was changed must never be opened.
#include <fairlead/bytes.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/assert.h"
#include "input.h"
#include "tls/record/testing.h"

namespace {

using namespace fairlead::tls::record;
using fairlead::fuzzing::Input;

struct Game {
  explicit Game(std::uint8_t plan)
      : pair(static_cast<Suite>(plan / 2 % 3)),
        victim(plan % 2 == 0 ? pair.server : pair.client),
        peer(plan % 2 == 0 ? pair.client : pair.server),
        chunk(1U + plan) {}

  void seal(Input& input) {
    auto type = static_cast<ContentType>(input.byte());
    if (type == ContentType{}) type = ContentType::application_data;  // a zero would be padding, not a type
    const std::size_t padding = input.byte();
    const std::string content = input.bytes(input.byte());
    const bool whole_update = type == ContentType::handshake && content.size() == 5 && content[0] == '\x18';
    const std::size_t before = peer.outgoing.size();
    peer.send_raw(type, content, padding);
    sealed += peer.outgoing.substr(before);
    if (!forged && type == ContentType::application_data) honest += content;
    if (whole_update) peer.forger->update(peer.keys);
  }

  void change(Input& input) {
    if (peer.outgoing.empty()) return;
    const std::size_t at = input.byte() % peer.outgoing.size();
    peer.outgoing[at] = static_cast<char>(peer.outgoing[at] ^ input.byte());
  }

  void deliver() {
    const std::string stream = std::exchange(peer.outgoing, {});
    forged = stream != std::exchange(sealed, {}) || forged;
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      victim.receive(std::string_view(stream).substr(at, chunk));
    }
    // What was opened is what was sealed, in its order.
    FAIRLEAD_ASSERT(victim.plaintext.size() <= honest.size());
    FAIRLEAD_ASSERT(honest.starts_with(victim.plaintext));
  }

  testing::Pair pair;
  testing::End& victim;
  testing::End& peer;
  std::size_t chunk;
  std::string sealed;  // what `peer.outgoing` would be if nobody had touched it
  std::string honest;  // data that was sealed before anything touched was delivered
  bool forged = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Game game(input.byte());
  while (!input.empty()) {
    switch (input.byte() % 5) {
      case 0:
      case 1:
        game.seal(input);
        break;
      case 2:
        game.change(input);
        break;
      case 3:
        game.peer.outgoing += input.bytes(input.byte());
        break;
      default:
        game.deliver();
        if (!game.victim.failed) game.victim.send("an answer");
    }
  }
  game.deliver();
  game.victim.receive_end();
  FAIRLEAD_ASSERT(game.victim.failed || game.victim.said_goodbye);
  return 0;
}
