#pragma once

#include <string>
#include <vector>

#include "qbitopt/sweep/document.h"

namespace qbitopt {

// Applies overrides from the command line to a sweep. An override holds for every job, whatever the
// file's cases, axes or `when` set.
//
//   key=v              one value for every job
//   key='v,w'          a text with a comma; of a path (data.root=~/a,b) the comma is part anyway
//   key=v,w            an axis; also key=[v,w]-like lists of lists, and
//                      key={from: 2, to: 6, step: 1}
//   +key=v             the same for a key that the sweep does not mention; an error if it does
//   ++key=v            the same as key=v, for users of Hydra: whether or not the sweep mentions it
//   cases.fixed.key=v  for the jobs of case `fixed` only; also +cases..., ~cases.fixed.key
//   ~key               what the sweep says about the key is dropped: every job has its default
//   seeds=3  name=x  run.jobs=2  metric.goal=min  tables=a.yaml
//                      the sweep's own keys, replaced
//   ~cases.fp32  ~seeds  ~exclude  ~only  ~include  ~when  ~zip  ~rows  ~sample  ~search  ~tables
//                      the same, dropped
//
// Throws InputError with the override, a caret and the nearest key.
void apply_overrides(Document& document, const std::vector<std::string>& overrides,
                     const Catalog& catalog);

}  // namespace qbitopt
