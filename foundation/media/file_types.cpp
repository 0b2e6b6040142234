#include "reeltag/media/file_types.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "file_types_list.hpp"

namespace reeltag::media {
namespace {

bool ends_as_one_of(const std::filesystem::path& file, std::span<const std::string_view> endings) {
  auto ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

using namespace std::string_view_literals;

// Bytes at an offset that tell a container. The first match counts.
struct Signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view type;
};
constexpr std::array<Signature, 17> kSignatures{{{4, "ftyp"sv, "video/mp4"sv},
                                                 {4, "moov"sv, "video/mp4"sv},
                                                 {4, "mdat"sv, "video/mp4"sv},
                                                 {4, "wide"sv, "video/mp4"sv},
                                                 {4, "free"sv, "video/mp4"sv},
                                                 {0, "GIF8"sv, "image/gif"sv},
                                                 {0, "\x89PNG\r\n\x1a\n"sv, "image/png"sv},
                                                 {8, "WEBP"sv, "image/webp"sv},
                                                 {8, "AVI "sv, "video/x-msvideo"sv},
                                                 {0, "OggS"sv, "video/ogg"sv},
                                                 {0, "FLV"sv, "video/x-flv"sv},
                                                 {0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"sv, "video/x-ms-asf"sv},
                                                 {0, "\0\0\1\xba"sv, "video/mpeg"sv},
                                                 {0, "\0\0\1\xb3"sv, "video/mpeg"sv},
                                                 {0, ".RMF"sv, "application/vnd.rn-realmedia"sv},
                                                 {0, "\x06\x0e\x2b\x34"sv, "application/mxf"sv},
                                                 {0, "\x47\x40"sv, "video/mp2t"sv}}};

}  // namespace

std::string_view media_type_of(std::string_view first_bytes) noexcept {
  constexpr std::string_view kEbml = "\x1a\x45\xdf\xa3"sv;
  if (first_bytes.starts_with(kEbml))
    return first_bytes.find("webm"sv) != std::string_view::npos ? "video/webm"sv : "video/x-matroska"sv;
  const auto* const found = std::find_if(kSignatures.begin(), kSignatures.end(), [&](const Signature& signature) {
    return first_bytes.size() >= signature.offset && first_bytes.substr(signature.offset).starts_with(signature.bytes);
  });
  return found == kSignatures.end() ? "application/octet-stream"sv : found->type;
}

std::span<const std::string_view> video_endings() noexcept { return kVideoEndings; }

bool has_video_ending(const std::filesystem::path& file) { return ends_as_one_of(file, kVideoEndings); }

bool has_picture_ending(const std::filesystem::path& file) { return ends_as_one_of(file, kPictureEndings); }

bool is_system_name(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kNames{
      "Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "$RECYCLE.BIN", "lost+found", "System Volume Information"};
  return name.starts_with('.') || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

}  // namespace reeltag::media
