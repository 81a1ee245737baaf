#include "qbitopt/training/method_hook.h"

#include <new>
#include <string>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

void rethrow_from_hook(const char* hook) {
  const auto as_job_error = [&](const std::string& what) {
    return JobError("method", std::string("the method threw in ") + hook + ": " + what);
  };
  try {
    throw;
  } catch (const InputError&) {
    throw;
  } catch (const JobError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error& error) {
    throw as_job_error(error.what_without_backtrace());
  } catch (const std::exception& error) {
    throw as_job_error(error.what());
  } catch (...) {
    throw as_job_error("an exception that is not a std::exception");
  }
}

}  // namespace qbitopt
