#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qbitopt/config/manifest.h"

namespace qbitopt {

// The parameters that apply to a job whose parts are chosen: what its manifests declare, taken
// together.
struct Schema {
  struct Entry {
    std::string name;  // in full: "training.steps"
    const ParameterSpec* spec;
  };
  std::vector<Entry> parameters;           // by name
  std::vector<const Manifest*> manifests;  // of its parts and groups, in the order of reaching them
  std::map<std::string, int> versions;     // "method:qbitopt" -> 1; without optional groups

  const ParameterSpec* find(std::string_view name) const;
  // The manifest of this kind; null if there is none.
  const Manifest* part(std::string_view kind) const;
};

// Every manifest, and what follows from them. A job's parameters are found by starting at the group
// "job" and following `includes` and the keys whose type is a kind of part.
class Catalog {
 public:
  // Throws InputError if two manifests are of one kind and name, an include or a default names an
  // unknown one, two declare one key with different types, or a need names an unknown key.
  explicit Catalog(std::vector<Manifest> manifests);
  Catalog(Catalog&&) = default;  // its functions return pointers into it, so it is never copied
  Catalog(const Catalog&) = delete;
  static Catalog from_files(const std::vector<std::filesystem::path>& files);
  // Of each manifest: its file (for messages) and its text.
  static Catalog from_text(const std::vector<std::pair<std::string, std::string>>& sources);

  // Methods whose manifests are known, but whose plugins are not loaded: an error that names such a
  // method or one of its keys says `why`. Methods that are loaded are skipped.
  void add_absent(std::vector<Manifest> methods, const std::string& why);

  const std::vector<Manifest>& manifests() const { return manifests_; }
  std::vector<std::string> names(std::string_view kind) const;  // by name
  // Null if there is none. A model may also be a file, net.pt2: all of them have one manifest.
  const Manifest* find(std::string_view kind, std::string_view name) const;
  // "unknown method 'qbitop', did you mean 'qbitopt'?; known methods: ..."
  std::string unknown_part(std::string_view kind, std::string_view name) const;
  // Throws InputError that lists the known ones.
  const Manifest& get(std::string_view kind, std::string_view name) const;

  // Every key that some job may carry, by name, with the specification of the first manifest that
  // declares it.
  const std::map<std::string, const ParameterSpec*, std::less<>>& keys() const { return keys_; }
  // "unknown key 'budget.avrage_bits', did you mean 'budget.average_bits'?"
  std::string unknown_key(std::string_view name) const;

  // `chosen` returns the part that a key selects ("method" -> "qbitopt"); nullopt: the default of
  // the key. Throws InputError if there is no such part.
  using Choice = std::function<std::optional<std::string>(const std::string& key)>;
  Schema schema(const Choice& chosen) const;

 private:
  void collect_keys(const Manifest& manifest, const std::string& prefix);
  void check_needs(const Manifest& manifest) const;

  std::vector<Manifest> manifests_;
  std::unique_ptr<const Manifest> graph_file_;  // at one address, wherever the catalog is moved
  std::map<std::pair<std::string, std::string>, const Manifest*, std::less<>> by_name_;
  std::map<std::string, const ParameterSpec*, std::less<>> keys_;
  // Pairs of manifest and prefix whose keys are in keys_ already.
  std::set<std::pair<const Manifest*, std::string>> collected_;
  std::vector<std::pair<Manifest, std::string>> absent_;  // and why
};

// The manifests that lay beside the sources when this program was built.
const Catalog& builtin_catalog();

}  // namespace qbitopt
