#include "prefetch/object_verifier.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace smtf {
namespace {

constexpr ChecksumKind kKind = ChecksumKind::kCrc64Nvme;
using Verdict = ObjectVerifier::Verdict;

const std::string kObject = "The object's bytes, which are fetched in three parts.";

class ObjectVerifierTest : public testing::Test {
 protected:
  // A part as it is when its fetch has ended, and what the fetch said.
  std::unique_ptr<Part> Fetched(size_t offset, size_t size,
                                std::optional<AnnouncedChecksum> announced) {
    PartSpec spec;
    spec.object.size = kObject.size();
    spec.offset = offset;
    spec.size = size;
    spec.begins_object = offset == 0;
    spec.ends_object = offset + size == kObject.size();
    auto part = std::make_unique<Part>(spec, pool_.TryAcquire(size));
    std::memcpy(part->buffer.data(), kObject.data() + offset, size);
    result_ = FetchResult();
    result_.bytes = size;
    result_.checksum = announced;
    return part;
  }

  // As PartFetchers and PartQueue do.
  void Verify(Part* part) {
    VerifyPart(part, &result_);
    part->filled += result_.bytes;
  }

  std::vector<std::unique_ptr<Part>> ThreeParts(std::optional<AnnouncedChecksum> announced) {
    std::vector<std::unique_ptr<Part>> parts;
    const std::vector<size_t> cuts = {0, 10, 30, kObject.size()};
    for (size_t i = 0; i < 3; ++i) {
      parts.push_back(Fetched(cuts[i], cuts[i + 1] - cuts[i], announced));
      Verify(parts.back().get());
    }
    return parts;
  }

  static AnnouncedChecksum Right(std::string_view bytes = kObject) {
    return {kKind, ExtendChecksum(kKind, 0, bytes)};
  }

  BufferPool pool_{1 << 20, nullptr};
  FetchResult result_;
  FetchResult failure_;
};

TEST_F(ObjectVerifierTest, AWholeObjectThatIsRightIsVerified) {
  auto part = Fetched(0, kObject.size(), Right());
  Verify(part.get());
  EXPECT_TRUE(part->verified);
  EXPECT_EQ(part->filled, kObject.size());
  EXPECT_EQ(ObjectVerifier().Check(*part, &failure_), Verdict::kUnknown);
}

TEST_F(ObjectVerifierTest, AWholeObjectThatIsWrongIsFetchedFromItsStart) {
  auto part = Fetched(0, kObject.size(), Right());
  part->buffer.data()[7] ^= 1;
  part->filled = 5;  // of an earlier try
  result_.bytes = kObject.size() - 5;
  Verify(part.get());
  EXPECT_FALSE(part->verified);
  EXPECT_EQ(result_.status, FetchResult::Status::kRetry);
  EXPECT_EQ(result_.kind, ErrorKind::kDataLoss);
  EXPECT_NE(result_.what.find("CRC64NVME"), std::string::npos);
  EXPECT_EQ(part->filled, 0u);
}

TEST_F(ObjectVerifierTest, PartsAreComparedWithTheObjectsChecksumAtItsEnd) {
  const auto parts = ThreeParts(Right());
  ObjectVerifier verifier;
  EXPECT_EQ(verifier.Check(*parts[0], &failure_), Verdict::kUnknown);
  EXPECT_EQ(verifier.Check(*parts[1], &failure_), Verdict::kUnknown);
  EXPECT_EQ(verifier.Check(*parts[2], &failure_), Verdict::kVerified);
}

TEST_F(ObjectVerifierTest, ADamagedLastPartMayBeMended) {
  const auto parts = ThreeParts(Right());
  auto damaged = Fetched(30, kObject.size() - 30, Right());
  damaged->buffer.data()[0] ^= 0x80;
  Verify(damaged.get());
  ObjectVerifier verifier;
  verifier.Check(*parts[0], &failure_);
  verifier.Check(*parts[1], &failure_);
  EXPECT_EQ(verifier.Check(*damaged, &failure_), Verdict::kDamaged);
  EXPECT_EQ(failure_.status, FetchResult::Status::kRetry);
  EXPECT_EQ(failure_.kind, ErrorKind::kDataLoss);
  EXPECT_EQ(verifier.Check(*parts[2], &failure_), Verdict::kVerified);
}

TEST_F(ObjectVerifierTest, ADamagedFirstPartIsSeenAtTheEnd) {
  const auto parts = ThreeParts(Right());
  auto damaged = Fetched(0, 10, Right());
  damaged->buffer.data()[3] ^= 1;
  Verify(damaged.get());
  ObjectVerifier verifier;
  EXPECT_EQ(verifier.Check(*damaged, &failure_), Verdict::kUnknown);
  EXPECT_EQ(verifier.Check(*parts[1], &failure_), Verdict::kUnknown);
  EXPECT_EQ(verifier.Check(*parts[2], &failure_), Verdict::kDamaged);
}

TEST_F(ObjectVerifierTest, ARangesOwnChecksumIsTakenForThat) {
  std::vector<std::unique_ptr<Part>> parts;
  for (const auto& [offset, size] : {std::pair<size_t, size_t>{0, 20}, {20, kObject.size() - 20}}) {
    parts.push_back(Fetched(offset, size, Right(std::string_view(kObject).substr(offset, size))));
    Verify(parts.back().get());
    EXPECT_TRUE(parts.back()->verified);
  }
  ObjectVerifier verifier;
  EXPECT_EQ(verifier.Check(*parts[0], &failure_), Verdict::kUnknown);
  EXPECT_EQ(verifier.Check(*parts[1], &failure_), Verdict::kVerified);
}

TEST_F(ObjectVerifierTest, WhatTheStoreDoesNotSayIsNotCompared) {
  const auto parts = ThreeParts(std::nullopt);
  ObjectVerifier verifier;
  for (const auto& part : parts) EXPECT_EQ(verifier.Check(*part, &failure_), Verdict::kUnknown);
  // Nor what it says of some parts only.
  const auto said = ThreeParts(Right());
  EXPECT_EQ(verifier.Check(*said[0], &failure_), Verdict::kUnknown);
  EXPECT_EQ(verifier.Check(*parts[1], &failure_), Verdict::kUnknown);
  EXPECT_EQ(verifier.Check(*said[2], &failure_), Verdict::kUnknown);
}

}  // namespace
}  // namespace smtf
