#pragma once

#include "runlog/fixture.h"

namespace qbitopt::testing {

// A finished sweep "small", small enough to compute its table by hand. top-1 by seed:
//
//   fp32              90                    makes the checkpoint of all others
//   fp32_continued    91  92  93
//   fixed_precision   88  89  90  at 4 bits
//                     84  85  89  at 3
//   static_allocation 85  86  87  at 3
//                     79  82  84  at 2.5
//   qbitopt           85  87  89  at 3
//                     80  82  --  at 2.5; seed 2 was lost
//   fracbits          86  87  88  at 3; seed 2 ended above its budget
//
// Every run took 10 s and 2 steps. Quantized ones end, at 4, 3 and 2.5 bits, with 3.5, 3 and 2.5
// bits for weights (175, 150, 125 bytes) and 3, 3 and 2 for counted activations; the missed one
// with 4 and 3. Published numbers: LSQ at 4 bits (70, fp32 72) and PACT at 3 bits (65, fp32 not
// given) on MobileNetV2_tiny, DoReFa on ResNet18.
//
// The recipe has 160 steps. add_longer_recipe() adds a sweep "longer" with one of 400, from another
// checkpoint; top-1 by seed:
//
//   fp32              91                    makes the checkpoint of the others here
//   fp32_continued    94  95                their test loss is 0.3, all others' 0.5
//   fixed_precision   87  89  at 3 bits
//   qbitopt           89  90  at 3, sensitivity fit
//                     86  87  at 3, sensitivity sqnr, whose costs are not in nats
class SmallDatabase {
 public:
  explicit SmallDatabase(const std::filesystem::path& file);
  void add_longer_recipe() const;

  static Job job(const std::string& method, int seed, Json bits = nullptr);

 private:
  std::filesystem::path file_;
};

}  // namespace qbitopt::testing
