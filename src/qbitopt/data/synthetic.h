#pragma once

#include <memory>

#include "qbitopt/core/parameters.h"
#include "qbitopt/data/batch_source.h"

namespace qbitopt {

// Made-up images for tests and benchmarks, of any shape: every class is a pattern of random smooth
// waves; an image is its class's pattern moved a little, plus noise. A small network learns it
// within some hundred steps. `parameters`: see synthetic.yaml. The images depend on
// data.generator_seed alone, not on the job's seed.
std::unique_ptr<DataSet> make_synthetic(const Parameters& parameters);

}  // namespace qbitopt
