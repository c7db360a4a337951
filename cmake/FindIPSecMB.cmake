# SPDX-License-Identifier: Apache-2.0
# IPSecMB::IPSecMB, which comes with neither pkg-config nor CMake files of its own.
if(NOT TARGET IPSecMB::IPSecMB)
  find_library(IPSecMB_LIBRARY IPSec_MB REQUIRED)
  find_path(IPSecMB_INCLUDE_DIR intel-ipsec-mb.h REQUIRED)
  add_library(IPSecMB::IPSecMB UNKNOWN IMPORTED)
  set_target_properties(IPSecMB::IPSecMB PROPERTIES IMPORTED_GLOBAL ON
    IMPORTED_LOCATION ${IPSecMB_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${IPSecMB_INCLUDE_DIR})
endif()
