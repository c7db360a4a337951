// SPDX-License-Identifier: Apache-2.0
// The record layer takes over from OpenSSL while the stream is cut at random. Input: a byte that chooses who resumes
// and closes, then pairs: how many bytes of which direction arrive next, and whether somebody says something meanwhile.
// Nothing that was said may be lost, and nobody may fail.
#include <fairlead/bytes.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/assert.h"
#include "input.h"
#include "tls/testing.h"

namespace {

namespace tls = fairlead::tls;
using fairlead::fuzzing::Input;
using tls::testing::End;

struct World {
  tls::testing::Authority authority;
  std::shared_ptr<const tls::ServerContext> server = tls::testing::must_build(authority.server());
  std::shared_ptr<const tls::ClientContext> client = tls::testing::must_build(authority.client());
};

const World& world() {
  static const World one;
  return one;
}

struct Direction {
  End& from;
  End& to;
  std::string said{};

  void carry(std::size_t bytes) {
    const std::string piece = from.outgoing.substr(0, bytes);
    from.outgoing.erase(0, piece.size());
    if (!piece.empty()) to.receive(piece);
  }
  void say(std::size_t bytes) {
    if (!from.handshake_done) return;
    const std::string text(bytes, static_cast<char>('a' + said.size() % 26));
    said += text;
    from.send(text);
  }
  [[nodiscard]] bool idle() const { return from.outgoing.empty(); }
};

void finish(Direction& up, Direction& down) {
  while (!up.idle() || !down.idle()) {
    up.carry(up.from.outgoing.size());
    down.carry(down.from.outgoing.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::uint8_t plan = input.byte();
  const auto session = (plan & 1U) != 0 ? std::make_shared<tls::ClientSession>() : nullptr;
  tls::testing::Pair pair(world().server, world().client, "server.example", session);
  Direction up{pair.client, pair.server};
  Direction down{pair.server, pair.client};
  while (!input.empty()) {
    const std::uint8_t step = input.byte();
    Direction& direction = (step & 1U) != 0 ? up : down;
    if ((step & 2U) != 0) direction.say(1U + input.byte() * (step >> 2U));
    direction.carry(std::size_t{input.byte()} << (step >> 6U));
  }
  finish(up, down);
  up.say(1);
  if ((plan & 2U) != 0) pair.client.close();
  down.say(1);
  finish(up, down);
  FAIRLEAD_ASSERT(pair.both_done() && !pair.client.failed && !pair.server.failed);
  FAIRLEAD_ASSERT(pair.server.plaintext == up.said && pair.client.plaintext == down.said);
  FAIRLEAD_ASSERT(tls::testing::took_over(*pair.server.engine) && tls::testing::took_over(*pair.client.engine));
  FAIRLEAD_ASSERT(pair.server.peer_closed == ((plan & 2U) != 0));
  return 0;
}
