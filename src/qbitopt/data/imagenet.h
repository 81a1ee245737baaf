#pragma once

#include <memory>

#include "qbitopt/core/parameters.h"
#include "qbitopt/data/batch_source.h"
#include "qbitopt/data/resize.h"
#include "qbitopt/files/imagenet_files.h"

namespace qbitopt {

// ILSVRC 2012 (Russakovsky et al., 2015) from its files, or any set of images in the same folders.
// The published validation set is Split::kTest; Split::kValidation is held out of the training
// images. `parameters`: validation_images, image_size, resize, min_scale, pixel_mean, pixel_deviation,
// augment, threads (imagenet.yaml).
//
// A training image that cannot be decoded is replaced by the next one in the list of files that
// can; a test or validation image is left out of its batch. Both are counted: see damaged().
std::unique_ptr<DataSet> make_imagenet(std::shared_ptr<const ImageNetFiles> files,
                                       const Parameters& parameters);

// What they say of the values of pixels. Throws InputError unless there are three of each.
Normalization normalization_of(const Parameters& parameters);

// Shorter side of a test image before its middle, size x size, is cut out: `resize` goes with 224
// pixels, and smaller images see the same part of the photograph. Where the data set has no
// `resize`: size.
int test_resize(const Parameters& parameters, int size);

}  // namespace qbitopt
