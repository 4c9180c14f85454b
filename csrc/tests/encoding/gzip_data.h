// gzip files to test with.
#ifndef SMTF_TESTS_ENCODING_GZIP_DATA_H_
#define SMTF_TESTS_ENCODING_GZIP_DATA_H_

#include <zlib.h>

#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

namespace smtf {

// One member; with a name, a comment and an extra field in its header where asked.
inline std::string Gzip(std::string_view data, bool long_header = false) {
  z_stream stream{};
  gz_header header{};
  char name[] = "a name";
  char comment[] = "a comment";
  Bytef extra[] = {'x', 'y', 2, 0, 1, 2};
  header.name = reinterpret_cast<Bytef*>(name);
  header.comment = reinterpret_cast<Bytef*>(comment);
  header.extra = extra;
  header.extra_len = sizeof(extra);
  header.hcrc = 1;
  if (deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
      (long_header && deflateSetHeader(&stream, &header) != Z_OK)) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(deflateBound(&stream, data.size()) + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(&out[0]);
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Lines of text that shrink to about a third.
inline std::string SomeText(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) text += "line " + std::to_string(random()) + " of some text\n";
  text.resize(size);
  return text;
}

// Bytes that do not shrink.
inline std::string Noise(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string noise(size, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  return noise;
}

}  // namespace smtf

#endif  // SMTF_TESTS_ENCODING_GZIP_DATA_H_
