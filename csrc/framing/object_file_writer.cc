#include "framing/object_file_writer.h"

#include <utility>

namespace smtf {

ObjectFileWriter::ObjectFileWriter(ByteSource* stream, std::string partial_path)
    : partial_path_(std::move(partial_path)), frames_(stream) {}

std::optional<ObjectFileWriter::Written> ObjectFileWriter::Write(const std::string& path,
                                                                 uint64_t most) {
  if (!file_) {
    if (!frames_.NextObject()) return std::nullopt;
    file_.emplace(partial_path_, path);
  }
  Written written;
  while (written.bytes < most && !written.ended) {
    const size_t count = frames_.MoveTo(&*file_, most - written.bytes);
    written.bytes += count;
    written.ended = count == 0;
  }
  if (written.ended) {
    file_->Commit();
    file_.reset();
  }
  return written;
}

}  // namespace smtf
