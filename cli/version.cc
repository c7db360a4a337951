// SPDX-License-Identifier: Apache-2.0
// `fairlead version`: which Fairlead this is and which libraries it runs with, for reports of errors.
#include <fairlead/version.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <boost/version.hpp>
#include <memory>
#include <string>

#include "json.h"
#include "program.h"
#include "terminal.h"

namespace fairlead::cli {
namespace {

struct Part {
  std::string_view key;
  std::string_view name;
  std::string version;
};

std::string boost_version() {
  constexpr int major = BOOST_VERSION / 100'000;
  constexpr int minor = BOOST_VERSION / 100 % 1'000;
  constexpr int patch = BOOST_VERSION % 100;
  return fmt::format("{}.{}.{}", major, minor, patch);
}

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

// OpenSSL and zlib are asked at run time: a distribution updates them without building this program again.
std::array<Part, 5> parts() {
  return {{{"fairlead", "fairlead", std::string(fairlead::version())},
           {"openssl", "OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)},
           {"zlib", "zlib", zlibVersion()},
           {"boost", "Boost", boost_version()},
           {"compiler", "compiler", compiler()}}};
}

std::string as_json() {
  JsonWriter json;
  json.open('{');
  for (const Part& part : parts()) json.member(part.key, part.version);
  return json.close('}').text() + "\n";
}

std::string as_lines() {
  std::string out;
  for (const Part& part : parts()) out += fmt::format("{} {}\n", part.name, part.version);
  return out;
}

}  // namespace

void add_version(Program& program) {
  auto json = std::make_shared<bool>(false);
  const Verb verb = program.verb("version", "Print the versions of the program and of its libraries",
                                 {.examples = {{"fairlead version --json", "the same for a program to read"}}});
  verb.flag("--json", *json, "Print a JSON object");
  program.run(verb,
              [json] { return print_text(*json ? as_json() : as_lines()) ? ExitStatus::ok : ExitStatus::local_io; });
}

}  // namespace fairlead::cli
