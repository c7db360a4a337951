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
# -O1: the tests run several times faster than at -O0 and the stacks are still true.
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer -fno-optimize-sibling-calls -D_GLIBCXX_ASSERTIONS")

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
