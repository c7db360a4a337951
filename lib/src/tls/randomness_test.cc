// SPDX-License-Identifier: Apache-2.0
#include "tls/randomness.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tls/handshake_library.h"
#include "tls/openssl.h"

namespace fairlead::tls {
namespace {

using GeneratorPtr = std::unique_ptr<EVP_RAND_CTX, Release<EVP_RAND_CTX_free>>;
using KindPtr = std::unique_ptr<EVP_RAND, Release<EVP_RAND_free>>;
using Octets = std::vector<std::byte>;

// Counts, and gives 1, 2, 3, … so that no byte is zero for long.
class Counting final : public RandomSource {
 public:
  bool fill(MutableBytes out) override {
    ++requests;
    if (fails) return false;
    for (std::byte& byte : out) byte = std::byte{next_ = static_cast<unsigned char>(next_ % 255 + 1)};
    if (before_return) before_return();
    return true;
  }
  int requests = 0;
  bool fails = false;
  std::function<void()> before_return;

 private:
  unsigned char next_ = 0;
};

Octets take(RandomAhead& ahead, RandomSource& source, std::size_t size) {
  Octets out(size);
  EXPECT_TRUE(ahead.take(out, source));
  return out;
}

std::size_t zeros(Bytes bytes) { return static_cast<std::size_t>(std::ranges::count(bytes, std::byte{0})); }

// Brings what a child made to its parent.
class Child {
 public:
  Child() { EXPECT_EQ(::pipe(pipe_.data()), 0); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }

  [[noreturn]] void tell(const Octets& made) {
    const bool written = ::write(pipe_[1], made.data(), made.size()) == static_cast<ssize_t>(made.size());
    ::_exit(written ? 0 : 1);
  }
  Octets told_by(pid_t child) {
    int status = 1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    Octets got(4096);
    const ssize_t size = status == 0 ? ::read(pipe_[0], got.data(), got.size()) : 0;
    got.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return got;
  }

 private:
  std::array<int, 2> pipe_{};
};

Octets in_child(const std::function<Octets()>& work, pid_t (*split)() = ::fork) {
  Child child;
  const pid_t id = split();
  if (id == 0) child.tell(work());
  return child.told_by(id);
}

// Without the handlers of pthread_atfork.
pid_t bare_fork() { return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }

TEST(RandomAhead, FetchesOnceForManyRequests) {
  RandomAhead ahead;
  Counting source;
  for (std::size_t i = 0; i < RandomAhead::room / 32; ++i) take(ahead, source, 32);
  EXPECT_EQ(source.requests, 1);
  take(ahead, source, 1);
  EXPECT_EQ(source.requests, 2);
}

TEST(RandomAhead, GivesEachByteOnce) {
  RandomAhead ahead;
  Counting source;
  std::multiset<std::byte> seen;
  for (int i = 0; i < 15; ++i) {
    for (const std::byte byte : take(ahead, source, 17)) seen.insert(byte);
  }
  ASSERT_EQ(source.requests, 1);
  EXPECT_EQ(seen.size(), std::set<std::byte>(seen.begin(), seen.end()).size());
}

TEST(RandomAhead, WipesWhatItHasHandedOut) {
  RandomAhead ahead;
  Counting source;
  take(ahead, source, 32);
  EXPECT_EQ(zeros(ahead.held()), 32U);
  take(ahead, source, 100);
  EXPECT_EQ(zeros(ahead.held()), 132U);
  ahead.wipe();
  EXPECT_EQ(zeros(ahead.held()), ahead.held().size());
  take(ahead, source, 1);
  EXPECT_EQ(source.requests, 2);
}

TEST(RandomAhead, LargeRequestsGoToTheSource) {
  RandomAhead ahead;
  Counting source;
  take(ahead, source, RandomAhead::most + 1);
  take(ahead, source, 100'000);
  EXPECT_EQ(source.requests, 2);
  EXPECT_EQ(zeros(ahead.held()), ahead.held().size());
  EXPECT_EQ(zeros(take(ahead, source, RandomAhead::most)), 0U);
  EXPECT_EQ(zeros(take(ahead, source, RandomAhead::most)), 0U);
  EXPECT_EQ(source.requests, 3);
}

TEST(RandomAhead, PassesOnThatTheSourceFailed) {
  RandomAhead ahead;
  Counting source;
  source.fails = true;
  Octets out(32);
  EXPECT_FALSE(ahead.take(out, source));
  EXPECT_FALSE(ahead.take(out, source));
  Octets large(1'000);
  EXPECT_FALSE(ahead.take(large, source));
  source.fails = false;
  EXPECT_EQ(zeros(take(ahead, source, 32)), 0U);
  source.fails = true;  // what is there is good
  EXPECT_EQ(zeros(take(ahead, source, 32)), 0U);
}

TEST(RandomAhead, AChildOfAForkHasNothingOfItsParents) {
  RandomAhead ahead;
  Counting source;
  take(ahead, source, 32);
  const auto left = [&] { return Octets(ahead.held().begin(), ahead.held().end()); };
  EXPECT_EQ(zeros(in_child(left)), RandomAhead::room);
  EXPECT_EQ(zeros(in_child(left, bare_fork)), RandomAhead::room);
  EXPECT_EQ(zeros(ahead.held()), 32U);
  const Octets fetched = in_child([&] {
    const Octets own = take(ahead, source, 32);
    return source.requests == 2 ? own : Octets();
  });
  EXPECT_EQ(fetched.size(), 32U);
  EXPECT_EQ(zeros(fetched), 0U);
}

TEST(RandomAhead, AForkWhileItFetchesLeavesNoZeros) {
  RandomAhead ahead;
  Counting source;
  Child child;
  pid_t id = -1;
  source.before_return = [&] {
    source.before_return = nullptr;
    id = ::fork();
  };
  const Octets own = take(ahead, source, 32);
  if (id == 0) child.tell(source.requests == 2 ? own : Octets());
  const Octets theirs = child.told_by(id);
  EXPECT_EQ(source.requests, 1);
  EXPECT_EQ(theirs.size(), 32U);
  EXPECT_EQ(zeros(theirs), 0U);
}

// ── In OpenSSL's hands ──────────────────────────────────────────────────────────────────────────────────────────────

Octets bytes_of(EVP_RAND_CTX* generator, std::size_t size) {
  Octets out(size);
  auto* to = reinterpret_cast<unsigned char*>(out.data());  // NOLINT: bytes are bytes
  EXPECT_EQ(EVP_RAND_generate(generator, to, out.size(), 0, 0, nullptr, 0), 1);
  return out;
}

Octets public_bytes(std::size_t size) { return bytes_of(RAND_get0_public(handshake_library()), size); }

GeneratorPtr fresh_generator() {
  const KindPtr kind(EVP_RAND_fetch(handshake_library(), random_name, nullptr));
  return GeneratorPtr(EVP_RAND_CTX_new(kind.get(), nullptr));
}

bool instantiate(const GeneratorPtr& generator, unsigned strength, const char* cipher = "AES-256-CTR") {
  std::string name = cipher;
  const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_CIPHER, name.data(), 0),
                              OSSL_PARAM_construct_end()};
  return EVP_RAND_instantiate(generator.get(), strength, 0, nullptr, 0, parameters.data()) == 1;
}

TEST(Randomness, IsWhatHandshakesGetOnBothSides) {
  for (const Side side : {Side::server, Side::client}) {
    for (EVP_RAND_CTX* one : {RAND_get0_primary(handshake_library(side)), RAND_get0_public(handshake_library(side)),
                              RAND_get0_private(handshake_library(side))}) {
      ASSERT_NE(one, nullptr);
      EXPECT_EQ(EVP_RAND_is_a(EVP_RAND_CTX_get0_rand(one), random_name), 1);
      EXPECT_EQ(EVP_RAND_get_strength(one), 256U);
      EXPECT_EQ(EVP_RAND_get_state(one), EVP_RAND_STATE_READY);
    }
  }
}

TEST(Randomness, TheDefaultContextKeepsItsOwn) {
  EXPECT_EQ(EVP_RAND_is_a(EVP_RAND_CTX_get0_rand(RAND_get0_public(nullptr)), random_name), 0);
}

// How often the default context's private generator of this thread has been seeded again, which here it is before each
// request.
unsigned requests_to_the_default_context() {
  unsigned every = 1;
  unsigned seeded = 0;
  EVP_RAND_CTX* const generator = RAND_get0_private(nullptr);
  const std::array set{OSSL_PARAM_construct_uint(OSSL_DRBG_PARAM_RESEED_REQUESTS, &every), OSSL_PARAM_construct_end()};
  std::array get{OSSL_PARAM_construct_uint(OSSL_DRBG_PARAM_RESEED_COUNTER, &seeded), OSSL_PARAM_construct_end()};
  EXPECT_EQ(EVP_RAND_CTX_set_params(generator, set.data()), 1);
  EXPECT_EQ(EVP_RAND_CTX_get_params(generator, get.data()), 1);
  return seeded;
}

void sign(OSSL_LIB_CTX* library, EVP_PKEY* key) {
  const std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  std::array<unsigned char, 80> out{};
  std::size_t size = out.size();
  EXPECT_EQ(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", library, nullptr, key, nullptr), 1);
  EXPECT_EQ(EVP_DigestSign(context.get(), out.data(), &size, out.data(), 1), 1);
}

// As a certificate's key is: read in the default context, used in that of handshakes.
TEST(Randomness, SignaturesOfHandshakesGetItToo) {
  std::thread([] {  // has generators of its own
    const KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    const unsigned before = requests_to_the_default_context();
    sign(handshake_library(), key.get());
    EXPECT_EQ(requests_to_the_default_context(), before);
    sign(nullptr, key.get());
    EXPECT_GT(requests_to_the_default_context(), before);
  })
      .join();
}

TEST(Randomness, PublicAndPrivateDoNotShare) {
  EVP_RAND_CTX* const open = RAND_get0_public(handshake_library());
  EVP_RAND_CTX* const secret = RAND_get0_private(handshake_library());
  ASSERT_NE(open, secret);
  std::set<Octets> seen;
  for (int i = 0; i < 100; ++i) {
    seen.insert(bytes_of(open, 16));
    seen.insert(bytes_of(secret, 16));
  }
  EXPECT_EQ(seen.size(), 200U);
}

TEST(Randomness, ThreadsDoNotShare) {
  std::vector<std::vector<Octets>> made(4);
  std::vector<std::thread> threads;
  threads.reserve(made.size());
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 100; ++i) mine.push_back(public_bytes(16));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<Octets> seen;
  for (const auto& theirs : made) seen.insert(theirs.begin(), theirs.end());
  EXPECT_EQ(seen.size(), 400U);
}

TEST(Randomness, ThreadsMayShareThePrimaryOne) {
  EVP_RAND_CTX* const primary = RAND_get0_primary(handshake_library());
  std::vector<Octets> made(2);
  std::vector<std::thread> threads;
  threads.reserve(made.size());
  for (Octets& mine : made) {
    threads.emplace_back([&mine, primary] {
      for (int i = 0; i < 500; ++i) mine = bytes_of(primary, 16);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_NE(made.front(), made.back());
}

TEST(Randomness, ParentAndChildDoNotShare) {
  public_bytes(16);  // something has been fetched
  const auto more = [] { return public_bytes(16); };
  const std::set<Octets> seen{in_child(more), in_child(more), in_child(more, bare_fork), more()};
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_FALSE(seen.contains(Octets(16)));
  EXPECT_FALSE(seen.contains(Octets()));
}

TEST(Randomness, TakesRequestsOfAnySize) {
  for (const std::size_t size : {std::size_t{1}, RandomAhead::most, RandomAhead::most + 1, std::size_t{200'000}}) {
    const Octets made = public_bytes(size);
    EXPECT_EQ(made.size(), size);
    // One byte is the same as another once in 256 times.
    if (size > 1) {
      EXPECT_NE(made, public_bytes(size)) << size;
    }
    if (size > 1'000) {
      EXPECT_NEAR(static_cast<double>(zeros(made)), static_cast<double>(size) / 256, 250);
    }
  }
}

TEST(Randomness, FailsWhereItsUpstreamDoes) {
  const GeneratorPtr generator = fresh_generator();
  std::array<unsigned char, 16> out{};
  const auto generate = [&](unsigned strength) {
    return EVP_RAND_generate(generator.get(), out.data(), out.size(), strength, 0, nullptr, 0);
  };
  EXPECT_EQ(EVP_RAND_get_state(generator.get()), EVP_RAND_STATE_UNINITIALISED);
  EXPECT_EQ(generate(0), 0);
  EXPECT_FALSE(instantiate(generator, 0, "no cipher"));
  EXPECT_EQ(generate(0), 0);
  EXPECT_FALSE(instantiate(generator, 512));
  EXPECT_EQ(generate(0), 0);
  EXPECT_TRUE(instantiate(generator, 256));
  EXPECT_EQ(generate(256), 1);
  EXPECT_EQ(generate(512), 0);
  EXPECT_EQ(EVP_RAND_reseed(generator.get(), 0, nullptr, 0, nullptr, 0), 1);
  EXPECT_EQ(EVP_RAND_generate(generator.get(), out.data(), out.size(), 0, 1, out.data(), out.size()), 1);
  EXPECT_EQ(EVP_RAND_uninstantiate(generator.get()), 1);
  EXPECT_EQ(generate(0), 0);
}

}  // namespace
}  // namespace fairlead::tls
