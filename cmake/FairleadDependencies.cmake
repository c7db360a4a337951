# SPDX-License-Identifier: Apache-2.0
# Every library that the folders may link, found once, by the names under which LINK lists them. A new one also goes
# into FairleadConfig.cmake.in (and into tools/dev/packages.sh by its Debian name).
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
set(Boost_NO_WARN_NEW_VERSIONS ON)

find_package(Threads REQUIRED)                              # Threads::Threads
find_package(OpenSSL 3.0 REQUIRED)                          # OpenSSL::SSL OpenSSL::Crypto
find_package(ZLIB REQUIRED)                                 # ZLIB::ZLIB
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS url)     # Boost::headers Boost::url
find_package(PkgConfig REQUIRED)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET GLOBAL libcares)       # PkgConfig::CARES
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET GLOBAL libsodium)     # PkgConfig::SODIUM
pkg_check_modules(URING REQUIRED IMPORTED_TARGET GLOBAL liburing)       # PkgConfig::URING

# AES-GCM by Intel's multi-buffer library, on the machines that it is for; elsewhere OpenSSL's does it.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  include(${CMAKE_CURRENT_LIST_DIR}/FindIPSecMB.cmake)          # IPSecMB::IPSecMB
endif()
