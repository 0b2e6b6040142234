#include <algorithm>
#include <cstdint>

#include "reeltag/base/file.hpp"
#include "reeltag/model/torch_file.hpp"
#include "zip.hpp"

namespace reeltag::model {
namespace {

constexpr std::uint64_t kAlignment = 64;  // of every entry's bytes, like torch, so that they can be memory-mapped

std::string little(std::uint64_t value, std::size_t width) {
  std::string out(width, '\0');
  for (std::size_t i = 0; i < width; ++i) out[i] = static_cast<char>(value >> (8 * i));
  return out;
}

// ---- pickle, protocol 2: the instructions of unpickle.cpp ----

std::string text(std::string_view s) { return "X" + little(s.size(), 4) + std::string(s); }
std::string integer(std::int64_t n) {
  if (n >= INT32_MIN && n <= INT32_MAX) return "J" + little(static_cast<std::uint64_t>(n), 4);
  return std::string("\x8a\x08") + little(static_cast<std::uint64_t>(n), 8);
}
std::string tuple(const std::vector<std::int64_t>& numbers) {
  std::string out = "(";
  for (const auto n : numbers) out += integer(n);
  return out + "t";
}
constexpr std::string_view kOrderedDict = "ccollections\nOrderedDict\n)R";

std::string tensor(const NamedFloats& t, std::size_t key) {
  std::vector<std::int64_t> strides(t.shape.size(), 1);
  for (std::size_t a = t.shape.size(); a-- > 1;) strides[a - 1] = strides[a] * std::max<std::int64_t>(1, t.shape[a]);
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" +
         text(std::to_string(key)) + text("cpu") + integer(static_cast<std::int64_t>(t.bytes.size() / 4)) + "tQ" +
         integer(0) + tuple(t.shape) + tuple(strides) + "\x89" + std::string(kOrderedDict) + "tR";
}

std::string checkpoint_pickle(const std::vector<NamedFloats>& state, std::int64_t epoch, std::string_view cfg) {
  std::string out =
      "\x80\x02}(" + text("epoch") + integer(epoch) + text("model_state") + std::string(kOrderedDict) + "(";
  for (std::size_t i = 0; i < state.size(); ++i) out += text(state[i].name) + tensor(state[i], i);
  return out + "u" + text("cfg") + text(cfg) + "u.";
}

// ---- zip ----

class ZipWriter {
 public:
  explicit ZipWriter(const std::filesystem::path& path) : path_(path), file_(path) {}

  void add(const std::string& entry, std::string_view bytes) {
    const std::string name = "archive/" + entry;
    // Extra field "FB" (as torch calls it) fills up to the alignment.
    const std::uint64_t bare = at_ + 30 + name.size() + 4;
    const std::string padding((kAlignment - bare % kAlignment) % kAlignment, 'Z');
    const std::string extra = "FB" + little(padding.size(), 2) + padding;
    const std::string common = little(0, 2) + little(0, 2) + little(0, 4) + little(crc32(bytes), 4) +
                               little(bytes.size(), 4) + little(bytes.size(), 4) + little(name.size(), 2);
    if (at_ + bytes.size() > 0xFFFF0000U) throw Exception(Code::unsupported, path_.string() + " would be over 4 GB");
    directory_ += "PK\x01\x02" + little(20, 2) + little(20, 2) + common + little(0, 2) + little(0, 2) + little(0, 2) +
                  little(0, 2) + little(0, 4) + little(at_, 4) + name;
    ++entries_;
    write("PK\x03\x04" + little(20, 2) + common + little(extra.size(), 2) + name + extra);
    write(bytes);
  }

  void finish() {
    if (entries_ >= 0xFFFF) throw Exception(Code::unsupported, path_.string() + " would hold too many tensors");
    const std::string end = "PK\x05\x06" + little(0, 4) + little(entries_, 2) + little(entries_, 2) +
                            little(directory_.size(), 4) + little(at_, 4) + little(0, 2);
    write(directory_);
    write(end);
    file_.commit();
  }

 private:
  void write(std::string_view bytes) {
    file_.write(bytes);
    at_ += bytes.size();
  }

  std::filesystem::path path_;
  AtomicFile file_;
  std::uint64_t at_ = 0;
  std::size_t entries_ = 0;
  std::string directory_;
};

}  // namespace

void write_torch_file(const std::filesystem::path& path, const std::vector<NamedFloats>& model_state,
                      std::int64_t epoch, std::string_view cfg) {
  ZipWriter zip(path);
  zip.add("data.pkl", checkpoint_pickle(model_state, epoch, cfg));
  zip.add("byteorder", "little");
  for (std::size_t i = 0; i < model_state.size(); ++i) zip.add("data/" + std::to_string(i), model_state[i].bytes);
  zip.add("version", "3\n");
  zip.finish();
}

}  // namespace reeltag::model
