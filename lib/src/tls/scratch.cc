// SPDX-License-Identifier: Apache-2.0
// OpenSSL's way to the scratch: a BIO that takes ciphertext from the active engine's span and appends records to the
// shared output. One BIO serves all engines of a loop, so a connection has none of its own.
#include "tls/scratch.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "tls/openssl_engine.h"

namespace fairlead::tls {
namespace {

Scratch& scratch_of(BIO* bio) { return *static_cast<Scratch*>(BIO_get_data(bio)); }

int read_ciphertext(BIO* bio, char* out, std::size_t wanted, std::size_t* taken) {
  Scratch& scratch = scratch_of(bio);
  Bytes& unread = scratch.unread;
  *taken = std::min(wanted, unread.size());
  scratch.starved = *taken == 0;
  BIO_clear_retry_flags(bio);
  if (scratch.starved) {
    BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(out, unread.data(), *taken);
  unread = unread.subspan(*taken);
  return 1;
}

int write_ciphertext(BIO* bio, const char* in, std::size_t size, std::size_t* written) {
  Scratch& scratch = scratch_of(bio);
  // The driver drains one engine's output before it calls another engine.
  FAIRLEAD_ASSERT(scratch.cipher.empty() || scratch.writer == scratch.active);
  scratch.writer = scratch.active;
  scratch.starved = false;
  scratch.cipher.append(Bytes(reinterpret_cast<const std::byte*>(in), size));  // NOLINT: bytes are bytes
  *written = size;
  return 1;
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;  // nothing else is asked of a pipe that never blocks
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fairlead scratch");
  FAIRLEAD_ASSERT(method != nullptr);
  BIO_meth_set_read_ex(method, read_ciphertext);
  BIO_meth_set_write_ex(method, write_ciphertext);
  BIO_meth_set_ctrl(method, control);
  return method;
}

const BIO_METHOD* scratch_method() {
  static const BIO_METHOD* const method = make_method();  // for the life of the process: BIOs refer to it
  return method;
}

}  // namespace

Scratch::Scratch(std::size_t plain_bytes)
    : plain_storage(std::make_unique_for_overwrite<std::byte[]>(plain_bytes)),  // NOLINT(modernize-avoid-c-arrays)
      plain_capacity(plain_bytes),
      bio(BIO_new(scratch_method())) {
  FAIRLEAD_ASSERT(bio != nullptr && plain_bytes > 0);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
}

Scratch::~Scratch() { BIO_free(bio); }

void Scratch::consume(std::size_t bytes) {
  cipher.consume(bytes);
  if (!cipher.empty()) return;
  writer = nullptr;
  if (cipher.capacity() > cipher_scratch_keep_bytes) cipher.release_if_empty();
}

}  // namespace fairlead::tls
