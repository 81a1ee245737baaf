# Compiles manifests (YAML beside the sources) into a library, so that the driver knows every key without files.
#
#   qbitopt_embed_manifests(qbitopt_driver)
#
# takes every *.yaml below src/qbitopt and src/baselines; the next build picks up a new one and drops one that is gone.
function(qbitopt_embed_manifests target)
  file(GLOB_RECURSE manifests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/qbitopt/*.yaml
       ${PROJECT_SOURCE_DIR}/src/baselines/*.yaml)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/builtin_manifests.cpp)
  # Changes when a file comes or goes: of one that is gone the dependencies alone would tell nothing.
  set(list ${CMAKE_CURRENT_BINARY_DIR}/builtin_manifests.txt)
  file(CONFIGURE OUTPUT ${list} CONTENT "${manifests}" @ONLY)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${generated} -DROOT=${PROJECT_SOURCE_DIR}/src
            -P ${PROJECT_SOURCE_DIR}/cmake/write_manifests.cmake
    DEPENDS ${manifests} ${list} ${PROJECT_SOURCE_DIR}/cmake/write_manifests.cmake
    COMMENT "Embedding the manifests" VERBATIM)
  # The library belongs to another folder than this command, so it waits for a target.
  add_custom_target(${target}_manifests DEPENDS ${generated})
  add_dependencies(${target} ${target}_manifests)
  target_sources(${target} PRIVATE ${generated})
endfunction()
