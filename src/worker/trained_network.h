#pragma once

#include <memory>
#include <optional>
#include <string>

#include "qbitopt/data/image_format.h"
#include "qbitopt/job/job.h"
#include "qbitopt/models/network.h"
#include "qbitopt/models/state_file.h"
#include "worker/arguments.h"

namespace qbitopt::worker {

// The job that --job JSON describes, if it is given.
std::optional<Job> job_of(const Arguments& arguments);

// The .pt2 file that the network is made from: that of --model, else the job's. Empty: a built-in
// network. Throws InputError if the job's file is gone.
std::string graph_file_of(const Arguments& arguments, const std::optional<Job>& job);

// What the images of the job's data are like.
ImageFormat image_format_of(const Job& job);

// Whether a network gets the quantizers that its file holds.
enum class StoredQuantizers { kAttached, kLeftOut };

// With the weights and quantizers that the job left in `file`, where the job had them and on its
// grids, in evaluation mode. `graph_file`: as graph_file_of() tells it. Throws InputError if the
// file is not the job's, or if its quantizers are attached and not uniform ones.
std::unique_ptr<Network> read_trained_network(
    const Job& job, const std::string& graph_file, const std::string& file,
    StoredQuantizers quantizers = StoredQuantizers::kAttached);

// The built-in network of a name, with as many classes as its last layer has in `weights`. If that
// is not there, with those of `options`: load_state() says what is.
std::unique_ptr<Network> make_built_in(const std::string& model, const StateDict& weights,
                                       NetworkOptions options);

}  // namespace qbitopt::worker
