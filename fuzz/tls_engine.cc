// SPDX-License-Identifier: Apache-2.0
// Both TLS engines against a hostile wire. Input: a plan byte (which end is attacked, and when), a chunk size, then
// bytes. Before the handshake the bytes are the stream; in it and after it they are mutations (position, position,
// mask) of what the honest peer sends, which reach further than random bytes ever would.
#include <fairlead/bytes.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/assert.h"
#include "tls/testing.h"

namespace {

using fairlead::as_bytes;
using fairlead::Bytes;
namespace tls = fairlead::tls;

struct World {
  tls::testing::Authority authority;
  std::shared_ptr<const tls::ServerContext> server = tls::testing::must_build(authority.server());
  std::shared_ptr<const tls::ClientContext> client = tls::testing::must_build(authority.client());
};

const World& world() {
  static const World one;
  return one;
}

// Nothing an engine says may contradict what it said before, whatever it is fed.
void check(const tls::testing::End& end) {
  FAIRLEAD_ASSERT(end.engine->output().empty());
  FAIRLEAD_ASSERT(end.plaintext.empty() || end.handshake_done);
  FAIRLEAD_ASSERT(!(end.failed && end.peer_closed && !end.handshake_done));
}

void feed(tls::testing::End& end, std::string_view stream, std::size_t chunk) {
  for (std::size_t at = 0; at < stream.size(); at += chunk) {
    end.receive(stream.substr(at, chunk));
    check(end);
  }
}

std::string mutated(std::string stream, std::string_view mutations) {
  constexpr std::size_t mutation_bytes = 3;
  for (; mutations.size() >= mutation_bytes && !stream.empty(); mutations.remove_prefix(mutation_bytes)) {
    const std::size_t at =
        std::size_t{static_cast<unsigned char>(mutations[0])} << 8U | static_cast<unsigned char>(mutations[1]);
    char& target = stream[at % stream.size()];
    target = static_cast<char>(target ^ mutations[2]);
  }
  return stream;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t header_bytes = 2;
  if (size < header_bytes) return 0;
  const unsigned plan = data[0];
  const std::size_t chunk = std::size_t{data[1]} + 1;
  const std::string_view rest =
      fairlead::as_text(Bytes(reinterpret_cast<const std::byte*>(data), size)).substr(header_bytes);
  const bool attack_server = (plan & 1U) != 0;
  tls::testing::Pair pair(world().server, world().client);
  tls::testing::End& victim = attack_server ? pair.server : pair.client;
  tls::testing::End& honest = attack_server ? pair.client : pair.server;

  switch ((plan >> 1U) % 3) {
    case 0:  // the stream is the input
      feed(victim, rest, chunk);
      break;
    case 1:  // a flight of the handshake is mutated
      if (!attack_server) pair.server.receive(std::exchange(pair.client.outgoing, {}));
      feed(victim, mutated(std::exchange(honest.outgoing, {}), rest), chunk);
      break;
    default:  // records after the handshake are
      pair.run();
      honest.send("a message");
      honest.send(std::string(300, 'm'));
      honest.close();
      feed(victim, mutated(std::exchange(honest.outgoing, {}), rest), chunk);
      if (!victim.failed) victim.send("an answer");
  }
  victim.receive_end();
  check(victim);
  FAIRLEAD_ASSERT(victim.failed || victim.peer_closed);
  return 0;
}
