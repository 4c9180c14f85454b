// A guess at the keys of a listing that has been listed in part.
#ifndef SMTF_S3_KEYS_AHEAD_H_
#define SMTF_S3_KEYS_AHEAD_H_

#include <cstddef>
#include <string>
#include <vector>

#include "s3/s3_list_page.h"

namespace smtf {

// Up to `count` strings behind the page's last key, ascending, of which the n-th has about
// n * `spacing` keys between the page's end and itself, if what follows is like the page. Empty for
// pages whose keys say nothing, such as those that differ in other characters than ASCII letters
// and digits. Valid UTF-8 when the page's keys are.
//
// Names are counted up as an odometer does, in the digits and letters that the page's keys use:
// img_000999.jpg is followed by about img_001999 after 1000 keys, and ffe01b by 001a37 of the next
// folder.
std::vector<std::string> KeysAhead(const S3ListPage& page, size_t spacing, size_t count);

}  // namespace smtf

#endif  // SMTF_S3_KEYS_AHEAD_H_
