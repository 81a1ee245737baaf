# protozero, headers alone: it brings no CMake package. Gives the target protozero::protozero.
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_builder.hpp)
mark_as_advanced(PROTOZERO_INCLUDE_DIR)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(protozero DEFAULT_MSG PROTOZERO_INCLUDE_DIR)
if(protozero_FOUND AND NOT TARGET protozero::protozero)
  add_library(protozero::protozero INTERFACE IMPORTED)
  target_include_directories(protozero::protozero SYSTEM INTERFACE ${PROTOZERO_INCLUDE_DIR})
endif()
