// SPDX-License-Identifier: Apache-2.0
#include "io/transfer.h"

#include <sys/socket.h>

#include <cerrno>

namespace fairlead::io {
namespace {

// Once more when a signal came in between.
ssize_t asked(auto&& call) noexcept {
  ssize_t result = 0;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : result;
}

}  // namespace

Transferred outcome(ssize_t result) noexcept {
  if (result > 0) return {Transfer::some, static_cast<std::size_t>(result), 0};
  if (result == 0) return {Transfer::ended, 0, 0};
  if (result == -EAGAIN || result == -EWOULDBLOCK) return {Transfer::would_block, 0, 0};
  return {Transfer::failed, 0, static_cast<int>(-result)};
}

Transferred receive(int descriptor, MutableBytes into) noexcept {
  return outcome(asked([&] { return ::recv(descriptor, into.data(), into.size(), 0); }));
}

Transferred send(int descriptor, Bytes from, More more) noexcept {
  return outcome(asked([&] { return ::send(descriptor, from.data(), from.size(), send_flags(more)); }));
}

int send_flags(More more) noexcept { return MSG_NOSIGNAL | (more == More::follows ? MSG_MORE : 0); }

}  // namespace fairlead::io
