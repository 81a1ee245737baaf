# Run by the build (embed_commit.cmake): writes ${OUTPUT} with the commit of the checkout in ${ROOT}.
execute_process(COMMAND git -C ${ROOT} rev-parse HEAD OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE
  ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit unknown)
else()
  execute_process(COMMAND git -C ${ROOT} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
  if(changes)
    string(APPEND commit -dirty)
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#include "worker/commit.h"

namespace qbitopt::worker {

const char* const kCommit = "@commit@";

}  // namespace qbitopt::worker
]] @ONLY)
