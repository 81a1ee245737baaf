#pragma once

// Internal to the page: its SQL, one file for each query in queries/.

#include <string>
#include <vector>

#include "qbitopt/report/figures/definition.h"  // EmbeddedFile

namespace qbitopt {

const std::vector<EmbeddedFile>& page_queries();  // queries/*.sql
const std::vector<EmbeddedFile>& page_markup();   // files/page.html
const std::vector<EmbeddedFile>& page_style();    // files/page.css
const std::vector<EmbeddedFile>& page_script();   // files/page.js

// A query by name. Its parameter :sweep is the name of a sweep, or NULL for all sweeps.
std::string page_query(const std::string& name);

}  // namespace qbitopt
