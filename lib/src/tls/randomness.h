// SPDX-License-Identifier: Apache-2.0
// Random bytes of handshakes, in the form in which OpenSSL asks a provider for a generator. They come from a generator
// of OpenSSL's own, some hundred at a time: each request to that one asks the system whether the process has forked,
// and changes keys twice, and a handshake makes five requests for a few bytes each.
#pragma once

#include <openssl/core.h>

#include <fairlead/bytes.h>

#include <cstddef>

namespace fairlead::tls {

class RandomSource {
 public:
  [[nodiscard]] virtual bool fill(MutableBytes out) = 0;

 protected:
  ~RandomSource() = default;
};

// Bytes of a source, fetched ahead of their use. Those that are handed out are wiped from here at once, and a child of
// a fork has none: it finds the page wiped by the system, however it was made (MADV_WIPEONFORK), and fetches its own.
// Where the system has no such pages nothing is fetched ahead. Not thread-safe.
class RandomAhead {
 public:
  static constexpr std::size_t room = 512;
  static constexpr std::size_t most = room / 2;  // of a request; what is larger comes from the source

  RandomAhead() noexcept;
  RandomAhead(const RandomAhead&) = delete;
  RandomAhead& operator=(const RandomAhead&) = delete;
  ~RandomAhead();

  // False when the source has failed: then `out` is not random.
  [[nodiscard]] bool take(MutableBytes out, RandomSource& source);
  void wipe() noexcept;
  [[nodiscard]] Bytes held() const noexcept;  // all of the room, wiped or not; for tests

 private:
  struct Page;
  bool fetch(RandomSource& source);
  void hand_out(MutableBytes out, std::size_t left) noexcept;

  Page* page_ = nullptr;  // not to be had
};

// A generator that reads ahead of one of OpenSSL's (CTR-DRBG, a child of the default context's primary one, which seeds
// it and seeds it again). OpenSSL makes a public and a private one for each thread, so those stay apart, and in the one
// that it shares among threads it has the lock enabled.
inline constexpr const char* random_name = "FAIRLEAD-AHEAD";
extern const OSSL_DISPATCH random_functions[];  // NOLINT: OpenSSL's form

}  // namespace fairlead::tls
