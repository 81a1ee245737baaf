# Run by the build (embed_manifests.cmake): writes ${OUTPUT} from every manifest below ${ROOT}/qbitopt, and from those of the
# plugins in ${ROOT}/baselines.
function(append_list name pattern)
  file(GLOB_RECURSE manifests RELATIVE ${ROOT} ${ROOT}/${pattern})
  list(SORT manifests)
  string(APPEND code "std::vector<std::pair<std::string, std::string>> ${name}() {\n  return {\n")
  foreach(manifest ${manifests})
    file(READ ${ROOT}/${manifest} text)
    string(APPEND code "      {\"src/${manifest}\", R\"manifest(${text})manifest\"},\n")
  endforeach()
  string(APPEND code "  };\n}\n\n")
  set(code "${code}" PARENT_SCOPE)
endfunction()

set(code "// Generated from the manifests beside the sources.\n#include \"qbitopt/config/builtin_manifests.h\"\n\nnamespace qbitopt {\n\n")
append_list(builtin_manifests qbitopt/*.yaml)
append_list(baseline_manifests baselines/*.yaml)
string(APPEND code "}  // namespace qbitopt\n")
file(WRITE ${OUTPUT} "${code}")
