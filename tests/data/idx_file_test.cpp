#include "qbitopt/data/idx_file.h"

#include <gmock/gmock.h>

#include "data/files.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Type byte, dimensions, values.
std::string idx(char type, const std::vector<unsigned char>& dimensions,
                const std::string& values) {
  std::string bytes = {0, 0, type, static_cast<char>(dimensions.size())};
  for (const unsigned char size : dimensions)
    bytes += std::string({0, 0, 0, static_cast<char>(size)});
  return bytes + values;
}

class IdxFileTest : public testing::Test {
 protected:
  std::string error() {
    try {
      read_idx_gz(file_);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "images.gz";
};

TEST_F(IdxFileTest, ReadsShapeAndValues) {
  write_gzip(file_, idx(8, {2, 1, 3}, "abcdef"));
  const ByteTensor tensor = read_idx_gz(file_);
  EXPECT_THAT(tensor.shape, ElementsAre(2, 1, 3));
  EXPECT_THAT(tensor.values, ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));
}

TEST_F(IdxFileTest, DimensionsAre32BitsBigEndian) {
  write_gzip(file_, std::string("\0\0\x08\x01\0\0\x01\x02", 8).append(258, 'x'));
  EXPECT_THAT(read_idx_gz(file_).shape, ElementsAre(258));
}

TEST_F(IdxFileTest, AMissingFileIsNamed) { EXPECT_EQ(error(), file_.string() + ": no such file"); }

TEST_F(IdxFileTest, AFileThatIsNotGzipIsRefused) {
  write_raw(file_, "<html>404: this page was not found</html>");
  EXPECT_EQ(error(),
            file_.string() + ": is not gzip (expected a file that begins with the bytes 1f 8b)");
}

TEST_F(IdxFileTest, ATruncatedFileSaysHowFarItGoes) {
  std::string noise;
  for (int i = 0; i < 250; ++i) noise += static_cast<char>(i * i * 37 / 11);
  write_gzip(file_, idx(8, {250}, noise));
  const std::string whole = read_raw(file_);
  write_raw(file_, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(error(), AllOf(HasSubstr("is damaged after "), HasSubstr("it ends too early")));
}

TEST_F(IdxFileTest, AFlippedBitIsFoundByTheChecksum) {
  write_gzip(file_, idx(8, {8}, "abcdefgh"));
  std::string bytes = read_raw(file_);
  bytes[bytes.size() - 6] ^= 1;  // within the CRC
  write_raw(file_, bytes);
  EXPECT_THAT(error(), AllOf(HasSubstr("is damaged"), HasSubstr("incorrect data check")));
}

TEST_F(IdxFileTest, OtherContentIsNotIdx) {
  write_gzip(file_, "some text");
  EXPECT_THAT(error(), HasSubstr("is not an IDX file of bytes"));
  write_gzip(file_, idx(13, {1}, "four"));  // floats
  EXPECT_THAT(error(), HasSubstr("is not an IDX file of bytes"));
}

TEST_F(IdxFileTest, TheNumberOfValuesMustBeThePromisedOne) {
  write_gzip(file_, idx(8, {2, 3}, "abcde"));
  EXPECT_EQ(error(), file_.string() + ": holds 5 values; its dimensions promise 6");
  write_gzip(file_, idx(8, {2, 3}, "abcdefg"));
  EXPECT_EQ(error(), file_.string() + ": holds 7 values; its dimensions promise 6");
  write_gzip(file_, std::string("\0\0\x08\x02\0\0", 6));
  EXPECT_THAT(error(), HasSubstr("ends within its IDX header"));
}

}  // namespace
}  // namespace qbitopt
