#include "pipe/random_name.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdio>

#include "errors.h"

namespace smtf {

std::string RandomName() {
  unsigned char random[8] = {};
  if (getrandom(random, sizeof random, 0) != sizeof random) {
    throw SystemError("asking for random bytes", errno);
  }
  std::string name;
  for (const unsigned char byte : random) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    name += digits;
  }
  return name;
}

}  // namespace smtf
