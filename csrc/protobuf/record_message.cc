#include "protobuf/record_message.h"

#include <algorithm>
#include <utility>

#include "protobuf/wire_reader.h"

namespace smtf {
namespace {

// An entry of map<string, Value>, as protobuf encodes maps.
constexpr uint32_t kEntryKey = 1;
constexpr uint32_t kEntryValue = 2;

constexpr size_t kMostNames = 5;

bool IsEntry(const WireField& field) {
  return field.type == WireType::kBytes &&
         (field.number == static_cast<uint32_t>(RecordMap::kFeatures) ||
          field.number == static_cast<uint32_t>(RecordMap::kLabel));
}

// What an entry holds. A key that is left out is the empty string.
struct EntryParts {
  std::string_view key;
  std::string_view value;  // the last one
  size_t values = 0;
};

EntryParts PartsOf(std::string_view entry) {
  EntryParts parts;
  WireReader reader(entry);
  WireField field;
  while (reader.Next(&field)) {
    if (field.type != WireType::kBytes) continue;
    if (field.number == kEntryKey) parts.key = field.bytes;
    if (field.number == kEntryValue) {
      parts.value = field.bytes;
      ++parts.values;
    }
  }
  return parts;
}

void MergeValues(std::string_view entry, TensorMessage* message) {
  WireReader reader(entry);
  WireField field;
  while (reader.Next(&field)) {
    if (field.number == kEntryValue && field.type == WireType::kBytes) message->Merge(field.bytes);
  }
}

bool Before(RecordMap map, std::string_view name, RecordMap other_map, std::string_view other) {
  if (map != other_map) return map < other_map;
  return name.size() != other.size() ? name.size() < other.size() : name < other;
}

std::string Listed(const char* what, const std::vector<std::string_view>& names) {
  if (names.empty()) return std::string("no ") + what;
  std::string text = what;
  for (size_t i = 0; i < std::min(names.size(), kMostNames); ++i) {
    text += (i == 0 ? " '" : ", '") + std::string(names[i]) + "'";
  }
  return names.size() > kMostNames ? text + ", ..." : text;
}

}  // namespace

const char* TensorKindName(TensorKind kind) {
  switch (kind) {
    case TensorKind::kNone:
      return "nothing";
    case TensorKind::kFloat32:
      return "float32";
    case TensorKind::kFloat64:
      return "float64";
    case TensorKind::kInt32:
      return "int32";
    case TensorKind::kBytes:
      return "bytes";
  }
  return "nothing";
}

void TensorMessage::Begin() {
  *this = TensorMessage();
  present_ = true;
}

void TensorMessage::Merge(std::string_view value) {
  WireReader reader(value);
  WireField field;
  while (reader.Next(&field)) {
    if (field.type != WireType::kBytes) continue;
    switch (static_cast<TensorKind>(field.number)) {
      case TensorKind::kFloat32:
      case TensorKind::kFloat64:
      case TensorKind::kInt32:
      case TensorKind::kBytes:
        Add(static_cast<TensorKind>(field.number), field.bytes);
        break;
      default:
        break;
    }
  }
}

void TensorMessage::Add(TensorKind kind, std::string_view bytes) {
  if (kind != kind_) {
    kind_ = kind;
    bytes_ = bytes;
    joined_.reset();
    return;
  }
  // Two messages behind each other are the two merged.
  if (!joined_) joined_ = std::make_unique<std::string>(bytes_);
  joined_->append(bytes);
}

RecordFinder::RecordFinder(std::vector<Name> names) {
  for (Name& name : names) places_.push_back({std::move(name), places_.size()});
  std::sort(places_.begin(), places_.end(), [](const Place& a, const Place& b) {
    return Before(a.name.map, a.name.name, b.name.map, b.name.name);
  });
}

TensorMessage* RecordFinder::Wanted(RecordMap map, std::string_view name,
                                    TensorMessage* found) const {
  const auto place = std::partition_point(places_.begin(), places_.end(), [&](const Place& p) {
    return Before(p.name.map, p.name.name, map, name);
  });
  const bool equal = place != places_.end() && place->name.map == map && place->name.name == name;
  return equal ? found + place->index : nullptr;
}

void RecordFinder::Find(std::string_view record, TensorMessage* found) const try {
  for (size_t i = 0; i < places_.size(); ++i) found[i] = TensorMessage();
  WireReader reader(record);
  WireField field;
  while (reader.Next(&field)) {
    if (!IsEntry(field)) continue;
    const RecordMap map = static_cast<RecordMap>(field.number);
    const EntryParts parts = PartsOf(field.bytes);
    TensorMessage* const message = Wanted(map, parts.key, found);
    if (message == nullptr) continue;
    message->Begin();
    if (parts.values == 1) {
      message->Merge(parts.value);
    } else {
      MergeValues(field.bytes, message);
    }
  }
} catch (const WireError& error) {
  throw Error(error.kind(), "its " + std::to_string(record.size()) +
                                " bytes are no aialgs.data.Record: " + error.what() +
                                "; check record_format, and what wrote the data");
}

std::string NamesIn(std::string_view record) {
  std::vector<std::string_view> features, labels;
  WireReader reader(record);
  WireField field;
  while (reader.Next(&field)) {
    if (!IsEntry(field)) continue;
    const bool feature = field.number == static_cast<uint32_t>(RecordMap::kFeatures);
    (feature ? features : labels).push_back(PartsOf(field.bytes).key);
  }
  return Listed("features", features) + "; " + Listed("labels", labels);
}

}  // namespace smtf
