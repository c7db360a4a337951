// SPDX-License-Identifier: Apache-2.0
// What an exception of the application is to us: an error that is told and counted, and never the end of a loop.
#pragma once

#include "net/log_text.h"

#include <fairlead/error.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::net {

// The exception that is being handled, whatever its type; only inside a catch block. `who` threw it: "a handler".
[[nodiscard]] inline Error thrown_by(std::string_view who) {
  std::string detail = std::string(who) + " threw";
  try {
    throw;
  } catch (const std::exception& thrown) {
    append_logged(detail.append(": "), thrown.what());
  } catch (...) {  // it says nothing of itself
  }
  return {Errc::system, std::move(detail)};
}

}  // namespace fairlead::net
