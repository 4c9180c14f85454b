#include "encoding/object_encoder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "encoding/encoding.h"
#include "encoding/gzip_data.h"
#include "pipe/fifo_writer.h"
#include "pipe/wakeup.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

TEST(PlainEncoderTest, PassesPartsUncopied) {
  const auto encoder = MakeEncoder(false, false);
  HoldingSink sink;
  const TestObject object{"some bytes"};
  const auto memory = std::make_shared<std::string>(object.bytes);
  EXPECT_TRUE(encoder->Write(SpecOf(object, 0, 0, 10), *memory, memory, sink.sink()));
  ASSERT_EQ(sink.pieces().size(), 1u);
  EXPECT_EQ(sink.pieces()[0].data(), memory->data());
  EXPECT_EQ(sink.owners()[0], memory);
  EXPECT_TRUE(encoder->Write(SpecOf(TestObject{""}, 1, 0, 0), "", nullptr, sink.sink()));
  EXPECT_EQ(sink.pieces().size(), 1u);
}

TEST(PlainEncoderTest, SaysThatTheReaderIsGone) {
  HoldingSink sink;
  sink.CloseAfter(2);
  EXPECT_FALSE(
      WriteObject(MakeEncoder(false, false).get(), {std::string(50, 'x')}, 0, 10, sink.sink()));
  EXPECT_EQ(sink.pieces().size(), 2u);
}

// A slow reader on a real pipe: what it refers to must not change under it.
TEST(ObjectEncoderTest, ThePipeSeesEveryByteAsItWas) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::vector<TestObject> objects;
  std::vector<std::string> expected;
  for (unsigned i = 0; i < 40; ++i) {
    const size_t size = i % 3 == 0 ? 3000 : i * 50001;
    expected.push_back(i % 2 ? SomeText(size, i) : Noise(size, i));
    objects.push_back({Gzip(expected.back())});
  }
  std::string stream;
  std::thread reader([&] {
    const int fd = open(path.c_str(), O_RDONLY);
    std::string chunk(20000, '\0');
    for (ssize_t got; (got = read(fd, &chunk[0], chunk.size())) > 0;) {
      stream.append(chunk, 0, static_cast<size_t>(got));
      std::this_thread::yield();
    }
    close(fd);
  });
  const Wakeup stop;
  FifoWriter writer(path, &stop);
  writer.Open();
  const auto encoder = MakeEncoder(true, true);
  for (size_t i = 0; i < objects.size(); ++i) {
    EXPECT_TRUE(WriteObject(encoder.get(), objects[i], i, 256 * 1024,
                            [&writer](std::string_view bytes, std::shared_ptr<const void> owner) {
                              return writer.Write(bytes, std::move(owner));
                            }));
  }
  writer.Drain();
  writer.Close();
  reader.join();
  EXPECT_TRUE(RecordsOf(stream) == expected);
}

}  // namespace
}  // namespace smtf
