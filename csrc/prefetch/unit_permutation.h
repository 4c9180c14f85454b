// The order that a shuffled epoch has.
#ifndef SMTF_PREFETCH_UNIT_PERMUTATION_H_
#define SMTF_PREFETCH_UNIT_PERMUTATION_H_

#include <cstdint>
#include <vector>

namespace smtf {

// Fills `order` with a permutation of 0 ... count - 1 that depends on the three numbers only: the
// same on every host and in every version of this library. All arithmetic is modulo 2^64:
//
//   mix(z):     z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
//               z = (z ^ (z >> 27)) * 0x94d049bb133111eb
//               return z ^ (z >> 31)
//   start:      state = mix(mix(seed) + epoch)
//   draw():     state = state + 0x9e3779b97f4a7c15
//               return mix(state) >> 32
//   below(n):   do p = draw() * n while (p mod 2^32) < (2^32 mod n)
//               return p >> 32
//   order = [0, 1, ..., count - 1]
//   for i = count - 1, ..., 1: swap order[i] and order[below(i + 1)]
//
// That is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014), bounded without bias (Lemire, "Fast random integer generation in an interval", ACM
// TOMACS 2019), for the shuffle of Fisher and Yates.
//
// An Error of kind kInvalidArgument for a count above 2^32.
void PermuteUnits(uint64_t seed, uint64_t epoch, uint64_t count, std::vector<uint32_t>* order);

}  // namespace smtf

#endif  // SMTF_PREFETCH_UNIT_PERMUTATION_H_
