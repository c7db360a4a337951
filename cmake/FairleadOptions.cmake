# SPDX-License-Identifier: Apache-2.0
# The flags that every translation unit of the project is compiled with, and the reason of those that surprise.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(FAIRLEAD_LTO "Optimise the whole program when it is linked (g++ only)" OFF)
option(FAIRLEAD_HARDENED "Stack protector, fortified libc calls, read-only relocations" OFF)
option(FAIRLEAD_COVERAGE "Instrument for a coverage report (clang only)" OFF)
set(FAIRLEAD_SANITIZER "" CACHE STRING "Value for -fsanitize=, empty for none")
set(FAIRLEAD_LINKER "" CACHE STRING "Value for -fuse-ld=, empty for the compiler's own choice")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")
# -g1: backtraces with lines, at half the time and a tenth of the disk of -g.
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1 -D_GLIBCXX_ASSERTIONS")
# Not optimised either: compiling takes half the time, which the tests, a minute longer, do not take back. Only fuzzing lives
# from speed.
set(FAIRLEAD_SANITIZED_LEVEL "-O0" CACHE STRING "How far the build type Sanitize is optimised")
set(CMAKE_CXX_FLAGS_SANITIZE "${FAIRLEAD_SANITIZED_LEVEL} -g1 -fno-omit-frame-pointer -fno-optimize-sibling-calls -D_GLIBCXX_ASSERTIONS")

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(FAIRLEAD_CCACHE ccache)
  if(FAIRLEAD_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${FAIRLEAD_CCACHE})
  endif()
endif()

add_library(fairlead_flags INTERFACE)
target_compile_options(fairlead_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105651: assigning a literal to a std::string is taken for overlapping memory when it is optimised.
  target_compile_options(fairlead_flags INTERFACE -Wno-restrict)
endif()
# Objects and messages do not depend on where the tree lies (and so hit ccache from another clone).
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)

if(FAIRLEAD_LINKER)
  add_link_options(-fuse-ld=${FAIRLEAD_LINKER})
endif()

if(FAIRLEAD_SANITIZER)
  add_compile_options(-fsanitize=${FAIRLEAD_SANITIZER} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FAIRLEAD_SANITIZER})
endif()

if(FAIRLEAD_BUILD_FUZZERS)
  # Coverage feedback in every folder; only the fuzz targets themselves get libFuzzer's main().
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(FAIRLEAD_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

if(FAIRLEAD_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Fat objects hold bytecode and machine code: the command line is optimised as a whole, examples link fast without
  # that, and the installed archive has its bytecode removed, so that any compiler can link it.
  add_compile_options(-flto=auto -ffat-lto-objects)
  set(FAIRLEAD_SLIM_LTO -fno-fat-lto-objects)  # for what is only ever linked with -flto
  set(FAIRLEAD_LTO_LINK -flto=auto)
  set(FAIRLEAD_NO_LTO_LINK -fno-lto)
endif()

if(FAIRLEAD_HARDENED)
  # _GLIBCXX_ASSERTIONS stays out of release builds: it checks every element access in loops over bytes (masking, UTF-8).
  # The bounds are covered by our own always-on assertions at the cursors, and by debug and sanitizer builds, which
  # have it on.
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
                      -fno-plt -fno-semantic-interposition)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    add_compile_options(-fcf-protection=full)
  endif()
  add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

# Position-independent executables.
cmake_policy(SET CMP0083 NEW)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

# Builds with clang parse the headers of the standard library and of GoogleTest once. The others, with g++, show whether a
# source includes what it uses. It stands last: a precompiled header fits sources with the same flags alone.
option(FAIRLEAD_PRECOMPILE "Precompile the headers of the standard library (clang only)" OFF)
if(FAIRLEAD_PRECOMPILE AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "FAIRLEAD_PRECOMPILE is for clang alone")
endif()
if(FAIRLEAD_PRECOMPILE)
  add_compile_options(-pthread "SHELL:-Xclang -fno-pch-timestamp")
  # One for what is linked into something, one for programs.
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/empty.cc CONTENT "")
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/empty_program.cc CONTENT "int main() {}\n")
  set(fairlead_standard_headers
      <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <cstring> <deque> <expected> <filesystem>
      <functional> <map> <memory> <mutex> <optional> <random> <set> <span> <string> <string_view> <thread>
      <unordered_map> <utility> <variant> <vector>)
  add_library(fairlead_precompiled STATIC ${PROJECT_BINARY_DIR}/empty.cc)
  target_precompile_headers(fairlead_precompiled PRIVATE ${fairlead_standard_headers})
  if(FAIRLEAD_BUILD_TESTS)
    find_package(GTest REQUIRED)
    add_executable(fairlead_precompiled_test ${PROJECT_BINARY_DIR}/empty_program.cc)
    target_link_libraries(fairlead_precompiled_test PRIVATE GTest::gmock)
    target_precompile_headers(fairlead_precompiled_test PRIVATE ${fairlead_standard_headers} <gmock/gmock.h> <gtest/gtest.h>)
  endif()
endif()
# fairlead_precompile(TARGET fairlead_precompiled | fairlead_precompiled_test)
function(fairlead_precompile target from)
  if(FAIRLEAD_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()
