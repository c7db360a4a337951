// SPDX-License-Identifier: Apache-2.0
// The configuration that applies when none was given: everything on, for the machine of whoever develops with it, with
// secrets that are made anew at each start.
#pragma once

#include <string>

namespace fairlead::server {

struct DevelopmentConfiguration {
  std::string toml;
  std::string token_secret, api_key, admin_password;  // printed once
};
[[nodiscard]] DevelopmentConfiguration development_configuration();

// 256 bits of the system's entropy, in hexadecimal.
[[nodiscard]] std::string random_secret();

}  // namespace fairlead::server
