// Small state files that other processes read while they change.
#ifndef SMTF_PIPE_SMALL_FILE_H_
#define SMTF_PIPE_SMALL_FILE_H_

#include <optional>
#include <string>
#include <string_view>

namespace smtf {

// The content, or nothing where there is no such file.
std::optional<std::string> ReadSmallFile(const std::string& path);

// Replaces the file in one step, so that a reader sees the old content or the new and never a part.
// Mode 0600.
void ReplaceSmallFile(const std::string& path, std::string_view content);

// The same, but where there is no room for a second file it writes over the one that is there. So
// the end of an epoch can be told on a disk that is full. For content that ends in white space, of
// which there may be more then: whoever reads meanwhile finds no part of the old behind the new.
void UpdateSmallFile(const std::string& path, std::string_view content);

}  // namespace smtf

#endif  // SMTF_PIPE_SMALL_FILE_H_
