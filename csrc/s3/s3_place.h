// Where a bucket is asked for, and where S3 says that it is instead.
#ifndef SMTF_S3_S3_PLACE_H_
#define SMTF_S3_S3_PLACE_H_

#include <optional>
#include <string>

#include "s3/s3_address.h"
#include "s3/s3_error.h"

namespace smtf {

// Never changes; a bucket that moves gets another one.
struct S3Place {
  S3Address address;
  std::string region;  // for the signature

  // "https://bucket.s3.eu-west-1.amazonaws.com in eu-west-1"
  std::string Describe() const { return address.origin() + " in " + region; }
};

// The place that a redirect points to. At AWS that is the region's endpoint; elsewhere a region is
// only a part of the signature, and the address changes only to the host of a Location. Nothing,
// and the reason in `*why_not`, when the redirect names no other place, or one that is not
// followed: of another scheme, of AWS to somebody else, or where the bucket would not be.
std::optional<S3Place> PlaceAfter(const S3Place& place, const S3Error& redirect,
                                  std::string* why_not);

}  // namespace smtf

#endif  // SMTF_S3_S3_PLACE_H_
