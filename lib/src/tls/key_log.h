// SPDX-License-Identifier: Apache-2.0
// The NSS key log, for looking into one's own traffic with Wireshark. Only ever on when an option names a file.
#pragma once

#include <fairlead/error.h>

#include <memory>
#include <string>

namespace fairlead::tls {

// Appends lines; each is one write, so that several loops and processes may share the file.
class KeyLog {
 public:
  [[nodiscard]] static Result<std::unique_ptr<KeyLog>> open(const std::string& path);
  KeyLog(const KeyLog&) = delete;
  KeyLog& operator=(const KeyLog&) = delete;
  ~KeyLog();

  void append(const char* line) const;

 private:
  explicit KeyLog(int file) : file_(file) {}
  int file_;
};

}  // namespace fairlead::tls
