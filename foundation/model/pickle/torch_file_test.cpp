#include "reeltag/model/torch_file.hpp"

#include <cstdlib>
#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"
#include "zip.hpp"

namespace reeltag::model {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

std::string bytes_of(const std::vector<float>& values) {
  std::string out(values.size() * 4, '\0');
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

std::string written() {
  TemporaryFolder folder;
  const std::string a = bytes_of({1, 2, 3, 4, 5, 6}), b = bytes_of({-0.5F});
  write_torch_file(folder.path() / "x.pyth", {{"a.weight", {2, 3}, a}, {"b", {}, b}}, 4, "MVIT:\n  DEPTH: 4\n");
  return *read_file(folder.path() / "x.pyth", 1 << 20);
}

std::string refusal(std::string bytes, Code code = Code::corrupt) {
  try {
    TorchFile file(memory_source("x.pyth", std::move(bytes)));
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    EXPECT_THAT(e.what(), HasSubstr("x.pyth"));
    return e.what();
  }
  return "accepted";
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string little(std::uint64_t value, std::size_t width) {
  std::string out(width, '\0');
  for (std::size_t i = 0; i < width; ++i) out[i] = static_cast<char>(value >> (8 * i));
  return out;
}

// What torch.save(..., _use_new_zipfile_serialization=False) writes of {"w": a 2x3 tensor seen through its transpose}.
std::string legacy(const std::string& little_endian = "\x88") {
  const std::string storage = "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x02\0\0\0"s + "77X\x03\0\0\0cpuK\x06NtQ"s;
  return "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}X\x0d\0\0\0little_endian"s +
         little_endian + "s.\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n("s + storage +
         "K\0K\x03K\x02\x86K\x01K\x03\x86\x89"
         "ccollections\nOrderedDict\n)RtRs.\x80\x02]X\x02\0\0\0"s +
         "77a."s + little(6, 8) + bytes_of({1, 2, 3, 4, 5, 6});
}

// No input may crash; what is accepted must be readable to the last element.
void read_all(const std::string& bytes) {
  try {
    const TorchFile file(memory_source("x.pyth", bytes));
    std::vector<const PickleValue*> open{&file.root()};
    for (int steps = 0; !open.empty() && steps < 100'000; ++steps) {
      const PickleValue* value = open.back();
      open.pop_back();
      if (value->tensor) {
        EXPECT_EQ(file.elements(*value->tensor).size(), value->tensor->count() * size_of(value->tensor->storage->type));
      }
      open.insert(open.end(), value->items.begin(), value->items.end());
    }
  } catch (const Exception& e) {
    EXPECT_THAT(e.what(), HasSubstr("x.pyth"));
  }
}

TEST(TorchFile, GivesBackWhatWasWritten) {
  const TorchFile file(memory_source("x.pyth", written()));
  EXPECT_STREQ(file.format(), "torch zip");
  EXPECT_EQ(file.root().find("epoch")->integer, 4);
  EXPECT_EQ(file.root().find("cfg")->text, "MVIT:\n  DEPTH: 4\n");
  const auto state = file.root().find("model_state")->entries();
  ASSERT_EQ(state.size(), 2U);
  EXPECT_EQ(state[0].first, "a.weight");
  EXPECT_THAT(state[0].second->tensor->shape, testing::ElementsAre(2, 3));
  EXPECT_EQ(file.elements(*state[0].second->tensor), bytes_of({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(file.elements(*state[1].second->tensor), bytes_of({-0.5F}));
}

TEST(TorchFile, ReadsTheLegacyFormatAndPacksViews) {
  const TorchFile file(memory_source("x.pyth", legacy()));
  EXPECT_STREQ(file.format(), "torch legacy");
  EXPECT_EQ(file.elements(*file.root().find("w")->tensor), bytes_of({1, 4, 2, 5, 3, 6}));
}

TEST(TorchFile, RefusesOtherByteOrders) {
  EXPECT_THAT(refusal(legacy("\x89"), Code::unsupported), HasSubstr("big-endian"));
  EXPECT_THAT(refusal(replaced(written(), "little", "big!!!"), Code::unsupported), HasSubstr("big-endian"));
}

TEST(TorchFile, RefusesWhatIsNoCheckpoint) {
  EXPECT_THAT(refusal("hello"), HasSubstr("cannot be read"));
  EXPECT_THAT(refusal(""), HasSubstr("ends"));
  EXPECT_THAT(refusal("\x80\x02K\x01."), HasSubstr("torch.save did not write"));
  EXPECT_THAT(refusal("PK\x03\x04"), HasSubstr("complete"));
  EXPECT_THAT(refusal(replaced(written(), "data.pkl", "data.txt")), HasSubstr("no data.pkl"));
  EXPECT_THAT(refusal(replaced(written(), "archive/data/1", "archive/data/7")), HasSubstr("storage 1 is missing"));
  EXPECT_THAT(refusal(replaced(written(), "FloatStorage", "FlootStorage")), HasSubstr("torch.FlootStorage"));
  try {
    file_source("/nonexistent/x.pyth");
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::not_found);
  }
}

TEST(TorchFile, RefusesStoragesThatAreShorterThanTheirTensors) {
  std::string bytes = written();
  // The count of storage 0: "cpu" J 6.
  const auto at = bytes.find("cpuJ");
  bytes[at + 4] = 7;
  EXPECT_THAT(refusal(bytes), HasSubstr("storage 0 is shorter"));
  std::string old = legacy();
  EXPECT_THAT(refusal(old.substr(0, old.size() - 1)), HasSubstr("middle of storage 77"));
}

TEST(TorchFile, RefusesCompressedAndEncryptedEntries) {
  std::string bytes = written();
  const auto at = bytes.rfind("PK\x01\x02");
  bytes[at + 10] = 8;
  EXPECT_THAT(refusal(bytes, Code::unsupported), HasSubstr("compressed"));
  bytes[at + 8] = 1;
  EXPECT_THAT(refusal(bytes, Code::unsupported), HasSubstr("encrypted"));
}

TEST(TorchFile, ReadsZip64Directories) {
  // The classic end record replaced by a zip64 one.
  std::string bytes = written();
  const auto end = bytes.rfind("PK\x05\x06");
  std::uint32_t size = 0, offset = 0;
  std::memcpy(&size, bytes.data() + end + 12, 4);
  std::memcpy(&offset, bytes.data() + end + 16, 4);
  const std::string big = "PK\x06\x06"s + little(44, 8) + little(0, 4) + little(0, 8) + little(5, 8) + little(5, 8) +
                          little(size, 8) + little(offset, 8);
  const std::string locator = "PK\x06\x07"s + little(0, 4) + little(end, 8) + little(1, 4);
  const std::string classic = "PK\x05\x06"s + little(0, 4) + std::string(12, '\xff') + little(0, 2);
  const TorchFile file(memory_source("x.pyth", bytes.substr(0, end) + big + locator + classic));
  EXPECT_EQ(file.root().find("epoch")->integer, 4);
}

TEST(TorchFile, Crc32IsZips) { EXPECT_EQ(crc32("123456789"), 0xCBF43926U); }

TEST(TorchFile, NeverCrashesOnChangedBytes) {
  std::mt19937 random(7);
  for (const std::string& whole : {written(), legacy()}) {
    for (std::size_t n = 0; n < whole.size(); ++n) read_all(whole.substr(0, n));
    for (int i = 0; i < 20'000; ++i) {
      std::string bytes = whole;
      for (unsigned k = 0; k <= random() % 4; ++k) {
        char& byte = bytes[random() % bytes.size()];
        byte = static_cast<char>(random() % 3 == 0 ? random() : static_cast<unsigned char>(byte) ^ 1U << random() % 8);
      }
      read_all(bytes);
    }
  }
}

// The files that the reference wrote.
class TorchFileGolden : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("REELTAG_SHARED");
    if (shared == nullptr) GTEST_SKIP() << "needs REELTAG_SHARED";
    bytes_ = value_or_throw(read_file(std::filesystem::path(shared) / "goldens" / GetParam(), 1 << 24));
  }
  std::string bytes_;
};

TEST_P(TorchFileGolden, IsRead) {
  const TorchFile file(memory_source("x.pyth", bytes_));
  const auto state = file.root().find("model_state")->entries();
  EXPECT_EQ(state.size(), 107U);
  for (const auto& [name, value] : state) {
    ASSERT_NE(value->tensor, nullptr) << name;
    EXPECT_EQ(file.elements(*value->tensor).size(), value->tensor->count() * 4);
  }
}

TEST_P(TorchFileGolden, NeverCrashesWhenCutOrChanged) {
  for (std::size_t n = 0; n < bytes_.size(); n += 64) {
    if (n > 65536 && n % 4096 != 0) continue;
    read_all(bytes_.substr(0, n));
  }
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    std::string bytes = bytes_;
    // Where the structure is: the pickle at the start, the directory at the end.
    const std::size_t place = random() % 2 == 0 ? random() % 16384 : bytes.size() - 1 - random() % 16384;
    bytes[place] = static_cast<char>(static_cast<unsigned char>(bytes[place]) ^ 1U << random() % 8);
    read_all(bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, TorchFileGolden,
                         testing::Values("d02_checkpoint_epoch_00005.pyth", "d02_legacy_format.pyth"),
                         [](const auto& file) { return std::string(file.param).substr(4, 6); });

}  // namespace
}  // namespace reeltag::model
