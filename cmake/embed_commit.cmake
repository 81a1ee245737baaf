# Gives a target the file worker/commit.h declares: the checkout's commit, looked up at every build and written only when
# it has changed.
function(qbitopt_embed_commit target)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/commit.cpp)
  add_custom_target(${target}_commit BYPRODUCTS ${generated}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${generated} -DROOT=${PROJECT_SOURCE_DIR}
            -P ${PROJECT_SOURCE_DIR}/cmake/write_commit.cmake
    COMMENT "Looking up the commit" VERBATIM)
  add_dependencies(${target} ${target}_commit)
  target_sources(${target} PRIVATE ${generated})
  set_source_files_properties(${generated} PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
