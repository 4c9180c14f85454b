// Decompresses gzip files (RFC 1952) piece by piece.
#ifndef SMTF_ENCODING_GZIP_INFLATER_H_
#define SMTF_ENCODING_GZIP_INFLATER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace smtf {

// One file after the other. A file is any number of members, which may have zeros behind them, as
// gzip(1) and tapes leave them; lengths and CRCs are verified. A file without a byte is one without
// a member.
//
// Errors are of kind kDataLoss, say at which compressed byte, and name no file. After one only
// Begin is of use. Used by one thread.
class GzipInflater {
 public:
  GzipInflater();
  ~GzipInflater();
  GzipInflater(const GzipInflater&) = delete;
  GzipInflater& operator=(const GzipInflater&) = delete;

  // A new file, whatever became of the one before.
  void Begin();
  // Decompresses from the front of *in, which it moves past, into `out`. Returns how many bytes
  // there are now: 0 when *in is used up and all that it gives was returned. An Error only after
  // every byte before the flaw was returned.
  size_t Inflate(std::string_view* in, char* out, size_t room);
  // The file ends here. An Error when that is inside a member.
  void End() const;

 private:
  bool FindMember(std::string_view* in);
  bool CheckMagic(std::string_view in);
  size_t InflateSome(std::string_view* in, char* out, size_t room);
  void Consume(std::string_view* in, size_t bytes);

  const std::unique_ptr<z_stream_s> stream_;
  bool in_member_ = false;
  uint64_t members_ = 0;   // complete ones
  uint64_t consumed_ = 0;  // compressed bytes of the file
  uint64_t member_begin_ = 0;
  std::string flaw_;  // found; told when what was made before it is out
};

}  // namespace smtf

#endif  // SMTF_ENCODING_GZIP_INFLATER_H_
