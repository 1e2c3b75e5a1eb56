# Lets this package build against ROS 2 installed from PyPI; does nothing on an apt ROS 2.
#
# 1. pip's prefix is not on AMENT_PREFIX_PATH, so the ament index would be empty.
find_package(ament_cmake_core REQUIRED)
get_filename_component(_pip_prefix "${ament_cmake_core_DIR}/../../.." ABSOLUTE)
set(ENV{AMENT_PREFIX_PATH} "${_pip_prefix}:$ENV{AMENT_PREFIX_PATH}")

# 2. The wheels' exported targets name include folders of the machine that built the wheels; CMake refuses a
#    target whose include folder does not exist, so those are dropped once all targets are known.
function(_drop_missing_includes)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    if(target MATCHES "__rosidl_generator_py$")
      get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
      set(present "")
      foreach(folder IN LISTS folders)
        if(EXISTS "${folder}")
          list(APPEND present "${folder}")
        endif()
      endforeach()
      set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${present}")
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL _drop_missing_includes)
