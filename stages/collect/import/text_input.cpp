#include "import/text_input.hpp"

#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

#include "reeltag/base/error.hpp"

namespace reeltag::collect {
namespace {

constexpr std::size_t kSample = 1U << 16;

// The name of a UTF-16 encoding by its byte order mark, or by the zero bytes of Latin text; null for others.
const char* utf16_of(std::string_view start) {
  if (start.starts_with("\xFF\xFE")) return "UTF-16LE";
  if (start.starts_with("\xFE\xFF")) return "UTF-16BE";
  std::size_t zeros[2] = {0, 0};
  const auto size = std::min<std::size_t>(start.size(), 256);
  for (std::size_t i = 0; i < size; ++i) zeros[i % 2] += start[i] == '\0' ? 1 : 0;
  if (size < 4) return nullptr;
  if (zeros[1] > size / 4 && zeros[0] == 0) return "UTF-16LE";
  if (zeros[0] > size / 4 && zeros[1] == 0) return "UTF-16BE";
  return nullptr;
}

std::string utf8_of(const std::string& bytes, const char* encoding, const std::filesystem::path& path) {
  const icu::UnicodeString text(bytes.data(), static_cast<std::int32_t>(bytes.size()), encoding);
  if (text.isBogus() || bytes.size() % 2 != 0)
    throw Exception(Code::corrupt, path.string() + ": is " + encoding + ", but cut off or damaged; save it as UTF-8");
  std::string out;
  text.toUTF8String(out);
  if (out.starts_with("\xEF\xBB\xBF")) out.erase(0, 3);
  return out;
}

std::string whole(std::istream& in) { return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}; }

}  // namespace

std::unique_ptr<std::istream> open_text(const std::filesystem::path& path) {
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  std::string start(kSample, '\0');
  file->read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(file->gcount()));
  if (!file->is_open() || file->bad()) throw Exception(Code::permission_denied, "cannot read " + path.string());
  file->clear();
  file->seekg(0);
  const char* encoding = utf16_of(start);
  const bool old_mac =
      encoding == nullptr && start.find('\r') != std::string::npos && start.find('\n') == std::string::npos;
  if (encoding == nullptr && !old_mac) {
    if (start.starts_with("\xEF\xBB\xBF")) file->seekg(3);
    return file;
  }
  auto text = whole(*file);
  if (encoding != nullptr) text = utf8_of(text, encoding, path);
  if (text.find('\n') == std::string::npos) std::replace(text.begin(), text.end(), '\r', '\n');
  return std::make_unique<std::istringstream>(std::move(text));
}

}  // namespace reeltag::collect
