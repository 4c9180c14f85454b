// Writes the objects of a framed stream (object_frames.h) to files.
#ifndef SMTF_FRAMING_OBJECT_FILE_WRITER_H_
#define SMTF_FRAMING_OBJECT_FILE_WRITER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "framing/byte_source.h"
#include "framing/object_frames.h"
#include "framing/partial_file.h"

namespace smtf {

// One object after the other, of any size in little memory. An object's file appears when all of
// it is there.
//
// Not thread-safe. An object that could not be had is an ObjectFailure; after this or another
// Error there is nothing more to be had.
class ObjectFileWriter {
 public:
  struct Written {
    uint64_t bytes = 0;
    bool ended = false;  // the object is complete, and its file there
  };

  // `stream` must outlive the writer. `partial_path` is where the file under way is, on the file
  // system of all others.
  ObjectFileWriter(ByteSource* stream, std::string partial_path);

  // Writes on at the object under way, or begins the next, and stops once that were `most` bytes,
  // at least 1. `path` becomes the object's, and is looked at when it begins. Nothing at the end
  // of the stream.
  std::optional<Written> Write(const std::string& path, uint64_t most);

 private:
  const std::string partial_path_;
  ObjectFrames frames_;
  std::optional<PartialFile> file_;  // of the object under way
};

}  // namespace smtf

#endif  // SMTF_FRAMING_OBJECT_FILE_WRITER_H_
