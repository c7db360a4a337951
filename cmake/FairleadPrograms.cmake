# SPDX-License-Identifier: Apache-2.0
# What all programs of one part have in common, whatever its CMakeLists.txt says: where they go, and whether linking them
# optimises the whole program (what is measured or installed does; examples and tests link in a second instead).
function(fairlead_programs_of part result)
  set(programs "")
  if(fairlead_parts_${part} AND EXISTS ${PROJECT_SOURCE_DIR}/${part}/CMakeLists.txt)
    get_property(targets DIRECTORY ${PROJECT_SOURCE_DIR}/${part} PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
      get_target_property(type ${target} TYPE)
      if(type STREQUAL EXECUTABLE)
        list(APPEND programs ${target})
      endif()
    endforeach()
  endif()
  set(${result} "${programs}" PARENT_SCOPE)
endfunction()

set(FAIRLEAD_PROGRAMS "")  # to be installed
foreach(part IN ITEMS cli examples bench)
  fairlead_programs_of(${part} programs)
  foreach(program IN LISTS programs)
    if(part STREQUAL examples)
      target_link_options(${program} PRIVATE ${FAIRLEAD_NO_LTO_LINK})
    else()
      target_link_options(${program} PRIVATE ${FAIRLEAD_LTO_LINK})
    endif()
    if(part STREQUAL cli AND NOT program MATCHES "_test$")
      # Other tools rely on build/release/fairlead.
      set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
      list(APPEND FAIRLEAD_PROGRAMS ${program})
    endif()
  endforeach()
endforeach()
