// A file that has no name of its own until it is complete.
#ifndef SMTF_FRAMING_PARTIAL_FILE_H_
#define SMTF_FRAMING_PARTIAL_FILE_H_

#include <string>
#include <string_view>

namespace smtf {

// Made under one name and renamed to another by Commit; what is not committed is removed. Nothing
// is synced. Not thread-safe. What the system refuses is an Error with the name that it was to
// have.
class PartialFile {
 public:
  // Makes the file at `partial_path`, where nothing may be yet, on the file system of `path`.
  PartialFile(std::string partial_path, std::string path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  // Appends all of `bytes`.
  void Write(std::string_view bytes);
  // Closes the file and renames it to `path`, over the file of that name if there is one. Once.
  void Commit();

  // For system calls that append to it; those that fail tell Fail.
  int fd() const { return fd_; }
  [[noreturn]] void Fail(int error_number) const;

 private:
  const std::string partial_path_;
  const std::string path_;
  int fd_ = -1;
  bool committed_ = false;
};

}  // namespace smtf

#endif  // SMTF_FRAMING_PARTIAL_FILE_H_
