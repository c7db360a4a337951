// SPDX-License-Identifier: Apache-2.0
#include "tls/key_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "tls/concat.h"

namespace fairlead::tls {

Result<std::unique_ptr<KeyLog>> KeyLog::open(const std::string& path) {
  constexpr mode_t owner_only = 0600;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, owner_only);
  if (file < 0) {
    return fail(Errc::tls_configuration,
                concat("cannot open the key log ", path, ": ", std::generic_category().message(errno)));
  }
  return std::unique_ptr<KeyLog>(new KeyLog(file));
}

KeyLog::~KeyLog() { ::close(file_); }

void KeyLog::append(const char* line) const {
  const std::string text = concat(line, "\n");
  // A full disk costs the log its line, never the connection.
  [[maybe_unused]] const ssize_t written = ::write(file_, text.data(), text.size());
}

}  // namespace fairlead::tls
