#include "cache/reuse_horizon.h"

#include <gtest/gtest.h>

namespace smtf {
namespace {

TEST(ReuseHorizonTest, NothingIsStaleInTheFirstEpoch) {
  ReuseHorizon horizon;
  EXPECT_EQ(horizon.Get(), ReuseHorizon::kNever);
  horizon.Note("a", 10);
  horizon.Note("b", 11);
  horizon.Note("c", 12);
  EXPECT_EQ(horizon.Get(), ReuseHorizon::kNever);
}

TEST(ReuseHorizonTest, TheFirstEpochCountsFromItsBeginning) {
  ReuseHorizon horizon;
  horizon.Note("a", 10);
  horizon.Note("b", 11);
  horizon.Note("a", 20);
  EXPECT_EQ(horizon.Get(), 10);
}

// Orders "abc", "bca", "abc", "cab": "a" comes last in one epoch and first in the next, so its last
// two appearances alone would span nothing.
TEST(ReuseHorizonTest, SpansAWholeEpochInAnyOrder) {
  ReuseHorizon horizon;
  int64_t now = 0;
  for (const char* order : {"abc", "bca", "abc", "cab"}) {
    for (const char* what = order; *what != '\0'; ++what) horizon.Note({what, 1}, now++);
  }
  // Appearances at 0, 5, 6 and 10: the third epoch, 6 to 8, is whole between 5 and 10.
  EXPECT_EQ(horizon.Get(), 5);
}

}  // namespace
}  // namespace smtf
