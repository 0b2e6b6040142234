#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "reeltag/model/weights.hpp"

namespace reeltag::model {
namespace {

using nlohmann::json;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // bytes; the limit of the format's own reader
constexpr std::uint64_t kPrefix = 8;               // bytes: the header's length

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 10> kTypes{{{"F64", 8},
                                                                             {"F32", 4},
                                                                             {"F16", 2},
                                                                             {"BF16", 2},
                                                                             {"I64", 8},
                                                                             {"I32", 4},
                                                                             {"I16", 2},
                                                                             {"I8", 1},
                                                                             {"U8", 1},
                                                                             {"BOOL", 1}}};

[[noreturn]] void corrupt(const std::filesystem::path& path, const std::string& why) {
  throw Exception(Code::corrupt, path.string() + " is not a valid safetensors file: " + why);
}

std::uint64_t bytes_of(const std::filesystem::path& path, const std::string& type) {
  for (const auto& [name, bytes] : kTypes) {
    if (name == type) return bytes;
  }
  corrupt(path, "tensor type " + type.substr(0, 20) + " is unknown");
}

// Bytes that the shape needs; 64-bit overflow is an error, not a wrap.
std::uint64_t bytes_needed(const std::filesystem::path& path, const StoredArray& array) {
  std::uint64_t bytes = bytes_of(path, array.type);
  for (const auto n : array.shape) {
    if (n < 0) corrupt(path, "tensor " + array.name + " has a negative size");
    if (n != 0 && bytes > std::numeric_limits<std::int64_t>::max() / static_cast<std::uint64_t>(n))
      corrupt(path, "tensor " + array.name + " is larger than any file");
    bytes *= static_cast<std::uint64_t>(n);
  }
  return bytes;
}

// data: the bytes of the file after the header, which starts at `start`.
StoredArray parse_entry(const std::filesystem::path& path, const std::string& name, const json& value,
                        std::uint64_t start, std::uint64_t data) {
  StoredArray array{.name = name, .type = {}, .shape = {}};
  try {
    array.type = value.at("dtype").get<std::string>();
    array.shape = value.at("shape").get<std::vector<std::int64_t>>();
    std::tie(array.begin, array.end) = value.at("data_offsets").get<std::pair<std::uint64_t, std::uint64_t>>();
  } catch (const json::exception&) {
    corrupt(path, "the header's entry for " + name.substr(0, 80) + " is incomplete");
  }
  const std::uint64_t needed = bytes_needed(path, array);
  if (array.begin > array.end || array.end > data) corrupt(path, "tensor " + name + " lies outside the file");
  if (array.end - array.begin != needed) corrupt(path, "tensor " + name + " has another size than its shape");
  array.begin += start;
  array.end += start;
  return array;
}

json read_json_header(std::ifstream& in, const std::filesystem::path& path, std::uint64_t size, std::uint64_t& length) {
  std::array<unsigned char, kPrefix> prefix{};
  if (size < kPrefix || !in.read(reinterpret_cast<char*>(prefix.data()), kPrefix))
    corrupt(path, "shorter than its header");
  for (std::size_t i = kPrefix; i-- > 0;) length = length << 8U | prefix[i];
  if (length > kMaxHeader || length > size - kPrefix) corrupt(path, "the header is longer than the file");
  std::string text(length, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(length))) corrupt(path, "shorter than its header");
  json header = json::parse(text, nullptr, false);
  if (!header.is_object()) corrupt(path, "the header is not a JSON object");
  return header;
}

}  // namespace

SafetensorsHeader read_safetensors_header(std::ifstream& in, const std::filesystem::path& file) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  if (!in || error) throw Exception(Code::not_found, "cannot read " + file.string());
  std::uint64_t length = 0;
  const json header = read_json_header(in, file, size, length);
  SafetensorsHeader out;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      if (!value.is_object()) corrupt(file, "__metadata__ is not an object");
      for (const auto& [key, v] : value.items()) out.metadata[key] = v.is_string() ? v.get<std::string>() : v.dump();
    } else {
      out.arrays.push_back(parse_entry(file, name, value, kPrefix + length, size - kPrefix - length));
    }
  }
  std::sort(out.arrays.begin(), out.arrays.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < out.arrays.size(); ++i) {
    if (out.arrays[i].begin < out.arrays[i - 1].end)
      corrupt(file, "tensor " + out.arrays[i].name + " overlaps another");
  }
  return out;
}

}  // namespace reeltag::model
