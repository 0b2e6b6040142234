#include "reeltag/model/weights.hpp"

#include <bit>
#include <cstring>
#include <fstream>
#include <span>

#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"

namespace reeltag::model {
namespace {

// IEEE 754 binary16.
float from_half(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16U, exponent = bits >> 10U & 0x1FU, fraction = bits & 0x3FFU;
  if (exponent == 0) {  // zero, or a number below the normal ones
    const float value = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 0x1FU ? 0xFFU : exponent + 112;  // infinite or no number, else rebiased
  return std::bit_cast<float>(sign | wide << 23U | fraction << 13U);
}

// The nearest IEEE 754 binary16; of two equally near the even one.
std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16U & 0x8000U, magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);   // no number
  if (magnitude >= 0x47800000U) return static_cast<std::uint16_t>(sign | 0x7C00U);  // 65536 and more: infinity
  if (magnitude < 0x38800000U) {  // below the normal numbers: units of 2^-24, which this addition rounds to
    const float rounded = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(rounded) - 0x3F000000U));
  }
  const std::uint32_t odd = magnitude >> 13U & 1U;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000U + 0xFFFU + odd) >> 13U));
}

// The upper half of a binary32.
float from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U); }

template <class Stored, class Convert>
std::vector<float> converted(std::span<const char> bytes, const Convert& convert) {
  std::vector<float> out(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored value{};
    std::memcpy(&value, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = convert(value);
  }
  return out;
}

std::vector<float> floats_of(const std::filesystem::path& file, const StoredArray& array, std::span<const char> bytes) {
  if (array.type == "F32") return converted<float>(bytes, [](float x) { return x; });
  if (array.type == "F16") return converted<std::uint16_t>(bytes, from_half);
  if (array.type == "BF16") return converted<std::uint16_t>(bytes, from_bfloat16);
  if (array.type == "F64") return converted<double>(bytes, [](double x) { return static_cast<float>(x); });
  throw Exception(Code::unsupported, file.string() + ": the weights " + array.name + " are of type " + array.type +
                                         ", not floating-point numbers");
}

}  // namespace

const Array* Weights::find(const std::string& name) const {
  const auto it = arrays_.find(name);
  return it == arrays_.end() ? nullptr : &it->second;
}

const Array& Weights::at(const std::string& name) const {
  if (const auto* array = find(name)) return *array;
  throw Exception(Code::not_found, "no weights are called " + name);
}

Weights read_weights(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  Weights out;
  std::vector<char> bytes;
  for (const auto& array : read_safetensors_header(in, file).arrays) {
    bytes.resize(array.end - array.begin);
    in.seekg(static_cast<std::streamoff>(array.begin));
    if (!bytes.empty() && !in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
      throw Exception(Code::corrupt, file.string() + " ends early");
    out.put(array.name, {array.shape, floats_of(file, array, bytes)});
  }
  return out;
}

void write_weights(const std::filesystem::path& file, const NamedArrays& arrays, Precision precision) {
  const bool half = precision == Precision::float16;
  const std::uint64_t size = half ? sizeof(std::uint16_t) : sizeof(float);
  nlohmann::ordered_json header{{"__metadata__", {{"format", "pt"}}}};
  std::uint64_t offset = 0;
  for (const auto& [name, array] : arrays) {
    const std::uint64_t end = offset + size * array.values.size();
    header[name] = {{"dtype", half ? "F16" : "F32"}, {"shape", array.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // data starts aligned
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(text.size() >> (8 * i));
  bytes += text;
  bytes.reserve(bytes.size() + offset);
  for (const auto& [name, array] : arrays) {
    for (const float value : array.values) {
      const std::uint16_t rounded = half ? to_half(value) : std::uint16_t{0};
      bytes.append(half ? reinterpret_cast<const char*>(&rounded) : reinterpret_cast<const char*>(&value), size);
    }
  }
  write_file(file, bytes);
}

}  // namespace reeltag::model
