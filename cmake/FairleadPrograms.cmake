# SPDX-License-Identifier: Apache-2.0
# Whether linking a program optimises it as a whole: what is installed or measured does; examples link in a second
# instead. Decided here, once, whatever the CMakeLists.txt of the part says.
foreach(part IN ITEMS cli examples bench)
  if(NOT fairlead_parts_${part} OR NOT EXISTS ${PROJECT_SOURCE_DIR}/${part}/CMakeLists.txt)
    continue()
  endif()
  get_property(targets DIRECTORY ${PROJECT_SOURCE_DIR}/${part} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL EXECUTABLE AND part STREQUAL examples)
      target_link_options(${target} PRIVATE ${FAIRLEAD_NO_LTO_LINK})
    elseif(type STREQUAL EXECUTABLE)
      target_link_options(${target} PRIVATE ${FAIRLEAD_LTO_LINK})
    endif()
  endforeach()
endforeach()
