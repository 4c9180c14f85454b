#include "prefetch/unit_permutation.h"

#include <numeric>
#include <string>
#include <utility>

#include "errors.h"

namespace smtf {
namespace {

constexpr uint64_t kMostUnits = uint64_t{1} << 32;

uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

class Draws {
 public:
  Draws(uint64_t seed, uint64_t epoch) : state_(Mix(Mix(seed) + epoch)) {}

  // In [0, n), for n in [1, 2^32].
  uint64_t Below(uint64_t n) {
    uint64_t product = Draw() * n;
    // 2^32 mod n is less than n, so the division is seldom needed.
    if (static_cast<uint32_t>(product) < n) {
      const uint64_t rejected = kMostUnits % n;
      while (static_cast<uint32_t>(product) < rejected) product = Draw() * n;
    }
    return product >> 32;
  }

 private:
  uint64_t Draw() {
    state_ += 0x9e3779b97f4a7c15u;
    return Mix(state_) >> 32;
  }

  uint64_t state_;
};

}  // namespace

void PermuteUnits(uint64_t seed, uint64_t epoch, uint64_t count, std::vector<uint32_t>* order) {
  if (count > kMostUnits) {
    throw Error(ErrorKind::kInvalidArgument,
                "cannot shuffle " + std::to_string(count) +
                    " objects or groups: at most 2^32 are possible; shuffle larger groups");
  }
  order->resize(count);
  std::iota(order->begin(), order->end(), uint32_t{0});
  Draws draws(seed, epoch);
  for (uint64_t i = count; i-- > 1;) std::swap((*order)[i], (*order)[draws.Below(i + 1)]);
}

}  // namespace smtf
