# Methods as plugins, in qbitopt's own tree and in projects that find_package(qbitopt).
#
#   qbitopt_add_baseline(dq dq.cpp quantizer.cpp)
#
# builds dq.so out of sources that say QBITOPT_PLUGIN (qbitopt/plugin/plugin.h) and puts manifest.yaml, which lies beside
# them, next to it as dq.yaml: into CMAKE_LIBRARY_OUTPUT_DIRECTORY, or where the project is built. Name that place in
# QBITOPT_PLUGIN_PATH, or the file in a sweep (`plugin: build/dq.so`); installing puts both into lib/qbitopt/baselines, where
# they are found without being named.

function(qbitopt_add_baseline name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" DEFINE_SYMBOL "")
  target_link_libraries(${name} PRIVATE qbitopt::qbitopt)
  # Nothing but the entry is visible, so that two plugins never clash; whatever is missing is told here, not in a sweep.
  target_link_options(${name} PRIVATE -Wl,-z,defs
    -Wl,--version-script=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  qbitopt_stamp(${name})

  set(folder ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
  if(NOT folder)
    set(folder ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  configure_file(manifest.yaml ${folder}/${name}.yaml COPYONLY)
  install(TARGETS ${name} LIBRARY DESTINATION lib/qbitopt/baselines)
  install(FILES manifest.yaml DESTINATION lib/qbitopt/baselines RENAME ${name}.yaml)
endfunction()

# Compiles a stamp into a target: qbitopt's version and a hash of all its headers, LibTorch, compiler (stamp_text.h). The
# library and its plugins must agree on it, as one changed header is enough to make a plugin crash.
function(qbitopt_stamp target)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${target}_stamp.cpp)
  set(script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/write_stamp.cmake)
  get_target_property(version qbitopt::qbitopt QBITOPT_VERSION)
  set(headers)
  set(folders)
  foreach(library qbitopt::qbitopt_base qbitopt::qbitopt)
    get_target_property(more ${library} HEADER_SET)
    list(APPEND headers ${more})
    get_target_property(more ${library} HEADER_DIRS)
    list(APPEND folders ${more})
  endforeach()
  list(REMOVE_DUPLICATES folders)
  list(JOIN headers "|" joined_headers)
  list(JOIN folders "|" joined_folders)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DVERSION=${version} "-DFOLDERS=${joined_folders}"
            "-DHEADERS=${joined_headers}" -P ${script}
    DEPENDS ${headers} ${script}
    COMMENT "Stamping ${target}" VERBATIM)
  # The target may belong to another folder than this command, so it waits for a target.
  add_custom_target(${target}_stamp DEPENDS ${output})
  add_dependencies(${target} ${target}_stamp)
  target_sources(${target} PRIVATE ${output})
  set_source_files_properties(${output} TARGET_DIRECTORY ${target}
    PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
