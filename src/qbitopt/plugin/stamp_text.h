#pragma once

#include <torch/version.h>

#include <string>  // _GLIBCXX_USE_CXX11_ABI

#define QBITOPT_TEXT_(value) #value
#define QBITOPT_TEXT(value) QBITOPT_TEXT_(value)
#if defined(__clang__)
#define QBITOPT_COMPILER "clang-" QBITOPT_TEXT(__clang_major__)
#else
#define QBITOPT_COMPILER "gcc-" QBITOPT_TEXT(__GNUC__)
#endif
#if defined(__SANITIZE_ADDRESS__)
#define QBITOPT_ASAN "1"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QBITOPT_ASAN "1"
#endif
#endif
#ifndef QBITOPT_ASAN
#define QBITOPT_ASAN "0"
#endif

// What this file is compiled for and with, as text that is found in a file without loading it; api:
// kPluginApi. `qbitopt`: version and hash of the headers, "0.1.0+5f1c0a9e7d2b".
#define QBITOPT_STAMP_TEXT(qbitopt)                                                              \
  "@qbitopt-plugin api=1 qbitopt=" qbitopt " torch=" TORCH_VERSION " compiler=" QBITOPT_COMPILER \
  " cxx11-abi=" QBITOPT_TEXT(_GLIBCXX_USE_CXX11_ABI) " asan=" QBITOPT_ASAN "@"

// Compiled into the library and into each plugin; written while building, see qbitopt_stamp() in
// cmake/baselines.cmake.
extern "C" const char qbitopt_plugin_stamp[];
