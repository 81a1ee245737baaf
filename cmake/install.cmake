# `make install`: programs, libraries, headers, recipes and sweeps, and a CMake package (find_package(qbitopt)).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/qbitopt)

# Installed programs find the libraries beside them, and the others where they were found (CMake leaves out what lies in
# the source folder, as .venv does).
set(programs qbitopt_cli)
if(TARGET qbitopt_worker)
  list(APPEND programs qbitopt_worker)
endif()
set_target_properties(qbitopt_base qbitopt ${programs} PROPERTIES
  INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR};${TORCH_INSTALL_PREFIX}/lib" INSTALL_RPATH_USE_LINK_PATH ON)

install(TARGETS qbitopt_base qbitopt EXPORT qbitopt FILE_SET HEADERS)
install(TARGETS ${programs})
install(EXPORT qbitopt NAMESPACE qbitopt:: DESTINATION ${package_folder} FILE qbitoptTargets.cmake)
# The program finds them from any folder (src/qbitopt/core/shipped_files.h). Figures are part of the program.
# `results` has folders of runs, too, which stay.
install(DIRECTORY experiments sweeps DESTINATION share/qbitopt FILES_MATCHING PATTERN "*.yaml")
install(DIRECTORY results/queries DESTINATION share/qbitopt/results FILES_MATCHING PATTERN "*.sql")
file(GLOB results CONFIGURE_DEPENDS results/*.yaml results/published.csv)
install(FILES ${results} DESTINATION share/qbitopt/results)

configure_package_config_file(cmake/qbitoptConfig.cmake.in ${PROJECT_BINARY_DIR}/qbitoptConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/qbitoptConfigVersion.cmake COMPATIBILITY ExactVersion)
install(FILES ${PROJECT_BINARY_DIR}/qbitoptConfig.cmake ${PROJECT_BINARY_DIR}/qbitoptConfigVersion.cmake
  cmake/torch.cmake cmake/torch_checks.cmake cmake/baselines.cmake cmake/plugin.map cmake/write_stamp.cmake
  DESTINATION ${package_folder})
