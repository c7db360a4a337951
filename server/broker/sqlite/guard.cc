// SPDX-License-Identifier: Apache-2.0
#include "broker/sqlite/guard.h"

#include "broker/sqlite/sealed.h"

#include <array>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace fairlead::server::sqlite {

namespace {
constexpr std::size_t witness_bytes = 24;
}

void Guard::unlock() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

Outcome<void> Guard::lock(const std::string& database_path) {
  const std::string path = database_path + "-guard";
  unlock();
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ < 0) return std::unexpected(Fault{FaultKind::unavailable, path + " cannot be opened for writing"});
  if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return {};
  return std::unexpected(Fault{FaultKind::unavailable, database_path + " is in use by another process"});
}

std::optional<Guard::Witness> Guard::read() const {
  std::array<char, witness_bytes> bytes{};
  if (::pread(file_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return std::nullopt;
  Unsealer sealed("guard");
  if (!sealed.open({bytes.data(), bytes.size()})) return std::nullopt;
  Witness witness;
  witness.identity = sealed.number();
  witness.transactions = sealed.number();
  return witness;
}

void Guard::write(const Witness& witness) const {
  const std::string body = Sealer("guard").add(witness.identity).add(witness.transactions).body();
  // Without room for it the next start knows less; what was acknowledged stays.
  if (::pwrite(file_, body.data(), body.size(), 0) < 0) return;
}

}  // namespace fairlead::server::sqlite
