// SPDX-License-Identifier: Apache-2.0
// Shows that the check can fail: seals a buffer with AES-128-GCM and sends it, one byte of which nobody wrote when an
// argument is given. If valgrind says nothing then, what it says of the real program is worth nothing either.
#include <openssl/evp.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t size = 40;

bool seal(const unsigned char* plain, unsigned char* sealed) {
  const std::array<unsigned char, 16> key{};
  const std::array<unsigned char, 12> nonce{};
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int written = 0;
  const bool done = EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, key.data(), nonce.data()) == 1 &&
                    EVP_EncryptUpdate(context, sealed, &written, plain, static_cast<int>(size)) == 1;
  EVP_CIPHER_CTX_free(context);
  return done;
}

}  // namespace

int main(int argc, char**) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) return 2;
  auto* plain = static_cast<unsigned char*>(std::malloc(size));  // NOLINT: memory that nobody has written
  if (plain == nullptr) return 2;
  std::memset(plain, 'x', argc > 1 ? size - 1 : size);
  std::array<unsigned char, size> sealed{};
  const bool done = seal(plain, sealed.data()) && send(ends[0], sealed.data(), size, 0) == static_cast<ssize_t>(size);
  std::free(plain);  // NOLINT
  return done ? 0 : 2;
}
