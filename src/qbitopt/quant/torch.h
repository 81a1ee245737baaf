#pragma once

// What this project uses of LibTorch, and what it compiles ahead. <torch/torch.h> has twice as much,
// and every file that includes it takes twice as long to compile.
#include <torch/cuda.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>
#include <torch/serialize.h>
#include <torch/special.h>
#include <torch/types.h>
#include <torch/utils.h>
