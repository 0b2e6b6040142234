#include "reeltag/model/torch_file.hpp"

#include <algorithm>
#include <fstream>
#include <map>

#include "unpickle.hpp"
#include "zip.hpp"

namespace reeltag::model {
namespace {

constexpr std::uint64_t kMaxPickle = 64 << 20;  // bytes of data.pkl; a net of 100 blocks with its optimizer has 2 MB
// The legacy format's first pickle, as the bytes of a long and in decimal (torch/serialization.py MAGIC_NUMBER).
constexpr std::string_view kMagicBytes = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::string_view kMagicDecimal = "119547037146038801333356";
constexpr std::int64_t kLegacyProtocol = 1001;

// Appends a tensor's elements from `axis` inwards to out, row-major; width is bytes per element.
void gather(const TensorRecord& t, std::size_t axis, const char* from, std::uint64_t width, std::string& out) {
  if (axis == t.shape.size()) {
    out.append(from, width);
    return;
  }
  const std::uint64_t step = static_cast<std::uint64_t>(t.strides[axis]) * width;
  if (axis + 1 == t.shape.size() && t.strides[axis] == 1) {
    out.append(from, static_cast<std::uint64_t>(t.shape[axis]) * width);
    return;
  }
  for (std::int64_t i = 0; i < t.shape[axis]; ++i)
    gather(t, axis + 1, from + static_cast<std::uint64_t>(i) * step, width, out);
}

}  // namespace

std::uint64_t size_of(Dtype type) {
  switch (type) {
    case Dtype::f64:
    case Dtype::i64:
      return 8;
    case Dtype::f32:
    case Dtype::i32:
      return 4;
    case Dtype::f16:
    case Dtype::bf16:
    case Dtype::i16:
      return 2;
    case Dtype::i8:
    case Dtype::u8:
    case Dtype::boolean:
      return 1;
  }
  return 8;
}

std::uint64_t TensorRecord::count() const {
  std::uint64_t n = 1;
  for (const auto size : shape) n *= static_cast<std::uint64_t>(size);
  return n;
}

const PickleValue* PickleValue::find(std::string_view key) const {
  if (kind != Kind::dict) return nullptr;
  for (std::size_t i = items.size(); i >= 2; i -= 2) {
    if (items[i - 2]->kind == Kind::text && items[i - 2]->text == key) return items[i - 1];
  }
  return nullptr;
}

std::vector<std::pair<std::string, const PickleValue*>> PickleValue::entries() const {
  std::vector<std::pair<std::string, const PickleValue*>> out;
  if (kind != Kind::dict) return out;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i]->kind == Kind::text) out.emplace_back(items[i]->text, items[i + 1]);
  }
  return out;
}

ByteSource file_source(const std::filesystem::path& path) {
  auto in = std::make_shared<std::ifstream>(path, std::ios::binary);
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (!*in || error) throw Exception(Code::not_found, "cannot read " + path.string());
  return {.name = path.string(), .size = size, .read = [in, name = path.string(), size](auto offset, auto count) {
            if (offset > size || count > size - offset) throw Exception(Code::corrupt, name + " ends early");
            std::string bytes(count, '\0');
            in->clear();
            in->seekg(static_cast<std::streamoff>(offset));
            if (count > 0 && !in->read(bytes.data(), static_cast<std::streamsize>(count)))
              throw Exception(Code::corrupt, name + " ends early");
            return bytes;
          }};
}

ByteSource memory_source(const std::string& name, std::string bytes) {
  const std::uint64_t size = bytes.size();
  return {.name = name, .size = size, .read = [name, bytes = std::move(bytes)](auto offset, auto count) {
            if (offset > bytes.size() || count > bytes.size() - offset)
              throw Exception(Code::corrupt, name + " ends early");
            return bytes.substr(offset, count);
          }};
}

struct TorchFile::Impl {
  ByteSource source;
  Pickle pickle;
  bool zip = false;
  std::map<std::string, ZipEntry, std::less<>> storages;  // by key

  [[noreturn]] void corrupt(const std::string& why) const {
    throw Exception(Code::corrupt, source.name + " cannot be read as a checkpoint: " + why);
  }

  // Tied weights and views read a storage more than once; four times the file is generous.
  [[nodiscard]] PickleLimits limits() const {
    return {.max_values = 2'000'000, .max_tensor_bytes = 4 * source.size + (1 << 20)};
  }

  void open() {
    const std::string start = source.read(0, std::min<std::uint64_t>(4, source.size));
    zip = start == "PK\x03\x04";
    zip ? open_zip() : open_legacy();
    for (const auto& s : pickle.storages) {
      const auto it = storages.find(s.key);
      if (it == storages.end()) corrupt("storage " + printable(s.key) + " is missing");
      if (s.count > it->second.size / size_of(s.type))
        corrupt("storage " + printable(s.key) + " is shorter than it says");
    }
  }

  void open_zip() {
    const auto entries = read_zip_directory(source);
    std::string folder;
    for (const auto& [name, entry] : entries) {
      const auto slash = name.find('/');
      if (slash == std::string::npos || name.substr(slash) != "/data.pkl") continue;
      if (!folder.empty()) corrupt("it holds two data.pkl");
      folder = name.substr(0, slash + 1);
    }
    if (folder.empty()) corrupt("it is a zip file, but not one of torch.save: it holds no data.pkl");
    if (const auto it = entries.find(folder + "byteorder"); it != entries.end()) {
      if (source.read(it->second.offset, std::min<std::uint64_t>(it->second.size, 16)) != "little")
        throw Exception(Code::unsupported, source.name + " was written on a big-endian machine; save it on another");
    }
    const ZipEntry data = entries.at(folder + "data.pkl");
    if (data.size > kMaxPickle) corrupt("its data.pkl is over 64 MB");
    pickle = unpickle(source.read(data.offset, data.size), source.name, limits());
    const std::string prefix = folder + "data/";
    for (auto it = entries.lower_bound(prefix); it != entries.end() && it->first.starts_with(prefix); ++it)
      storages[it->first.substr(prefix.size())] = it->second;
  }

  // Five pickles (magic number, protocol, system, the object, keys of the storages), then per storage its element
  // count and elements.
  void open_legacy() {
    const std::string head = source.read(0, std::min(source.size, kMaxPickle));
    std::uint64_t at = 0;
    const auto next = [&] {
      Pickle p = unpickle(std::string_view(head).substr(at), source.name, limits());
      at += p.used;
      return p;
    };
    const Pickle magic = next();
    if (magic.root->text != kMagicBytes && magic.root->text != kMagicDecimal)
      corrupt("it is a Python pickle that torch.save did not write");
    if (next().root->integer != kLegacyProtocol) corrupt("its protocol is not 1001");
    const Pickle system = next();
    const auto* little = system.root->find("little_endian");
    if (little == nullptr || little->integer != 1)
      throw Exception(Code::unsupported, source.name + " was written on a big-endian machine; save it on another");
    pickle = next();
    const Pickle keys = next();
    if (keys.root->kind != PickleValue::Kind::list) corrupt("its list of storages is missing");
    place_legacy_storages(keys.root->items, at);
  }

  void place_legacy_storages(const std::vector<PickleValue*>& keys, std::uint64_t at) {
    std::map<std::string_view, const StorageRecord*> by_key;
    for (const auto& s : pickle.storages) by_key[s.key] = &s;
    for (const auto* key : keys) {
      const auto it = by_key.find(key->text);
      if (it == by_key.end()) corrupt("storage " + printable(key->text) + " belongs to no tensor");
      const std::string count_bytes = source.read(at, 8);
      std::uint64_t count = 0;
      for (std::size_t i = 8; i-- > 0;) count = count << 8U | static_cast<unsigned char>(count_bytes[i]);
      at += 8;
      const std::uint64_t width = size_of(it->second->type);
      if (count > (source.size - at) / width) corrupt("it ends in the middle of storage " + printable(key->text));
      storages[key->text] = {.offset = at, .size = count * width};
      at += count * width;
    }
  }
};

TorchFile::TorchFile(ByteSource source) : impl_(std::make_unique<Impl>()) {
  impl_->source = std::move(source);
  impl_->open();
}
TorchFile::~TorchFile() = default;
TorchFile::TorchFile(TorchFile&&) noexcept = default;

const PickleValue& TorchFile::root() const { return *impl_->pickle.root; }
const char* TorchFile::format() const { return impl_->zip ? "torch zip" : "torch legacy"; }

std::string TorchFile::elements(const TensorRecord& t) const {
  const std::uint64_t width = size_of(t.storage->type), count = t.count();
  std::string out;
  if (count == 0) return out;
  std::uint64_t span = 1;  // elements from the first to the last
  for (std::size_t a = 0; a < t.shape.size(); ++a)
    span += static_cast<std::uint64_t>(t.shape[a] - 1) * static_cast<std::uint64_t>(t.strides[a]);
  std::string bytes =
      impl_->source.read(impl_->storages.find(t.storage->key)->second.offset + t.offset * width, span * width);
  out.reserve(count * width);
  gather(t, 0, bytes.data(), width, out);
  return out;
}

}  // namespace reeltag::model
