# Run by the build (baselines.cmake): writes ${OUTPUT} with the stamp, from the names and contents of all ${HEADERS}, wherever
# they lie.
string(REPLACE "|" ";" headers "${HEADERS}")
string(REPLACE "|" ";" folders "${FOLDERS}")
set(lines)
foreach(header IN LISTS headers)
  set(name ${header})
  foreach(folder IN LISTS folders)
    string(REPLACE "${folder}/" "" name ${name})
  endforeach()
  file(SHA256 ${header} hash)
  list(APPEND lines "${name} ${hash}")
endforeach()
list(SORT lines)
string(SHA256 hash "${lines}")
string(SUBSTRING ${hash} 0 12 hash)
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#include "qbitopt/plugin/stamp_text.h"

extern "C" const char qbitopt_plugin_stamp[] = QBITOPT_STAMP_TEXT("@VERSION@+@hash@");
]] @ONLY)
