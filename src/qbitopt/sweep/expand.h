#pragma once

#include "qbitopt/sweep/document.h"
#include "qbitopt/sweep/fingerprint.h"
#include "qbitopt/sweep/plan.h"
#include "qbitopt/sweep/search.h"

namespace qbitopt {

// Lists every job of a document once, in the order of the file and after the jobs that it needs:
// sets plan.jobs and plan.searches, and adds to plan.warnings. Within a block, the product comes
// first, then exclude and only, then include, then when. A search contributes the runs that
// `results` leads to. Throws InputError for an invalid job, and if there is no job.
void expand(const Document& document, const Catalog& catalog, DataFingerprints& fingerprints,
            const TrialResults& results, Plan& plan);

}  // namespace qbitopt
