// SPDX-License-Identifier: Apache-2.0
// Does the time for a record of TLS 1.3 that is refused tell where its tag is wrong, or what its padding would have
// been? It must not: whoever learns that by trying forges records. Controls show that the measurement would see it.
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "timing/welch.h"
#include "tls/record/content.h"
#include "tls/record/key_cache.h"
#include "tls/record/sealer.h"

namespace fairlead::timing {
namespace {

using tls::record::ContentType;
using tls::record::ExpandedKey;
using tls::record::KeyCache;
using tls::record::Nonce;
using tls::record::Opener;
using tls::record::Suite;
using tls::record::Use;
using Octets = std::vector<std::byte>;

constexpr std::size_t tag_bytes = tls::record::tag_bytes;
constexpr std::size_t header_bytes = tls::record::header_bytes;
constexpr std::size_t small_bytes = 40;     // a short message with its frame
constexpr std::size_t full_bytes = 16'384;  // the longest content
constexpr std::array<std::byte, tls::record::longest_secret_bytes> secret{std::byte{7}};

struct Named {
  Suite suite;
  const char* name;
};
constexpr std::array suites{Named{Suite::aes_128_gcm_sha256, "AES-128-GCM"},
                            Named{Suite::aes_256_gcm_sha384, "AES-256-GCM"},
                            Named{Suite::chacha20_poly1305_sha256, "ChaCha20-Poly1305"}};

// A record as the peer would seal it: `content`, its type, and zeros up to `inner` bytes in all.
Octets sealed(Suite suite, const Octets& content, std::size_t inner) {
  const tls::record::TrafficKeys keys(suite, Bytes(secret).first(secret_bytes(suite)));
  ExpandedKey key;
  key.expand(suite, Use::seal, keys.key());
  Octets text = content;
  text.push_back(static_cast<std::byte>(ContentType::application_data));
  text.resize(inner);
  const std::size_t length = inner + tag_bytes;
  Octets record{std::byte{23}, std::byte{3}, std::byte{3}, static_cast<std::byte>(length >> 8U),
                static_cast<std::byte>(length & 0xffU)};
  record.resize(header_bytes + length);
  const Octets header(record.begin(), record.begin() + header_bytes);
  key.seal(keys.nonce(0), header, Bytes(text).first(inner - 1), text.back(), record.data() + header_bytes);
  return record;
}

Octets flipped(Octets record, std::size_t from_end) {
  record[record.size() - from_end] ^= std::byte{1};
  return record;
}

// The layer's own way from a record to its content, on one buffer for both classes.
class Opening {
 public:
  explicit Opening(Suite suite)
      : opener_(cache_, suite, Bytes(secret).first(secret_bytes(suite)), 0), out_(tls::record::sealed_limit_bytes) {}

  void load(const Octets& record) { record_ = record; }
  // A forged record leaves the opener as it was, so it can be opened again and again.
  void open() {
    if (opener_.open(cache_, record_, out_)) std::abort();
  }

 private:
  KeyCache cache_;
  Opener opener_;
  Octets record_;
  Octets out_;
};

Verdict compare_refused(const std::string& name, Suite suite, const Octets& first, const Octets& second, int runs) {
  Opening opening(suite);
  return compare({.name = name,
                  .prepare = [&](bool which) { opening.load(which ? second : first); },
                  .run = [&] { opening.open(); },
                  .runs_each_sample = runs});
}

// An authentic record moves its opener on, so each needs one of its own, whose making is part of both classes.
Verdict compare_authentic(Suite suite, const Octets& first, const Octets& second) {
  KeyCache cache;
  Octets record;
  Octets out(tls::record::sealed_limit_bytes);
  return compare({.name = "authentic",
                  .prepare = [&](bool which) { record = which ? second : first; },
                  .run =
                      [&] {
                        Opener opener(cache, suite, Bytes(secret).first(secret_bytes(suite)), 0);
                        if (!opener.open(cache, record, out)) std::abort();
                        opener.forget(cache);
                      },
                  .runs_each_sample = 1});
}

// ── Controls ────────────────────────────────────────────────────────────────────────────────────────────────────────

// Byte by byte, which the optimiser must not improve; nor may the processor look at several at once, so the place is
// read from memory again for each.
[[gnu::noinline]] bool equal_until_different(const std::byte* left, const std::byte* right) {
  const volatile std::byte* a = left;
  const volatile std::byte* b = right;
  volatile std::size_t place = 0;
  while (place < tag_bytes) {
    const std::size_t at = place;
    if (a[at] != b[at]) return false;
    place = at + 1;
  }
  return true;
}

[[gnu::noinline]] bool equal_in_constant_time(const std::byte* left, const std::byte* right) {
  return CRYPTO_memcmp(left, right, tag_bytes) == 0;
}

// As much work as opening a small record, then a comparison.
Verdict compare_control(bool (*equal)(const std::byte*, const std::byte*)) {
  const Suite suite = Suite::aes_128_gcm_sha256;
  const tls::record::TrafficKeys keys(suite, Bytes(secret).first(secret_bytes(suite)));
  ExpandedKey key;
  key.expand(suite, Use::seal, keys.key());
  const Octets content(small_bytes, std::byte{'x'});
  const std::array<std::byte, header_bytes> header{};
  Octets out(small_bytes + 1 + tag_bytes);
  Octets expected(tag_bytes);
  std::size_t wrong = 0;
  volatile bool sink = false;
  return compare({.name = "control",
                  .prepare = [&](bool second) { wrong = second ? tag_bytes - 1 : 0; },
                  .run =
                      [&] {
                        key.seal(keys.nonce(0), header, content, std::byte{23}, out.data());
                        std::copy(out.end() - tag_bytes, out.end(), expected.begin());
                        expected[wrong] ^= std::byte{1};
                        // Alone: else it runs beside the sealing, and what it takes is hidden behind that.
                        std::atomic_thread_fence(std::memory_order_seq_cst);
                        sink = equal(expected.data(), out.data() + small_bytes + 1);
                        std::atomic_thread_fence(std::memory_order_seq_cst);
                      }});
}

using FindType = std::optional<std::size_t> (*)(Bytes);

std::optional<std::size_t> find_until_done(Bytes inner) { return tls::record::find_type(inner); }

[[gnu::noinline]] std::optional<std::size_t> find_in_constant_time(Bytes inner) {
  std::size_t last = 0;
  for (std::size_t at = 0; at < inner.size(); ++at) {
    const std::size_t chosen = std::size_t{0} - static_cast<std::size_t>(inner[at] != std::byte{0});
    last = (last & ~chosen) | (at & chosen);
  }
  return last;
}

// What a layer would do that removes the padding of a record before it judges the tag: the refused record, and then
// the search in what it holds.
Verdict compare_padding_control(Suite suite, const Octets& first, const Octets& second, FindType find) {
  Opening opening(suite);
  const std::array<Octets, 2> records{flipped(sealed(suite, first, full_bytes + 1), 3),
                                      flipped(sealed(suite, second, full_bytes + 1), 3)};
  const auto inner_of = [](Octets content) {
    content.push_back(static_cast<std::byte>(ContentType::application_data));
    content.resize(full_bytes + 1);
    return content;
  };
  const std::array<Octets, 2> inners{inner_of(first), inner_of(second)};
  Octets inner;
  volatile std::size_t sink = 0;
  return compare({.name = "padding control",
                  .prepare =
                      [&](bool which) {
                        opening.load(records.at(which ? 1 : 0));
                        inner = inners.at(which ? 1 : 0);
                      },
                  .run =
                      [&] {
                        opening.open();
                        std::atomic_thread_fence(std::memory_order_seq_cst);
                        sink = find(inner).value_or(0);
                        std::atomic_thread_fence(std::memory_order_seq_cst);
                      },
                  .runs_each_sample = 1});
}

// ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Counts {
  int passed = 0;
  int failed = 0;

  void note(const std::string& name, const Verdict& verdict, bool should_differ) {
    const bool good = verdict.differs() == should_differ;
    (good ? passed : failed) += 1;
    std::printf("%s %-58s %s\n", good ? "  ok" : "FAIL", name.c_str(), verdict.text().c_str());
    std::fflush(stdout);
  }
};

void controls(Counts& counts) {
  counts.note("control: a comparison that stops early is seen", compare_control(equal_until_different), true);
  counts.note("control: CRYPTO_memcmp shows nothing", compare_control(equal_in_constant_time), false);
}

void tags(Counts& counts, const Named& suite) {
  const Octets good = sealed(suite.suite, Octets(small_bytes, std::byte{'x'}), small_bytes + 1);
  counts.note(std::string(suite.name) + ": first or last byte of the tag is wrong",
              compare_refused("tag", suite.suite, flipped(good, tag_bytes), flipped(good, 1), 16), false);
  counts.note(std::string(suite.name) + ": tag or content is wrong",
              compare_refused("content", suite.suite, flipped(good, 1), flipped(good, tag_bytes + 5), 16), false);
}

void padding(Counts& counts, const Named& suite) {
  const Octets content(full_bytes, std::byte{'x'});
  const Octets full = sealed(suite.suite, content, full_bytes + 1);
  const Octets padded = sealed(suite.suite, {std::byte{'x'}}, full_bytes + 1);
  counts.note(std::string(suite.name) + ": control: padding removed before the tag",
              compare_padding_control(suite.suite, content, {std::byte{'x'}}, find_until_done), true);
  counts.note(std::string(suite.name) + ": control: the same in constant time",
              compare_padding_control(suite.suite, content, {std::byte{'x'}}, find_in_constant_time), false);
  const Octets zeros = flipped(sealed(suite.suite, Octets(full_bytes), full_bytes + 1), 3);
  counts.note(std::string(suite.name) + ": refused, no padding or 16 KiB of it",
              compare_refused("padding", suite.suite, flipped(full, 3), flipped(padded, 3), 1), false);
  counts.note(std::string(suite.name) + ": refused, some type or nothing but zeros",
              compare_refused("zeros", suite.suite, flipped(full, 3), zeros, 1), false);
  // Told, not judged: whoever gets an authentic record is one of the two ends.
  std::printf("note %-58s %s\n", (std::string(suite.name) + ": authentic, no padding or 16 KiB of it").c_str(),
              compare_authentic(suite.suite, full, padded).text().c_str());
}

int run() {
  Counts counts;
  controls(counts);
  for (const Named& suite : suites) {
    tags(counts, suite);
    padding(counts, suite);
  }
  std::printf("%d passed, %d failed\n", counts.passed, counts.failed);
  return counts.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace fairlead::timing

int main() { return fairlead::timing::run(); }
