# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts into a prefix for programmers: one archive, the public headers, find_package(Fairlead) and
# pkg-config. The program, its manual pages and its completion are installed by cli/.
include(CMakePackageConfigHelpers)

# How a project outside finds what the archive needs: item of LINK | lines of FairleadConfig.cmake | pkg-config | -l.
# An item without a row is an error here rather than in somebody else's build.
set(fairlead_config_Threads__Threads "find_dependency(Threads)")
set(fairlead_libs_Threads__Threads "-pthread")
set(fairlead_config_OpenSSL__SSL "find_dependency(OpenSSL 3.0)")
set(fairlead_requires_OpenSSL__SSL "openssl >= 3.0")
set(fairlead_config_OpenSSL__Crypto "find_dependency(OpenSSL 3.0)")
set(fairlead_requires_OpenSSL__Crypto "openssl >= 3.0")
set(fairlead_config_IPSecMB__IPSecMB "include(\${CMAKE_CURRENT_LIST_DIR}/FindIPSecMB.cmake)")
set(fairlead_libs_IPSecMB__IPSecMB "-lIPSec_MB")
set(fairlead_config_ZLIB__ZLIB "find_dependency(ZLIB)")
set(fairlead_requires_ZLIB__ZLIB "zlib")
set(fairlead_config_PkgConfig__CARES
    "find_dependency(PkgConfig)\npkg_check_modules(CARES REQUIRED IMPORTED_TARGET GLOBAL libcares)")
set(fairlead_requires_PkgConfig__CARES "libcares")
set(fairlead_config_PkgConfig__SODIUM
    "find_dependency(PkgConfig)\npkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET GLOBAL libsodium)")
set(fairlead_requires_PkgConfig__SODIUM "libsodium")
set(fairlead_config_PkgConfig__URING
    "find_dependency(PkgConfig)\npkg_check_modules(URING REQUIRED IMPORTED_TARGET GLOBAL liburing)")
set(fairlead_requires_PkgConfig__URING "liburing")
set(fairlead_config_Boost__headers "find_dependency(Boost 1.81 CONFIG)")
set(fairlead_libs_Boost__headers "")
set(fairlead_config_Boost__url "find_dependency(Boost 1.81 CONFIG COMPONENTS url)")
set(fairlead_libs_Boost__url "-lboost_url")

set(FAIRLEAD_FIND_DEPENDENCIES "")
set(FAIRLEAD_PKGCONFIG_REQUIRES "")
set(FAIRLEAD_PKGCONFIG_LIBS "")
foreach(link IN LISTS FAIRLEAD_LINKS)
  string(REPLACE "::" "__" item ${link})
  if(NOT DEFINED fairlead_config_${item})
    message(FATAL_ERROR "cmake/FairleadInstall.cmake has no row for ${link}")
  endif()
  list(APPEND FAIRLEAD_FIND_DEPENDENCIES "${fairlead_config_${item}}")
  list(APPEND FAIRLEAD_PKGCONFIG_REQUIRES ${fairlead_requires_${item}})
  list(APPEND FAIRLEAD_PKGCONFIG_LIBS ${fairlead_libs_${item}})
endforeach()
list(REMOVE_DUPLICATES FAIRLEAD_FIND_DEPENDENCIES)
list(REMOVE_DUPLICATES FAIRLEAD_PKGCONFIG_REQUIRES)
list(JOIN FAIRLEAD_FIND_DEPENDENCIES "\n" FAIRLEAD_FIND_DEPENDENCIES)
list(JOIN FAIRLEAD_PKGCONFIG_REQUIRES ", " FAIRLEAD_PKGCONFIG_REQUIRES)
list(JOIN FAIRLEAD_PKGCONFIG_LIBS " " FAIRLEAD_PKGCONFIG_LIBS)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Fairlead)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/FairleadConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/FairleadConfig.cmake INSTALL_DESTINATION ${package_dir})
# Until 1.0 a minor version may change the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/FairleadConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
# Relative, so that the prefix may be chosen at install time and the tree moved afterwards.
file(RELATIVE_PATH FAIRLEAD_PKGCONFIG_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/fairlead.pc.in ${PROJECT_BINARY_DIR}/package/fairlead.pc @ONLY)

install(TARGETS fairlead_library EXPORT FairleadTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT FairleadTargets NAMESPACE Fairlead:: DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/package/FairleadConfig.cmake
              ${PROJECT_BINARY_DIR}/package/FairleadConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/FindIPSecMB.cmake DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/package/fairlead.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/lib/include/fairlead DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")

if(FAIRLEAD_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Bytecode is understood by the very compiler that wrote it alone; the machine code beside it is for everybody.
  install(CODE "
    execute_process(COMMAND \"${CMAKE_OBJCOPY}\" -R .gnu.lto_* -R .gnu.debuglto_* -N __gnu_lto_slim -N __gnu_lto_v1
      \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/libfairlead.a\" COMMAND_ERROR_IS_FATAL ANY)")
endif()
