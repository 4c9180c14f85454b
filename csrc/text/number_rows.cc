#include "text/number_rows.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "text/number_text.h"

namespace smtf {
namespace {

// Text that is written in place; a string would be told its size before each number.
class Text {
 public:
  void Add(std::string_view part) {
    MakeRoom(part.size());
    text_.replace(used_, part.size(), part);
    used_ += part.size();
  }
  void Add(char byte) {
    MakeRoom(1);
    text_[used_++] = byte;
  }
  template <typename Number>
  void AddNumber(Number value) {
    MakeRoom(kMostNumberChars);
    char* const begin = text_.data() + used_;
    used_ += static_cast<size_t>(WriteNumber(value, begin) - begin);
  }
  std::string Take() {
    text_.resize(used_);
    return std::move(text_);
  }

 private:
  void MakeRoom(size_t size) {
    if (text_.size() - used_ < size) text_.resize(2 * text_.size() + size);
  }

  std::string text_;
  size_t used_ = 0;
};

class ColumnWriter {
 public:
  virtual ~ColumnWriter() = default;
  virtual void AddNext(Text* text) = 0;
};

template <typename Number>
class TypedWriter final : public ColumnWriter {
 public:
  TypedWriter(const NumberColumn& column, bool brackets)
      : column_(column), brackets_(brackets), next_(static_cast<const Number*>(column.values)) {}

  void AddNext(Text* text) override {
    text->Add(column_.before);
    AddDimension(0, text);
  }

 private:
  void AddDimension(size_t dimension, Text* text) {
    if (dimension == column_.shape.size()) return AddValue(*next_++, text);
    if (brackets_) text->Add('[');
    for (size_t i = 0; i < column_.shape[dimension]; ++i) {
      if (i > 0) text->Add(',');
      AddDimension(dimension + 1, text);
    }
    if (brackets_) text->Add(']');
  }

  static void AddValue(bool value, Text* text) { text->Add(value ? "true" : "false"); }
  static void AddValue(int8_t value, Text* text) { text->AddNumber(int64_t{value}); }
  static void AddValue(int16_t value, Text* text) { text->AddNumber(int64_t{value}); }
  static void AddValue(int32_t value, Text* text) { text->AddNumber(int64_t{value}); }
  static void AddValue(int64_t value, Text* text) { text->AddNumber(value); }
  static void AddValue(uint8_t value, Text* text) { text->AddNumber(uint64_t{value}); }
  static void AddValue(uint16_t value, Text* text) { text->AddNumber(uint64_t{value}); }
  static void AddValue(uint32_t value, Text* text) { text->AddNumber(uint64_t{value}); }
  static void AddValue(uint64_t value, Text* text) { text->AddNumber(value); }
  static void AddValue(float value, Text* text) { text->AddNumber(value); }
  static void AddValue(double value, Text* text) { text->AddNumber(value); }

  const NumberColumn& column_;
  const bool brackets_;
  const Number* next_;
};

std::unique_ptr<ColumnWriter> WriterOf(const NumberColumn& column, bool brackets) {
  switch (column.type) {
    case NumberType::kBool:
      return std::make_unique<TypedWriter<bool>>(column, brackets);
    case NumberType::kInt8:
      return std::make_unique<TypedWriter<int8_t>>(column, brackets);
    case NumberType::kInt16:
      return std::make_unique<TypedWriter<int16_t>>(column, brackets);
    case NumberType::kInt32:
      return std::make_unique<TypedWriter<int32_t>>(column, brackets);
    case NumberType::kInt64:
      return std::make_unique<TypedWriter<int64_t>>(column, brackets);
    case NumberType::kUint8:
      return std::make_unique<TypedWriter<uint8_t>>(column, brackets);
    case NumberType::kUint16:
      return std::make_unique<TypedWriter<uint16_t>>(column, brackets);
    case NumberType::kUint32:
      return std::make_unique<TypedWriter<uint32_t>>(column, brackets);
    case NumberType::kUint64:
      return std::make_unique<TypedWriter<uint64_t>>(column, brackets);
    case NumberType::kFloat32:
      return std::make_unique<TypedWriter<float>>(column, brackets);
    case NumberType::kFloat64:
      return std::make_unique<TypedWriter<double>>(column, brackets);
  }
  return nullptr;
}

}  // namespace

std::string NumberRows(const std::vector<NumberColumn>& columns, size_t rows,
                       std::string_view after, bool brackets) {
  std::vector<std::unique_ptr<ColumnWriter>> writers;
  for (const NumberColumn& column : columns) writers.push_back(WriterOf(column, brackets));
  Text text;
  for (size_t row = 0; row < rows; ++row) {
    for (const auto& writer : writers) writer->AddNext(&text);
    text.Add(after);
  }
  return text.Take();
}

}  // namespace smtf
