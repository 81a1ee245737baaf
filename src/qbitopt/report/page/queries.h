#pragma once

// Internal to the page: the SQL behind it, one file a question in queries/.

#include <string>
#include <vector>

#include "qbitopt/report/figures/definition.h"  // EmbeddedFile

namespace qbitopt {

const std::vector<EmbeddedFile>& page_queries();  // queries/*.sql
const std::vector<EmbeddedFile>& page_markup();   // files/page.html
const std::vector<EmbeddedFile>& page_style();    // files/page.css
const std::vector<EmbeddedFile>& page_script();   // files/page.js

// By name. Its parameter :sweep is a sweep's name, or NULL for all.
std::string page_query(const std::string& name);

}  // namespace qbitopt
