// The parser of RecordIO-protobuf records on any bytes.
//
// Whatever they are, it either refuses them with an InvalidArgument or gives tensors; and those
// are the same when they are written again the way that writers do, when the record stands in front
// of itself, and when a sparse one is read as dense.
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "errors.h"
#include "fuzz_readers.h"
#include "protobuf/number_tensor.h"
#include "protobuf/record_message.h"
#include "protobuf/tensor_request.h"
#include "protobuf/tensor_rows.h"

namespace {

using namespace smtf;

const std::vector<RecordFinder::Name>& Names() {
  static const auto* names = new std::vector<RecordFinder::Name>{
      {RecordMap::kFeatures, "values"}, {RecordMap::kLabel, "values"}, {RecordMap::kFeatures, ""}};
  return *names;
}

size_t Width(TensorKind kind) { return kind == TensorKind::kFloat64 ? 8 : 4; }

// Memory of just the size, so that a write beyond it is seen.
struct Numbers {
  explicit Numbers(size_t size) : bytes(size), memory(new char[size]) {}
  bool operator==(const Numbers& other) const {
    return bytes == other.bytes &&
           (bytes == 0 || std::memcmp(memory.get(), other.memory.get(), bytes) == 0);
  }
  size_t bytes;
  std::unique_ptr<char[]> memory;
};

// What `body` gives, or nothing where it throws the one kind of error that there may be.
template <typename Body>
auto Try(const Body& body) -> std::optional<decltype(body())> {
  try {
    return body();
  } catch (const Error& error) {
    fuzz::Require(error.kind() == ErrorKind::kInvalidArgument, "every refusal is InvalidArgument");
    return std::nullopt;
  }
}

std::string Varint(uint64_t number) {
  std::string encoded;
  for (; number > 127; number >>= 7) encoded += static_cast<char>((number & 127) | 128);
  return encoded + static_cast<char>(number);
}

std::string Field(char tag, const std::string& content) {
  return tag + Varint(content.size()) + content;
}

// Dense numbers as one packed field.
std::string Written(TensorKind kind, const Numbers& numbers) {
  std::string content(numbers.memory.get(), numbers.bytes);
  if (kind != TensorKind::kInt32) return Field(0x0a, content);
  std::string varints;
  for (size_t at = 0; at < content.size(); at += sizeof(int32_t)) {
    int32_t number;
    std::memcpy(&number, content.data() + at, sizeof(number));
    varints += Varint(static_cast<uint64_t>(int64_t{number}));
  }
  return Field(0x0a, varints);
}

std::optional<Numbers> ReadDense(const TensorRequest& request, const TensorMessage& message) {
  return Try([&] {
    Numbers row(static_cast<size_t>(request.size()) * Width(request.kind));
    FillDenseRow(request, message, row.memory.get());
    return row;
  });
}

void CheckDense(TensorRequest request, const TensorMessage& message, size_t values) {
  request.shape = {static_cast<int64_t>(values)};
  const auto row = ReadDense(request, message);
  if (!row) return;
  const std::string tensor = Written(request.kind, *row);
  TensorMessage again;
  again.Begin();
  const std::string value =
      Field(static_cast<char>(static_cast<int>(request.kind) << 3 | 2), tensor);
  again.Merge(value);
  const auto same = ReadDense(request, again);
  fuzz::Require(same && *same == *row, "what is written again is read again");
}

// Keys ascend within the shape; and where that is small the dense tensor has the same values.
void CheckSparse(TensorRequest request, const TensorMessage& message, bool small) {
  request.shape = {small ? 300 : int64_t{1} << 40};
  const auto count = Try([&] { return CountSparseValues(request, message); });
  if (!count) return;
  const size_t width = Width(request.kind);
  Numbers values(*count * width);
  Numbers places(*count * 2 * sizeof(int64_t));
  int64_t* indices = reinterpret_cast<int64_t*>(places.memory.get());
  std::vector<uint64_t> keys;
  const auto filled = Try([&] {
    FillSparseRow(request, message, 7, indices, values.memory.get(), &keys);
    return true;
  });
  const auto row = small ? ReadDense(request, message) : std::nullopt;
  if (!filled) fuzz::Require(!row, "what cannot be sparse cannot be dense");
  for (size_t i = 0; filled && i < *count; ++i) {
    const int64_t key = indices[2 * i + 1];
    fuzz::Require(indices[2 * i] == 7 && key < request.shape[0], "indices lie within the shape");
    fuzz::Require(key > (i == 0 ? -1 : indices[2 * i - 1]), "keys ascend");
    if (!row) continue;
    const char* number = row->memory.get() + static_cast<size_t>(key) * width;
    fuzz::Require(std::memcmp(number, values.memory.get() + i * width, width) == 0,
                  "dense and sparse agree");
  }
}

void CheckTensor(const RecordFinder::Name& name, const TensorMessage& message) {
  if (message.kind() == TensorKind::kNone || message.kind() == TensorKind::kBytes) return;
  const auto values = Try([&] { return NumberTensor(message.kind(), message.bytes()).values(); });
  if (!values) return;
  TensorRequest request;
  request.map = name.map;
  request.name = name.name;
  request.kind = message.kind();
  CheckDense(request, message, *values);
  CheckSparse(request, message, true);
  CheckSparse(request, message, false);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string record(reinterpret_cast<const char*>(data), size);
  const std::string twice = record + record;
  const RecordFinder finder(Names());
  std::vector<TensorMessage> found(Names().size()), again(Names().size());
  const auto find = [&](const std::string& bytes, std::vector<TensorMessage>* messages) {
    return Try([&] {
      finder.Find(bytes, messages->data());
      return NamesIn(bytes);
    });
  };
  if (!find(record, &found)) return 0;
  fuzz::Require(find(twice, &again).has_value(), "a record twice is a record");
  for (size_t i = 0; i < found.size(); ++i) {
    fuzz::Require(found[i].present() == again[i].present() && found[i].kind() == again[i].kind() &&
                      found[i].bytes() == again[i].bytes(),
                  "the last of two equal entries is the first");
    CheckTensor(Names()[i], found[i]);
  }
  return 0;
}
