#include "reeltag/model/weights.hpp"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"

namespace reeltag::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class WeightsFile : public testing::Test {
 protected:
  TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "w.safetensors";

  void write(const std::string& header, const std::string& data) const {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
    write_file(path, bytes + header + data);
  }
  [[nodiscard]] std::string refusal() const {
    try {
      static_cast<void>(read_weights(path));
    } catch (const Exception& e) {
      return e.what();
    }
    return "accepted";
  }
};

TEST_F(WeightsFile, EveryFloatingPointTypeIsRead) {
  using std::string_literals::operator""s;
  // 1.5 and -2 as float16, bfloat16, float32 and float64.
  write(R"({"half":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},)"
        R"("brain":{"dtype":"BF16","shape":[1,2],"data_offsets":[4,8]},)"
        R"("single":{"dtype":"F32","shape":[2,1],"data_offsets":[8,16]},)"
        R"("double":{"dtype":"F64","shape":[2],"data_offsets":[16,32]}})",
        "\x00\x3e\x00\xc0"s + "\xc0\x3f\x00\xc0"s + "\x00\x00\xc0\x3f\x00\x00\x00\xc0"s +
            "\x00\x00\x00\x00\x00\x00\xf8\x3f\x00\x00\x00\x00\x00\x00\x00\xc0"s);
  const Weights weights = read_weights(path);
  EXPECT_EQ(weights.size(), 4U);
  for (const char* name : {"half", "brain", "single", "double"})
    EXPECT_THAT(weights.at(name).values, ElementsAre(1.5F, -2.0F)) << name;
  EXPECT_THAT(weights.at("brain").shape, ElementsAre(1, 2));
  EXPECT_EQ(weights.find("nothing"), nullptr);
  EXPECT_THROW(static_cast<void>(weights.at("nothing")), Exception);
}

TEST_F(WeightsFile, TheEdgesOfFloat16) {
  using std::string_literals::operator""s;
  // The smallest number, the largest below the normal ones, the largest, minus zero, infinity, no number.
  write(R"({"w":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}})",
        "\x01\x00\xff\x03\xff\x7b\x00\x80\x00\x7c\x01\x7e"s);
  const auto values = read_weights(path).at("w").values;
  EXPECT_EQ(values[0], 0x1p-24F);
  EXPECT_EQ(values[1], 1023 * 0x1p-24F);
  EXPECT_EQ(values[2], 65504.0F);
  EXPECT_TRUE(values[3] == 0.0F && std::signbit(values[3]));
  EXPECT_TRUE(std::isinf(values[4]) && values[4] > 0);
  EXPECT_TRUE(std::isnan(values[5]));
}

TEST_F(WeightsFile, WhatIsNoFloatingPointNumberIsRefused) {
  write(R"({"w":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", std::string(8, '\0'));
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("w.safetensors"), HasSubstr("I64")));
}

TEST_F(WeightsFile, ContradictionsAreRefused) {
  const std::string data(16, '\0');
  write(R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,17]}})", data);
  EXPECT_THAT(refusal(), HasSubstr("outside the file"));
  write(R"({"w":{"dtype":"F32","shape":[5],"data_offsets":[0,16]}})", data);
  EXPECT_THAT(refusal(), HasSubstr("another size"));
  write(R"({"w":{"dtype":"F32","shape":[2147483648,2147483648],"data_offsets":[0,16]}})", data);
  EXPECT_THAT(refusal(), HasSubstr("larger than any file"));
  write(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
      data);
  EXPECT_THAT(refusal(), HasSubstr("overlaps"));
}

TEST_F(WeightsFile, WhatIsWrittenIsReadBack) {
  const NamedArrays arrays{{"b", {{2, 2}, {1.5F, -2.0F, 0.1F, 3e-8F}}}, {"a", {{0}, {}}}, {"c", {{1}, {65503.0F}}}};
  write_weights(path, arrays, Precision::float32);
  for (const auto& [name, array] : arrays) {
    EXPECT_EQ(read_weights(path).at(name).values, array.values) << name;
    EXPECT_EQ(read_weights(path).at(name).shape, array.shape) << name;
  }
  std::ifstream in(path, std::ios::binary);
  EXPECT_EQ(read_safetensors_header(in, path).metadata.at("format"), "pt");
}

// Every binary16 number, what lies between it and the next, and the halves that go to the even one.
TEST_F(WeightsFile, Float16IsTheNearestNumber) {
  NamedArrays arrays{{"w", {}}};
  std::vector<float> want;
  auto& values = arrays[0].second.values;
  const auto number = [](int bits) {
    const int exponent = bits >> 10, fraction = bits & 1023;
    return exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                         : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  };
  for (int bits = 0; bits + 1 < 0x7C00; ++bits) {
    const float low = number(bits), high = number(bits + 1), middle = (low + high) / 2;
    for (const float sign : {1.0F, -1.0F}) {
      values.insert(values.end(), {sign * low, sign * std::nextafter(middle, low), sign * middle,
                                   sign * std::nextafter(middle, high)});
      want.insert(want.end(), {sign * low, sign * low, sign * (bits % 2 == 0 ? low : high), sign * high});
    }
  }
  values.insert(values.end(), {65519.0F, 65520.0F, 1e30F, -1e30F});
  want.insert(want.end(), {65504.0F, INFINITY, INFINITY, -INFINITY});
  arrays[0].second.shape = {static_cast<std::int64_t>(values.size())};
  write_weights(path, arrays, Precision::float16);
  EXPECT_EQ(read_weights(path).at("w").values, want);
}

TEST(ClosedForm, DependsOnNameAndPlaceOnly) {
  const auto a = closed_form("blocks.0.attn.qkv.weight", 8, 0.0, 1.0);
  const auto longer = closed_form("blocks.0.attn.qkv.weight", 16, 0.0, 1.0);
  EXPECT_TRUE(std::equal(a.begin(), a.end(), longer.begin()));
  EXPECT_NE(closed_form("blocks.1.attn.qkv.weight", 8, 0.0, 1.0), a);
  for (const float value : longer) EXPECT_LE(std::abs(value), 1.0F);
  for (const float value : closed_form_weight("norm.weight", {64})) EXPECT_NEAR(value, 1.0F, 0.1F);
  for (const float value : closed_form_weight("head.projection.weight", {10, 75})) EXPECT_LE(std::abs(value), 0.2F);
}

}  // namespace
}  // namespace reeltag::model
