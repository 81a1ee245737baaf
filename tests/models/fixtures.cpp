#include "models/fixtures.h"

namespace qbitopt {

std::filesystem::path originals_folder() { return QBITOPT_ORIGINALS_FOLDER; }

}  // namespace qbitopt
