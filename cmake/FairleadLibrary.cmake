# SPDX-License-Identifier: Apache-2.0
# One static library, libfairlead, out of the objects of every folder: what is installed and what a program outside of
# lib/ links. The folder targets stay for the unit tests, which link no more than they need.
get_property(folders GLOBAL PROPERTY FAIRLEAD_FOLDERS)
get_property(FAIRLEAD_LINKS GLOBAL PROPERTY FAIRLEAD_LINK)
list(REMOVE_DUPLICATES FAIRLEAD_LINKS)

set(objects "")
foreach(folder IN LISTS folders)
  list(APPEND objects $<TARGET_OBJECTS:${folder}>)
endforeach()

add_library(fairlead_library STATIC ${objects})
add_library(Fairlead::fairlead ALIAS fairlead_library)
set_target_properties(fairlead_library PROPERTIES
  OUTPUT_NAME fairlead
  EXPORT_NAME fairlead
  LINKER_LANGUAGE CXX
  ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
target_compile_features(fairlead_library INTERFACE cxx_std_23)
target_include_directories(fairlead_library INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/lib/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(fairlead_library PUBLIC ${FAIRLEAD_LINKS})
