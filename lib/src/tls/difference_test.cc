// SPDX-License-Identifier: Apache-2.0
// Our record layer against OpenSSL's, each in each role, and against itself: random sizes, random cuts, keys that
// change every few records, both directions at once. FAIRLEAD_TLS_RECORDS=10000000 makes a long run of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "tls/context_body.h"
#include "tls/record_engine.h"
#include "tls/testing.h"

namespace fairlead::tls {
namespace {

using testing::Authority;
using testing::End;
using testing::must_build;
using testing::Pair;

constexpr std::size_t records_by_default = 12'000;
constexpr std::size_t records_per_connection = 2'000;

std::size_t records_wanted() {
  const char* wanted = std::getenv("FAIRLEAD_TLS_RECORDS");  // NOLINT(concurrency-mt-unsafe)
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : records_by_default;
}

// The byte at a place of an endless text, different for each direction.
char byte_at(std::size_t place, std::size_t seed) {
  return static_cast<char>((place * 2'654'435'761U + seed * 40'503U) >> 11U);
}

class Direction {
 public:
  Direction(End& from, End& to, std::size_t seed) : from_(from), to_(to), seed_(seed) {}

  void say(std::size_t bytes) {
    std::string text(bytes, '\0');
    for (char& c : text) c = byte_at(said_++, seed_);
    from_.send(text);
  }
  // Delivers up to `bytes` of what is on its way; what comes out must be what was said.
  void carry(std::size_t bytes) {
    const std::string piece = from_.outgoing.substr(0, bytes);
    from_.outgoing.erase(0, piece.size());
    if (!piece.empty()) to_.receive(piece);
    for (const char c : std::exchange(to_.plaintext, {})) ASSERT_EQ(c, byte_at(heard_++, seed_));
    ASSERT_FALSE(to_.failed) << to_string(to_.failure());
  }
  [[nodiscard]] bool idle() const { return from_.outgoing.empty(); }
  [[nodiscard]] bool heard_all() const { return heard_ == said_; }

 private:
  End& from_;
  End& to_;
  std::size_t seed_;
  std::size_t said_ = 0;
  std::size_t heard_ = 0;
};

struct Roles {
  RecordLayer server;
  RecordLayer client;
};

struct Difference : ::testing::TestWithParam<Roles> {
  // Mostly small messages, some at the edges of records, some of several.
  std::size_t some_size() {
    switch (random() % 20) {
      case 0:
        return 16'380 + random() % 10;
      case 1:
        return 1 + random() % 40'000;
      default:
        return 1 + random() % 300;
    }
  }

  std::shared_ptr<const ClientContext> client_with(const char* suite) {
    TlsClient options = authority.client();
    options.record_layer = GetParam().client;
    auto context = must_build(options);
    EXPECT_EQ(SSL_CTX_set_ciphersuites(context->body().context.get(), suite), 1);
    return context;
  }

  void let_keys_change(End& end) {
    end.engine->limit_messages(unlimited);
    testing::limit_records_per_key(*end.engine, static_cast<std::uint32_t>(3 + random() % 50));
  }

  // Sometimes one end asks the other for new keys.
  void maybe_ask_for_keys(End& end) {
    auto* ours = dynamic_cast<RecordEngine*>(end.engine.get());
    if (ours == nullptr || !ours->took_over() || random() % 40 != 0) return;
    ours->update_keys(random() % 2 == 0);
    end.settle();
  }

  void talk(Pair& pair, std::size_t messages) {
    Direction up(pair.client, pair.server, random());
    Direction down(pair.server, pair.client, random());
    for (std::size_t i = 0; i < messages; ++i) {
      Direction& one = random() % 2 == 0 ? up : down;
      one.say(some_size());
      maybe_ask_for_keys(random() % 2 == 0 ? pair.client : pair.server);
      (random() % 2 == 0 ? up : down).carry(1 + random() % 20'000);
    }
    while (!up.idle() || !down.idle()) {
      up.carry(1 + random() % 100'000);
      down.carry(1 + random() % 100'000);
    }
    EXPECT_TRUE(up.heard_all() && down.heard_all());
  }

  std::mt19937 random{8'446};
  Authority authority;
};

TEST_P(Difference, BothSayTheSame) {
  Tls options = authority.server();
  options.record_layer = GetParam().server;
  const auto server = must_build(options);
  const std::array clients{client_with("TLS_AES_128_GCM_SHA256"), client_with("TLS_AES_256_GCM_SHA384"),
                           client_with("TLS_CHACHA20_POLY1305_SHA256")};
  for (std::size_t said = 0, round = 0; said < records_wanted() && !HasFailure(); said += records_per_connection) {
    Pair pair(server, clients[round++ % clients.size()]);
    pair.run();
    ASSERT_TRUE(pair.both_done());
    let_keys_change(pair.client);
    let_keys_change(pair.server);
    talk(pair, records_per_connection);
  }
}

INSTANTIATE_TEST_SUITE_P(Roles, Difference,
                         ::testing::Values(Roles{RecordLayer::automatic, RecordLayer::openssl},
                                           Roles{RecordLayer::openssl, RecordLayer::automatic},
                                           Roles{RecordLayer::automatic, RecordLayer::automatic}));

}  // namespace
}  // namespace fairlead::tls
