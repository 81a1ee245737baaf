// make_example FILE [SEEDS]: writes the made-up database of the report's tests, to look at by hand.
#include <cstdio>
#include <cstdlib>

#include "report/example_database.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: make_example FILE [SEEDS]\n", stderr);
    return 2;
  }
  const std::filesystem::path file = std::filesystem::absolute(argv[1]);
  qbitopt::Database database(file);
  qbitopt::testing::ExampleOptions options;
  if (argc > 2) options.seeds = std::atoi(argv[2]);
  qbitopt::testing::store_example(database, file.parent_path(), options);
  database.close();
}
