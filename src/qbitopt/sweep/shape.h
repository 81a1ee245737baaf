#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "qbitopt/sweep/block.h"
#include "qbitopt/sweep/dimension.h"
#include "qbitopt/sweep/fingerprint.h"
#include "qbitopt/sweep/identity.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt {

// A point of a block's product: a row of each dimension.
using Point = std::vector<uint32_t>;

// A parameter of the jobs of one shape.
struct Slot {
  std::string name;
  const ParameterSpec* spec = nullptr;
  int dimension = -1;                  // its row selects the value; -1: there is one value
  std::vector<Json> values;            // null: absent
  std::vector<Place> places;           // where each was written; without a source: a default
  std::vector<std::string> fragments;  // of the identity, see identity_fragment()

  size_t row(const Point& point) const {
    return dimension < 0 ? 0 : point[static_cast<size_t>(dimension)];
  }
};

// The changes that turn a job of the product into a job that it needs.
struct Variant {
  std::vector<Settings> changes;  // the later wins
  // Methods of the jobs that led to this one, for the message about endless needs.
  std::vector<std::string> methods;
};

struct ShapeNeed {
  std::string name;
  std::string artifact;
  const Variant* job = nullptr;
  bool says_seed = false;
};

// A piece of the parameters in an identity: a text, then the fragment of a slot unless it is null.
struct IdentityPart {
  std::string text;
  const Slot* slot = nullptr;
};

// Rows of some dimensions for which a job was found good, see check_job().
struct CheckedRows {
  std::vector<std::pair<size_t, size_t>> dimensions;  // each with its number of rows
  std::unordered_set<uint64_t> rows;
};

// Points whose jobs have the same parts, and so the same parameters: they differ in the slots' rows
// alone.
struct Shape {
  std::vector<Slot> slots;  // by name
  std::vector<const Slot*> varying;
  const Slot* seed = nullptr;       // the slot of "seed", if there is one
  const Manifest* model = nullptr;  // null before one is chosen
  const Manifest* data = nullptr;
  std::vector<ShapeNeed> needs;
  IdentityText frame;
  std::vector<IdentityPart> identity;  // the slots that vary, and the seed; the rest is text
  mutable CheckedRows checked;
  std::shared_ptr<const JobShape> shared;
  std::vector<size_t> relevant;     // dimensions whose rows its jobs depend on
  std::map<uint64_t, size_t> jobs;  // of a needed shape: relevant_rows() -> index in the plan

  const Slot* find(std::string_view name) const;
  // Null if the job has no such parameter.
  const Json& value(std::string_view name, const Point& point) const;
  // A whole number that describes the data set: the parameter `key`, else the entry of the data
  // set's manifest; 0 if neither is given.
  int64_t data_fact(std::string_view key, int64_t Manifest::*entry, const Point& point) const;
  // The rows that the job depends on, as one number.
  uint64_t relevant_rows(const Point& point, const std::vector<Dimension>& dimensions) const;
};

// Makes the shapes of one block, each when the first point asks for it.
class ShapeBuilder {
 public:
  // `extra_axes`: constants of the block that count as axes (those of an `include`).
  ShapeBuilder(const Block& block, const std::vector<Dimension>& dimensions,
               const std::set<std::string>& extra_axes, const Catalog& catalog,
               DataFingerprints& fingerprints);

  // `fired`: bit i says that block.when[i] applies. `variant`: null for the product itself.
  Shape& at(const Point& point, uint64_t fired, const Variant* variant);

  // Names of all parameters that some shape has.
  const std::set<std::string>& applied() const { return applied_; }

 private:
  struct Source {
    std::vector<Json> values;
    std::vector<Place> places;
    int dimension = -1;
  };
  struct Origin {  // which shape is asked for
    const Point& point;
    uint64_t fired;
    const Variant* variant;
  };

  std::unique_ptr<Shape> build(const Origin& origin);
  // What the sweep gives a key, with the values of the keys that it refers to.
  std::optional<Source> source_of(const std::string& key, const Origin& origin) const;
  std::optional<Source> written_source(const std::string& key, const Origin& origin) const;
  // `chain`: the keys that led to `key`, for the message about one that refers to itself.
  void resolve(Source& source, const std::string& key, const Origin& origin,
               const std::vector<std::string>& chain) const;
  std::string part_name(const std::string& key, const ParameterSpec& spec,
                        const Source& source) const;
  Slot make_slot(const Schema::Entry& entry, const Origin& origin) const;
  // Adds the needs of the method and of the groups that it includes.
  void add_needs(Shape& shape, const Schema& schema, const Origin& origin);
  void add_need(Shape& shape, const Manifest& method, const std::string& name, const Need& declared,
                const Origin& origin);
  void expect_no_stray_need(const Manifest& method) const;
  Settings need_changes(const Shape& shape, const Need& need, const Point& point) const;
  void share(Shape& shape, const Schema& schema, const Origin& origin);
  // The fingerprint of a part's files. Errors are reported by fingerprints_.expect_no_fault().
  // `keys`: the parameter that locates the files, then the one that names the part, for the place
  // of an error.
  std::string fingerprint(const Shape& shape, const Manifest& part,
                          const std::vector<std::string>& keys, const Point& point);
  // Keeps an error in fingerprints_, at the place of the first of `keys` that the sweep sets.
  void complain(const Shape& shape, const std::vector<std::string>& keys, const std::string& fault);
  // The .pt2 file that a key names, absolute: a relative path begins at the sweep file's folder.
  std::filesystem::path graph_file(const std::string& key, const Origin& origin) const;
  // The fingerprint of the model's .pt2 file. Reports a file that cannot be trained, or that was
  // exported for images or classes other than the data set's.
  std::string fingerprint_graph(const Shape& shape, const Origin& origin);
  // Reports patterns of quantizers.skip and quantizers.pin that fit no quantizer of the file.
  void check_placement(const Shape& shape, const std::string& file, const Graph& graph,
                       const Point& point);
  // Of one image of the data set, and its classes; 0: not known.
  struct DataFormat {
    std::vector<int64_t> shape;
    int64_t classes = 0;
  };
  DataFormat data_format(const Shape& shape, const Point& point);
  void check_images(const Shape& shape, const std::string& file,
                    const std::vector<int64_t>& expected, const std::vector<int64_t>& found);
  // Reports published weights that do not fit the model with the data set's classes.
  void check_weights(const Shape& shape, const Point& point);
  void find_choosing_dimensions();

  const Block& block_;
  const std::vector<Dimension>& dimensions_;
  const std::set<std::string>& extra_axes_;
  const Catalog& catalog_;
  DataFingerprints& fingerprints_;
  // key -> dimension and column
  std::map<std::string, std::pair<int, size_t>, std::less<>> columns_;
  std::vector<size_t> choosing_;  // dimensions that decide which parameters there are
  std::map<std::pair<uint64_t, const Variant*>,
           std::unordered_map<uint64_t, std::unique_ptr<Shape>>>
      shapes_;
  std::vector<std::unique_ptr<Variant>> variants_;
  std::set<std::string> applied_;
};

}  // namespace qbitopt
