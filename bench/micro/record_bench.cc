// SPDX-License-Identifier: Apache-2.0
// Sealing and opening one TLS record, by size: the fast path of each suite against OpenSSL's EVP, and what it costs to
// expand a key that was not in the loop's cache.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "tls/record/layer.h"

namespace {

using namespace fairlead;
using namespace fairlead::tls::record;

constexpr Nonce nonce{};
const std::string header("\x17\x03\x03\0\0", header_bytes);

ExpandedKey& expand(ExpandedKey& key, Suite suite, Use use, bool evp) {
  const std::string bare(key_bytes(suite), 'k');
  evp ? key.expand_for_evp(suite, use, as_bytes(bare)) : key.expand(suite, use, as_bytes(bare));
  return key;
}

void seal(benchmark::State& state, Suite suite, bool evp) {
  ExpandedKey key;
  expand(key, suite, Use::seal, evp);
  const std::string content(static_cast<std::size_t>(state.range(0)), 'c');
  std::vector<std::byte> out(content.size() + 1 + tag_bytes);
  for (auto _ : state) {
    key.seal(nonce, as_bytes(header), as_bytes(content), std::byte{23}, out.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void open(benchmark::State& state, Suite suite, bool evp) {
  ExpandedKey sealing;
  ExpandedKey key;
  const std::string content(static_cast<std::size_t>(state.range(0)), 'c');
  std::vector<std::byte> sealed(content.size() + 1 + tag_bytes);
  expand(sealing, suite, Use::seal, evp).seal(nonce, as_bytes(header), as_bytes(content), std::byte{23}, sealed.data());
  expand(key, suite, Use::open, evp);
  std::vector<std::byte> out(content.size() + 1);
  for (auto _ : state) benchmark::DoNotOptimize(key.open(nonce, as_bytes(header), sealed, out.data()));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void sizes(benchmark::internal::Benchmark* one) {
  for (const int size : {6, 22, 66, 256, 1'026, 2'048, 2'559, 2'560, 4'096, 8'192, 16'384}) one->Arg(size);
}

BENCHMARK_CAPTURE(seal, aes128, Suite::aes_128_gcm_sha256, false)->Apply(sizes);
BENCHMARK_CAPTURE(seal, aes128_evp, Suite::aes_128_gcm_sha256, true)->Apply(sizes);
BENCHMARK_CAPTURE(seal, aes256, Suite::aes_256_gcm_sha384, false)->Apply(sizes);
BENCHMARK_CAPTURE(seal, chacha20, Suite::chacha20_poly1305_sha256, false)->Apply(sizes);
BENCHMARK_CAPTURE(open, aes128, Suite::aes_128_gcm_sha256, false)->Apply(sizes);
BENCHMARK_CAPTURE(open, aes128_evp, Suite::aes_128_gcm_sha256, true)->Apply(sizes);

// One loop, and two loops on two cores, each with keys and buffers of its own: whatever they still share shows as time.
// (Intel's library stores into one variable of the whole process at each call; EVP and ChaCha20 are the control.)
void cores(benchmark::internal::Benchmark* one) { one->Arg(22)->Arg(1'026)->ThreadRange(1, 2)->UseRealTime(); }
BENCHMARK_CAPTURE(seal, aes128_cores, Suite::aes_128_gcm_sha256, false)->Apply(cores);
BENCHMARK_CAPTURE(seal, aes128_evp_cores, Suite::aes_128_gcm_sha256, true)->Apply(cores);
BENCHMARK_CAPTURE(seal, chacha20_cores, Suite::chacha20_poly1305_sha256, false)->Apply(cores);

// The two ways in which the fast path seals content with its type behind it: `copy_below_bytes` is where they meet.
void seal_fast(benchmark::State& state, Suite suite, bool copied) {
  if (!fast_gcm_available()) return state.SkipWithError("the fast path is not there");
  alignas(fast_gcm_alignment) std::array<std::byte, fast_gcm_key_bytes> key;
  fast_gcm_expand(as_bytes(std::string(key_bytes(suite), 'k')), key.data());
  const FastGcmCall call{
      .expanded = key.data(), .nonce = nonce, .header = as_bytes(header), .aes_256 = key_bytes(suite) == 32};
  const std::string content(static_cast<std::size_t>(state.range(0)), 'c');
  const std::size_t sealed_bytes = content.size() + 1 + tag_bytes;
  // Records begin wherever the one before has ended, and that counts: what was just copied is loaded in wide words.
  constexpr std::size_t places = 64;
  std::vector<std::byte> room(places + sealed_bytes);
  std::size_t place = 0;
  for (auto _ : state) {
    place = (place + 37) % places;
    std::byte* out = room.data() + place;
    std::byte* tag = out + content.size() + 1;
    if (copied) {
      std::memcpy(out, content.data(), content.size());
      out[content.size()] = std::byte{23};
      fast_gcm_seal(call, Bytes(out, content.size() + 1), out, tag);
    } else {
      fast_gcm_seal_with(call, as_bytes(content), std::byte{23}, out, tag);
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void ways(benchmark::internal::Benchmark* one) {
  for (const int size : {64, 512, 1'024, 2'048, 2'560, 3'072, 3'584, 4'096, 16'384}) one->Arg(size);
}
BENCHMARK_CAPTURE(seal_fast, aes128_copied, Suite::aes_128_gcm_sha256, true)->Apply(ways);
BENCHMARK_CAPTURE(seal_fast, aes128_in_parts, Suite::aes_128_gcm_sha256, false)->Apply(ways);
// The parts are four calls, each of which stores into that variable: with two loops that counts, too.
void ways_on_two_cores(benchmark::internal::Benchmark* one) {
  ways(one);
  one->Threads(2)->UseRealTime();
}
BENCHMARK_CAPTURE(seal_fast, aes128_copied_cores, Suite::aes_128_gcm_sha256, true)->Apply(ways_on_two_cores);
BENCHMARK_CAPTURE(seal_fast, aes128_in_parts_cores, Suite::aes_128_gcm_sha256, false)->Apply(ways_on_two_cores);
BENCHMARK_CAPTURE(seal_fast, aes256_copied, Suite::aes_256_gcm_sha384, true)->Apply(ways);
BENCHMARK_CAPTURE(seal_fast, aes256_in_parts, Suite::aes_256_gcm_sha384, false)->Apply(ways);

// Where the type is in an opened record, behind so much padding.
void bm_find_type(benchmark::State& state) {
  std::vector<std::byte> inner(content_limit_bytes + 1, std::byte{'c'});
  std::fill_n(inner.rbegin(), state.range(0), std::byte{0});
  for (auto _ : state) {
    benchmark::DoNotOptimize(inner.data());
    benchmark::DoNotOptimize(find_type(inner));
  }
}
BENCHMARK(bm_find_type)->Arg(0)->Arg(1)->Arg(15)->Arg(63)->Arg(64)->Arg(255)->Arg(1'024)->Arg(16'384);

void bm_expand_key(benchmark::State& state) {
  ExpandedKey key;
  for (auto _ : state) expand(key, Suite::aes_128_gcm_sha256, Use::seal, false);
}
BENCHMARK(bm_expand_key);

// Two ends with the same secrets on one loop.
struct Loop {
  [[nodiscard]] Lent lend() {
    return {.keys = keys, .output = output, .plain = room, .clock = [] { return TimePoint{}; }};
  }
  [[nodiscard]] Layer::Start start(Side side) const {
    return {.side = side,
            .suite = Suite::aes_128_gcm_sha256,
            .read_secret = as_bytes(secret),
            .write_secret = as_bytes(secret)};
  }
  const std::string secret = std::string(32, 's');
  KeyCache keys;
  Buffer output;
  std::vector<std::byte> room = std::vector<std::byte>(4 * least_plain_bytes);
};

// A whole record through the layer, sealed and opened: what an echo costs at one end.
void bm_layer(benchmark::State& state) {
  Loop loop;
  Layer client(loop.keys, loop.start(Side::client));
  Layer server(loop.keys, loop.start(Side::server));
  const std::string content(static_cast<std::size_t>(state.range(0)), 'c');
  for (auto _ : state) {
    client.seal(loop.lend(), as_bytes(content));
    server.receive(std::as_const(loop.output).readable());
    benchmark::DoNotOptimize(server.next(loop.lend()));
    benchmark::DoNotOptimize(server.next(loop.lend()));
    loop.output.clear();
  }
}
BENCHMARK(bm_layer)->Apply(sizes);

void bm_derive_keys(benchmark::State& state) {
  const std::string secret(32, 's');
  for (auto _ : state) benchmark::DoNotOptimize(TrafficKeys(Suite::aes_128_gcm_sha256, as_bytes(secret)).nonce(0));
}
BENCHMARK(bm_derive_keys);

}  // namespace
