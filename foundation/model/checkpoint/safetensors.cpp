#include "reeltag/model/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <limits>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"

namespace reeltag::model {
namespace {

using nlohmann::json;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // bytes; the limit of the format's own reader

struct TypeName {
  const char* name;
  torch::ScalarType type;
};
constexpr std::array<TypeName, 10> kTypes{{{"F64", torch::kDouble},
                                           {"F32", torch::kFloat},
                                           {"F16", torch::kHalf},
                                           {"BF16", torch::kBFloat16},
                                           {"I64", torch::kLong},
                                           {"I32", torch::kInt},
                                           {"I16", torch::kShort},
                                           {"I8", torch::kChar},
                                           {"U8", torch::kByte},
                                           {"BOOL", torch::kBool}}};

[[noreturn]] void corrupt(const std::filesystem::path& path, const std::string& why) {
  throw Exception(Code::corrupt, path.string() + " is not a valid safetensors file: " + why);
}

torch::ScalarType type_of(const std::filesystem::path& path, const std::string& name) {
  for (const auto& t : kTypes) {
    if (name == t.name) return t.type;
  }
  corrupt(path, "tensor type " + name.substr(0, 20) + " is unknown");
}

const char* name_of(torch::ScalarType type) {
  for (const auto& t : kTypes) {
    if (type == t.type) return t.name;
  }
  throw Exception(Code::unsupported, "safetensors has no name for tensor type " + std::string(torch::toString(type)));
}

struct Entry {
  std::string name;
  torch::ScalarType type{};
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

// Bytes that the shape needs; 64-bit overflow is an error, not a wrap.
std::uint64_t bytes_needed(const std::filesystem::path& path, const Entry& e) {
  std::uint64_t bytes = torch::elementSize(e.type);
  for (const auto n : e.shape) {
    if (n < 0) corrupt(path, "tensor " + e.name + " has a negative size");
    if (n != 0 && bytes > std::numeric_limits<std::int64_t>::max() / static_cast<std::uint64_t>(n)) {
      corrupt(path, "tensor " + e.name + " is larger than any file");
    }
    bytes *= static_cast<std::uint64_t>(n);
  }
  return bytes;
}

Entry parse_entry(const std::filesystem::path& path, const std::string& name, const json& value, std::uint64_t data) {
  Entry e;
  e.name = name;
  try {
    e.type = type_of(path, value.at("dtype").get<std::string>());
    e.shape = value.at("shape").get<std::vector<std::int64_t>>();
    const auto offsets = value.at("data_offsets").get<std::array<std::uint64_t, 2>>();
    e.begin = offsets[0];
    e.end = offsets[1];
  } catch (const json::exception&) {
    corrupt(path, "the header's entry for " + name.substr(0, 80) + " is incomplete");
  }
  if (e.begin > e.end || e.end > data) corrupt(path, "tensor " + name + " lies outside the file");
  if (e.end - e.begin != bytes_needed(path, e)) corrupt(path, "tensor " + name + " has another size than its shape");
  return e;
}

}  // namespace

const at::Tensor* TensorFile::find(const std::string& name) const {
  const auto it = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.first == name; });
  return it == tensors.end() ? nullptr : &it->second;
}

const at::Tensor& TensorFile::at(const std::string& name) const {
  if (const auto* tensor = find(name)) return *tensor;
  throw Exception(Code::not_found, "no tensor is called " + name);
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (!in || error) throw Exception(Code::not_found, "cannot read " + path.string());
  std::array<unsigned char, 8> prefix{};
  if (size < 8 || !in.read(reinterpret_cast<char*>(prefix.data()), 8)) corrupt(path, "shorter than its header");
  std::uint64_t header_size = 0;
  for (int i = 7; i >= 0; --i) header_size = header_size << 8U | prefix[static_cast<std::size_t>(i)];
  if (header_size > kMaxHeader || header_size > size - 8) corrupt(path, "the header is longer than the file");
  std::string text(header_size, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(header_size))) corrupt(path, "shorter than its header");
  const json header = json::parse(text, nullptr, false);
  if (!header.is_object()) corrupt(path, "the header is not a JSON object");

  TensorFile file;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      if (!value.is_object()) corrupt(path, "__metadata__ is not an object");
      for (const auto& [key, v] : value.items()) file.metadata[key] = v.is_string() ? v.get<std::string>() : v.dump();
    } else {
      entries.push_back(parse_entry(path, name, value, size - 8 - header_size));
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].begin < entries[i - 1].end) corrupt(path, "tensor " + entries[i].name + " overlaps another");
  }
  for (const auto& e : entries) {
    at::Tensor tensor = torch::empty(e.shape, torch::TensorOptions(e.type));
    in.seekg(static_cast<std::streamoff>(8 + header_size + e.begin));
    const auto bytes = static_cast<std::streamsize>(e.end - e.begin);
    if (bytes > 0 && !in.read(static_cast<char*>(tensor.mutable_data_ptr()), bytes))
      corrupt(path, "the file ends early");
    file.tensors.emplace_back(e.name, tensor);
  }
  return file;
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  nlohmann::ordered_json header;
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  std::vector<at::Tensor> contiguous;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : file.tensors) {
    contiguous.push_back(tensor.detach().cpu().contiguous());
    const std::uint64_t bytes = contiguous.back().nbytes();
    header[name] = {{"dtype", name_of(tensor.scalar_type())},
                    {"shape", contiguous.back().sizes().vec()},
                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.is_null() ? "{}" : header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // data starts aligned
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(text.size() >> (8 * i));
  bytes += text;
  bytes.reserve(bytes.size() + offset);
  for (const auto& tensor : contiguous)
    bytes.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  write_file(path, bytes);
}

}  // namespace reeltag::model
