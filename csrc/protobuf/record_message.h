// Amazon's RecordIO-protobuf records: which tensors an aialgs.data.Record holds.
//
//   message Record { map<string, Value> features = 1; map<string, Value> label = 2;
//                    string uid = 3; string metadata = 4; string configuration = 5; }
//   message Value { oneof value { Float32Tensor float32_tensor = 2; Float64Tensor float64_tensor =
//   3;
//                                 Int32Tensor int32_tensor = 7; Bytes bytes = 9; } }
//
// Source: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
#ifndef SMTF_PROTOBUF_RECORD_MESSAGE_H_
#define SMTF_PROTOBUF_RECORD_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace smtf {

// The two maps of a Record, by their field numbers.
enum class RecordMap : uint8_t { kFeatures = 1, kLabel = 2 };

// What a Value holds, by the field numbers of its oneof, which the type has room for.
enum class TensorKind : uint32_t { kNone = 0, kFloat32 = 2, kFloat64 = 3, kInt32 = 7, kBytes = 9 };

// "float32", ..., "bytes", "nothing".
const char* TensorKindName(TensorKind kind);

// The content of one Value, as bytes of the message that its oneof holds. They lie in the record,
// which must outlive this; or here, where a writer has put the message into pieces.
class TensorMessage {
 public:
  // Whether the record has a Value of that name at all.
  bool present() const { return present_; }
  TensorKind kind() const { return kind_; }
  std::string_view bytes() const { return joined_ ? *joined_ : bytes_; }

  // Takes over what the bytes of a Value say. A later piece of the same kind is added to the
  // message, one of another kind replaces it: what protobuf's parsers do.
  void Merge(std::string_view value);
  // Of an entry of a map that repeats an earlier one's key: the last one counts.
  void Begin();

 private:
  void Add(TensorKind kind, std::string_view bytes);

  bool present_ = false;
  TensorKind kind_ = TensorKind::kNone;
  std::string_view bytes_;
  std::unique_ptr<std::string> joined_;
};

// Looks for tensors by their names. Const calls may be made by many threads.
class RecordFinder {
 public:
  struct Name {
    RecordMap map;
    std::string name;
  };

  // The names are found by their places in `names`; none may be there twice.
  explicit RecordFinder(std::vector<Name> names);

  // Fills `found`, which has a TensorMessage for each name; names that the record does not have are
  // absent. Throws an Error of kind kInvalidArgument where `record` is no Record; tensors
  // that nobody asked for are not looked into.
  void Find(std::string_view record, TensorMessage* found) const;

 private:
  struct Place {
    Name name;
    size_t index;
  };
  TensorMessage* Wanted(RecordMap map, std::string_view name, TensorMessage* found) const;

  std::vector<Place> places_;  // sorted
};

// For messages: "features 'a', 'b'; no labels". At most five of each.
std::string NamesIn(std::string_view record);

}  // namespace smtf

#endif  // SMTF_PROTOBUF_RECORD_MESSAGE_H_
