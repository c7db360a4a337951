// SPDX-License-Identifier: Apache-2.0
// Sentences for errors out of parts (the compilers at hand have no std::format).
#pragma once

#include <string>
#include <string_view>

namespace fairlead::tls {

template <class... Part>
[[nodiscard]] std::string concat(const Part&... parts) {
  std::string text;
  (text.append(std::string_view(parts)), ...);
  return text;
}

}  // namespace fairlead::tls
