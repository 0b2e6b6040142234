#include "reeltag/model/safetensors.hpp"

#include <algorithm>
#include <array>
#include <fstream>

#include <torch/torch.h>
#include <nlohmann/json.hpp>

#include "reeltag/base/file.hpp"
#include "reeltag/model/weights.hpp"

namespace reeltag::model {
namespace {

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

torch::ScalarType type_of(const std::string& name) {
  for (const auto& t : kTypes) {
    if (name == t.name) return t.type;
  }
  throw Exception(Code::unsupported, "no tensor type is called " + name);
}

const char* name_of(torch::ScalarType type) {
  for (const auto& t : kTypes) {
    if (type == t.type) return t.name;
  }
  throw Exception(Code::unsupported, "safetensors has no name for tensor type " + std::string(torch::toString(type)));
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
  const SafetensorsHeader header = read_safetensors_header(in, path);
  TensorFile file{.tensors = {}, .metadata = header.metadata};
  for (const auto& array : header.arrays) {
    at::Tensor tensor = torch::empty(array.shape, torch::TensorOptions(type_of(array.type)));
    in.seekg(static_cast<std::streamoff>(array.begin));
    const auto bytes = static_cast<std::streamsize>(array.end - array.begin);
    if (bytes > 0 && !in.read(static_cast<char*>(tensor.mutable_data_ptr()), bytes))
      throw Exception(Code::corrupt, path.string() + " is not a valid safetensors file: it ends early");
    file.tensors.emplace_back(array.name, tensor);
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
