#include "pipe/object_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "errors.h"

namespace smtf {
namespace {

using nlohmann::json;

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

// Throws what nlohmann::json throws.
ObjectLogHead ParseHead(const std::string& line) {
  const json parsed = json::parse(line);
  return {parsed.at("epoch").get<uint64_t>(), parsed.at("settings").get<std::string>(),
          parsed.at("request").get<std::string>()};
}

LoggedObject ParseObject(const std::string& line) {
  const json parsed = json::parse(line);
  LoggedObject object;
  parsed.at("at").get_to(object.at);
  parsed.at("object").get_to(object.object);
  parsed.at("name").get_to(object.name);
  parsed.at("etag").get_to(object.etag);
  parsed.at("offset").get_to(object.offset);
  parsed.at("objects").get_to(object.objects);
  return object;
}

template <typename Parse>
auto Parsed(const Parse& parse, const std::string& line, const std::string& path) {
  try {
    return parse(line);
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kDataLoss, "reading " + path + ": " + error.what() +
                                          "; it was not written by this version's prefetcher");
  }
}

}  // namespace

std::string ObjectLogPath(const std::string& pipe_dir, const std::string& channel, uint64_t pipe) {
  return pipe_dir + "/." + channel + "_" + std::to_string(pipe) + ".objects.jsonl";
}

ObjectLogWriter::ObjectLogWriter(std::string path, const ObjectLogHead& head)
    : path_(std::move(path)) {
  unlink(path_.c_str());  // whoever reads an older one keeps it
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) throw SystemError("making " + path_, errno);
  try {
    WriteLine(
        Dump({{"epoch", head.epoch}, {"settings", head.settings}, {"request", head.request}}));
  } catch (...) {
    GiveUp();
    close(fd_);
    throw;
  }
}

ObjectLogWriter::~ObjectLogWriter() {
  if (fd_ >= 0) close(fd_);
}

void ObjectLogWriter::Add(const LoggedObject& object) {
  WriteLine(Dump({{"at", object.at},
                  {"object", object.object},
                  {"name", object.name},
                  {"etag", object.etag},
                  {"offset", object.offset},
                  {"objects", object.objects}}));
}

void ObjectLogWriter::GiveUp() {
  // A disk that is full allows this.
  if (ftruncate(fd_, 0) != 0) unlink(path_.c_str());
}

void ObjectLogWriter::WriteLine(std::string line) {
  for (std::string_view left = line; !left.empty();) {
    const ssize_t written = write(fd_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw SystemError("writing " + path_, errno);
    left.remove_prefix(static_cast<size_t>(written));
  }
}

std::optional<ObjectLogHead> ObjectLogReader::Head(const std::string& path) {
  const ObjectLogReader reader(path);
  if (!reader.exists()) return std::nullopt;
  return reader.head();
}

ObjectLogReader::ObjectLogReader(std::string path) : path_(std::move(path)) {
  file_ = std::make_shared<const FileDescriptor>(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file_->ok() && errno != ENOENT) throw SystemError("opening " + path_, errno);
  if (!file_->ok()) return;
  std::string line;
  if (NextLine(&line)) {
    head_ = Parsed(ParseHead, line, path_);
    return;
  }
  file_.reset();  // about to be written, or there was no room for it
  empty_ = true;
}

StreamPosition ObjectLogReader::LookAhead(uint64_t offset) const {
  ObjectLogReader ahead(*this);
  return ahead.PositionAt(offset);
}

StreamPosition ObjectLogReader::PositionAt(uint64_t offset, uint64_t received) {
  while (next_ ? next_->at <= offset : known_ <= offset) {
    if (next_) current_ = std::exchange(next_, std::nullopt);
    next_ = NextObject();
    if (next_) continue;
    // An object's line is there before its first byte can have come.
    known_ = received;
    break;
  }
  StreamPosition position;
  position.epoch = head_.epoch;
  position.settings = head_.settings;
  if (!current_) return position;
  position.object = current_->object;
  position.name = current_->name;
  position.etag = current_->etag;
  position.objects = current_->objects;
  position.offset = current_->offset + (offset - current_->at);
  return position;
}

bool ObjectLogReader::HasObjects() {
  if (!current_ && !next_) next_ = NextObject();
  return current_ || next_;
}

// False where there is no whole line yet.
bool ObjectLogReader::NextLine(std::string* line) {
  size_t end;
  while ((end = text_.find('\n')) == std::string::npos) {
    char chunk[16384];
    const ssize_t got = pread(file_->get(), chunk, sizeof chunk, read_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError("reading " + path_, errno);
    if (got == 0) {
      CheckWhole();
      return false;
    }
    read_ += got;
    text_.append(chunk, static_cast<size_t>(got));
  }
  line->assign(text_, 0, end);
  text_.erase(0, end + 1);
  return true;
}

void ObjectLogReader::CheckWhole() const {
  struct stat status{};
  if (fstat(file_->get(), &status) == 0 && status.st_size >= read_) return;
  throw Unfinished();
}

std::string ObjectLogReader::Describe() const {
  return path_ + (exists() ? " is there" : empty_ ? " is empty" : " is not there");
}

Error ObjectLogReader::Unfinished() const {
  return Error(ErrorKind::kUnavailable,
               "the position in the stream is not known: the prefetcher could not write " + path_ +
                   " any further; make room on that disk, and save in the next epoch");
}

std::optional<LoggedObject> ObjectLogReader::NextObject() {
  std::string line;
  if (!NextLine(&line)) return std::nullopt;
  return Parsed(ParseObject, line, path_);
}

}  // namespace smtf
