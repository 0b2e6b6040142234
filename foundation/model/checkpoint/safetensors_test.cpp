#include "reeltag/model/safetensors.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "reeltag/base/file.hpp"

namespace reeltag::model {
namespace {

class Safetensors : public testing::Test {
 protected:
  TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "x.safetensors";

  // A file of a header and data bytes, with the given or the right header length.
  void write_raw(const std::string& header, const std::string& data, std::int64_t length = -1) const {
    std::string bytes(8, '\0');
    const auto n = static_cast<std::uint64_t>(length < 0 ? static_cast<std::int64_t>(header.size()) : length);
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(n >> (8 * i));
    write_file(path, bytes + header + data);
  }
  [[nodiscard]] std::string refusal() const {
    try {
      read_safetensors(path);
    } catch (const Exception& e) {
      EXPECT_EQ(e.code(), Code::corrupt);
      EXPECT_THAT(e.what(), testing::HasSubstr("x.safetensors"));
      return e.what();
    }
    return "accepted";
  }
};

TEST_F(Safetensors, GivesBackWhatWasWritten) {
  TensorFile file;
  file.tensors = {{"a", torch::randn({2, 3})},
                  {"half", torch::randn({4}).to(torch::kHalf)},
                  {"empty", torch::zeros({0, 5})},
                  {"scalar", torch::tensor(3, torch::kInt64)},
                  {"turned", torch::randn({2, 3}).t()}};
  file.metadata["who"] = "test";
  write_safetensors(path, file);
  const TensorFile back = read_safetensors(path);
  for (const auto& [name, tensor] : file.tensors) {
    EXPECT_TRUE(back.at(name).equal(tensor)) << name;
    EXPECT_EQ(back.at(name).scalar_type(), tensor.scalar_type());
  }
  EXPECT_EQ(back.metadata.at("who"), "test");
  EXPECT_THROW(static_cast<void>(back.at("nothing")), Exception);
}

TEST_F(Safetensors, RefusesWhatContradictsItself) {
  const std::string data(16, '\0');
  write_raw("{}", "", 1'000'000'000'000);
  EXPECT_THAT(refusal(), testing::HasSubstr("longer than the file"));
  write_raw("{oops", "");
  EXPECT_THAT(refusal(), testing::HasSubstr("JSON"));
  write_raw(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,32]}})", data);
  EXPECT_THAT(refusal(), testing::HasSubstr("outside"));
  write_raw(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}})", data);
  EXPECT_THAT(refusal(), testing::HasSubstr("another size"));
  write_raw(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,16]}})", data);
  EXPECT_THAT(refusal(), testing::HasSubstr("larger than any file"));
  write_raw(R"({"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}})", data);
  EXPECT_THAT(refusal(), testing::HasSubstr("negative"));
  write_raw(R"({"a":{"dtype":"X9","shape":[4],"data_offsets":[0,16]}})", data);
  EXPECT_THAT(refusal(), testing::HasSubstr("X9"));
  write_raw(R"({"a":{"dtype":"F32","shape":[4]}})", data);
  EXPECT_THAT(refusal(), testing::HasSubstr("incomplete"));
  write_raw(
      R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})",
      data);
  EXPECT_THAT(refusal(), testing::HasSubstr("overlaps"));
  write_file(path, "abc");
  EXPECT_THAT(refusal(), testing::HasSubstr("shorter"));
}

TEST_F(Safetensors, MissingFileIsNotFound) {
  try {
    read_safetensors(folder.path() / "none");
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.code(), Code::not_found);
  }
}

}  // namespace
}  // namespace reeltag::model
