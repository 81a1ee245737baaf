#pragma once

#include <string>
#include <vector>

#include "qbitopt/sweep/document.h"
#include "qbitopt/sweep/fingerprint.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt {

// Every job of a document once, in the order of the file, those that others need before them. Adds
// to `warnings`. Order within a block: product, then exclude and only, then include, then when.
// Throws InputError for whatever is wrong with a job, and if there is none.
std::vector<PlannedJob> expand(const Document& document, const Catalog& catalog,
                               DataFingerprints& fingerprints, std::vector<std::string>& warnings);

}  // namespace qbitopt
