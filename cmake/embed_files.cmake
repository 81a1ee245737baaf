# Compiles text files into a library as lists of {name, text}, the name being the file's without extension.
#
#   qbitopt_embed_files(qbitopt_driver runlog_schema
#     HEADER qbitopt/runlog/schema.h TYPE SqlFile
#     LISTS table_files tables/*.sql view_files views/*.sql)
#
# defines `const std::vector<SqlFile>& table_files()` and `view_files()`, declared by the header. The next build
# picks up a new file and drops one that is gone.
function(qbitopt_embed_files target name)
  cmake_parse_arguments(embed "" "HEADER;TYPE" "LISTS" ${ARGN})
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  set(script ${PROJECT_SOURCE_DIR}/cmake/write_embedded_files.cmake)
  set(files)
  set(lists ${embed_LISTS})
  while(lists)
    list(POP_FRONT lists function pattern)
    file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${pattern})
    list(APPEND files ${found})
  endwhile()
  # Changes when a file comes or goes: of one that is gone the dependencies alone would tell nothing.
  set(found_files ${CMAKE_CURRENT_BINARY_DIR}/${name}.txt)
  file(CONFIGURE OUTPUT ${found_files} CONTENT "${files}" @ONLY)
  list(JOIN embed_LISTS "|" joined)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${generated} -DROOT=${CMAKE_CURRENT_SOURCE_DIR} -DHEADER=${embed_HEADER}
            -DTYPE=${embed_TYPE} "-DLISTS=${joined}" -P ${script}
    DEPENDS ${files} ${found_files} ${script}
    COMMENT "Embedding ${name}" VERBATIM)
  # The library belongs to another folder than this command, so it waits for a target.
  add_custom_target(${target}_${name} DEPENDS ${generated})
  add_dependencies(${target} ${target}_${name})
  target_sources(${target} PRIVATE ${generated})
endfunction()
