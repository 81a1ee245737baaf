#pragma once

#include "qbitopt/sweep/document.h"
#include "qbitopt/sweep/fingerprint.h"
#include "qbitopt/sweep/plan.h"
#include "qbitopt/sweep/search.h"

namespace qbitopt {

// Every job of a document once, in the order of the file, those that others need before them: sets
// plan.jobs and plan.searches, and adds to plan.warnings. Order within a block: product, then
// exclude and only, then include, then when; of a search, the runs that `results` leads to.
// Throws InputError for whatever is wrong with a job, and if there is none.
void expand(const Document& document, const Catalog& catalog, DataFingerprints& fingerprints,
            const TrialResults& results, Plan& plan);

}  // namespace qbitopt
