// SPDX-License-Identifier: Apache-2.0
// What an exception of the application is to us: an error that is told and counted, and never the end of a loop.
#pragma once

#include "net/log_text.h"

#include <fairlead/error.h>

#include <cxxabi.h>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>

namespace fairlead::net {

// What an exception says of itself may hold anything, such as what a peer has sent: the application gets it, and a log
// only where it was asked for.
struct Thrown {
  Error error;
  Error without_its_words;
  [[nodiscard]] const Error& for_log(bool with_its_words) const noexcept {
    return with_its_words ? error : without_its_words;
  }
};

// "std::runtime_error": of the exception that is being handled.
inline std::string name_of_thrown_type() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "an exception";
  const std::unique_ptr<char, decltype(&std::free)> readable(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, nullptr), &std::free);
  return readable != nullptr ? readable.get() : type->name();
}

// The exception that is being handled, whatever its type; only inside a catch block. `who` threw it: "a handler".
[[nodiscard]] inline Thrown thrown_by(std::string_view who) {
  std::string detail = std::string(who) + " threw ";
  append_logged(detail, name_of_thrown_type());
  const Error without_its_words{Errc::system, detail};
  try {
    throw;
  } catch (const std::exception& thrown) {
    append_logged(detail.append(": "), thrown.what());
  } catch (...) {  // it says nothing of itself
  }
  return {{Errc::system, detail}, without_its_words};
}

}  // namespace fairlead::net
