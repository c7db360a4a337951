// SPDX-License-Identifier: Apache-2.0
// `fairlead cert show`: certificates of a file or of a server, for people and for programs.
#pragma once

#include <string>

#include "exit_status.h"

namespace fairlead::cli {

struct CertShowOptions {
  std::string what;
  std::string ca;
  std::string server_name;
  bool json = false;
};

// 0 also when there are warnings; another status when the file cannot be read, the server not be reached, or its
// certificate is rejected.
[[nodiscard]] ExitStatus cert_show(const CertShowOptions& options);

}  // namespace fairlead::cli
