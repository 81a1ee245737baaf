#pragma once

namespace qbitopt {

// To be called while an exception from a method's hook is handled: goes on as a JobError "method"
// that says which hook it came from. InputError, JobError and lack of memory pass as they are.
[[noreturn]] void rethrow_from_hook(const char* hook);

// Calls a hook of a method, which may be code that was never tried before.
template <typename Call>
auto call_hook(const char* hook, Call call) {
  try {
    return call();
  } catch (...) {
    rethrow_from_hook(hook);
  }
}

}  // namespace qbitopt
