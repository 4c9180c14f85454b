// What a prefetcher tells of the objects in a pipe's stream, for readers that note down where they
// are.
//
// <pipe_dir>/.<channel>_<n>.objects.jsonl, of mode 0600, is begun when the pipe's reader has come.
// Its first line says which epoch of the data this is:
//   {"epoch": 5, "settings": "...", "request": "id"}      request: what it resumes, or ""
// and each object has a line before its first byte is in the pipe:
//   {"at": 1048576, "object": 7, "name": "s3://...", "etag": "...", "offset": 0, "objects": "..."}
// at: where in the pipe's stream; offset: how much of the object is behind there already; objects:
// StreamPosition's. A log that cannot be written any further is emptied.
#ifndef SMTF_PIPE_OBJECT_LOG_H_
#define SMTF_PIPE_OBJECT_LOG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "errors.h"
#include "file_descriptor.h"
#include "pipe/stream_position.h"

namespace smtf {

std::string ObjectLogPath(const std::string& pipe_dir, const std::string& channel, uint64_t pipe);

struct ObjectLogHead {
  uint64_t epoch = 0;
  std::string settings;
  std::string request;
};

struct LoggedObject {
  uint64_t at = 0;
  uint64_t object = 0;
  std::string name;
  std::string etag;
  uint64_t offset = 0;
  std::string objects;
};

// The prefetcher's side. Used by one thread.
class ObjectLogWriter {
 public:
  ObjectLogWriter(std::string path, const ObjectLogHead& head);
  ~ObjectLogWriter();
  ObjectLogWriter(const ObjectLogWriter&) = delete;
  ObjectLogWriter& operator=(const ObjectLogWriter&) = delete;

  void Add(const LoggedObject& object);
  // Lets readers know that what they have of it is not all.
  void GiveUp();

 private:
  void WriteLine(std::string line);

  const std::string path_;
  int fd_ = -1;
};

// The reader's side. It holds the file, so that its removal does not matter. Used by one thread.
class ObjectLogReader {
 public:
  // Nothing where there is no such log.
  static std::optional<ObjectLogHead> Head(const std::string& path);

  explicit ObjectLogReader(std::string path);

  bool exists() const { return file_ && file_->ok(); }
  // Nothing is in it, although the reader has had the first byte that it is about.
  bool given_up() const { return empty_; }
  // "/pipes/.c_0.objects.jsonl is empty", or is not there.
  std::string Describe() const;
  // What is thrown when the prefetcher could not write it to the end.
  Error Unfinished() const;
  const ObjectLogHead& head() const { return head_; }

  // The position of this offset of the pipe's stream, which is not before that of the last call.
  // `received`: how much of the stream has come, where that is known, so that not every call has to
  // look for more. An Error of kind kUnavailable when the prefetcher has given it up.
  StreamPosition PositionAt(uint64_t offset, uint64_t received = 0);
  // The same, and the next call of that may still be for less.
  StreamPosition LookAhead(uint64_t offset) const;
  // Whether there is any object.
  bool HasObjects();

 private:
  ObjectLogReader(const ObjectLogReader&) = default;

  bool NextLine(std::string* line);
  void CheckWhole() const;
  std::optional<LoggedObject> NextObject();

  const std::string path_;
  std::shared_ptr<const FileDescriptor> file_;  // without a place: that is read_
  bool empty_ = false;
  std::string text_;  // read and not cut into lines yet
  int64_t read_ = 0;  // bytes
  ObjectLogHead head_;
  uint64_t known_ = 0;  // of the stream: which objects begin before this has been read
  std::optional<LoggedObject> current_;
  std::optional<LoggedObject> next_;
};

}  // namespace smtf

#endif  // SMTF_PIPE_OBJECT_LOG_H_
