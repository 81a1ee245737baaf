# Finding libraries so that all that are missing are named at once, each with what it is for and where it comes from.
#
#   qbitopt_need(<package> FOR <purpose> APT <packages> DNF <packages> CONDA <packages>
#                [FIND <arguments of find_package>] [TARGET <target that must exist afterwards>])
#
# runs find_package(<package> QUIET <FIND>). What is not found is added to the list that `make setup` reads
# (QBITOPT_MISSING, one "package|purpose|apt|dnf|conda" per entry); qbitopt_stop_if_missing() ends the configuration.
set(QBITOPT_MISSING "")

if(POLICY CMP0167)  # newer CMakes have no FindBoost of their own: take Boost's
  cmake_policy(SET CMP0167 NEW)
endif()

macro(qbitopt_need package)
  cmake_parse_arguments(_need "" "FOR;TARGET" "FIND;APT;DNF;CONDA" ${ARGN})
  find_package(${package} QUIET ${_need_FIND})
  if(NOT ${package}_FOUND OR (_need_TARGET AND NOT TARGET ${_need_TARGET}))
    qbitopt_missing(${package} FOR "${_need_FOR}" APT ${_need_APT} DNF ${_need_DNF} CONDA ${_need_CONDA})
  endif()
endmacro()

# Records one missing thing.
macro(qbitopt_missing name)
  cmake_parse_arguments(_missing "" "FOR" "APT;DNF;CONDA" ${ARGN})
  list(JOIN _missing_APT " " _apt)
  list(JOIN _missing_DNF " " _dnf)
  list(JOIN _missing_CONDA " " _conda)
  list(APPEND QBITOPT_MISSING "${name}|${_missing_FOR}|${_apt}|${_dnf}|${_conda}")
endmacro()

function(qbitopt_stop_if_missing)
  set(text "")
  foreach(entry IN LISTS QBITOPT_MISSING)
    string(REPLACE "|" ";" fields "${entry}")
    list(GET fields 0 name)
    list(GET fields 1 purpose)
    list(GET fields 2 apt)
    string(APPEND text "\n  ${name}: ${purpose} (Debian: ${apt})")
  endforeach()
  if(text)
    message(FATAL_ERROR "These libraries are missing:${text}\n`make setup` installs them, or prints the line that does. "
      "Libraries in a place of their own: name it in CMAKE_PREFIX_PATH.")
  endif()
endfunction()
