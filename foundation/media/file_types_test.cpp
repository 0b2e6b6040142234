#include "reeltag/media/file_types.hpp"

#include <gmock/gmock.h>

namespace reeltag::media {
namespace {

TEST(FileTypes, EndingsAreKnownInAnyCase) {
  for (const auto* name : {"a.mp4", "a.MP4", "b.wmv", "c.gif", "d.mpg", "e.ogv", "f.m2ts", "g.3gp", "h.flv", "i.vob",
                           "j.ts", "dir.x/k.Mov", "l.apng", "m.mxf", "n.rmvb", "o.ivf"}) {
    EXPECT_TRUE(has_video_ending(name)) << name;
    EXPECT_FALSE(has_picture_ending(name)) << name;
  }
  for (const auto* name : {"a", "a.txt", "mp4", ".mp4", "a.mp4.part", "a.jpg", "a.mp3"}) {
    EXPECT_FALSE(has_video_ending(name)) << name;
  }
  EXPECT_TRUE(has_picture_ending("a.JPEG"));
  EXPECT_THAT(video_endings(), testing::Contains(".mkv"));
}

TEST(FileTypes, TheFirstBytesTellTheMediaType) {
  using namespace std::string_literals;
  const std::vector<std::pair<std::string, std::string_view>> samples{
      {"\0\0\0\x20"s + "ftypisom", "video/mp4"},
      {"\0\0\0\x14"s + "ftypqt  ", "video/mp4"},
      {"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84"s + "webm", "video/webm"},
      {"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88"s + "matroska", "video/x-matroska"},
      {"RIFF\0\0\0\0AVI LIST"s, "video/x-msvideo"},
      {"RIFF\0\0\0\0WEBPVP8X"s, "image/webp"},
      {"GIF89a"s, "image/gif"},
      {"\x89PNG\r\n\x1a\n"s, "image/png"},
      {"OggS\0"s, "video/ogg"},
      {"\0\0\1\xba\x44"s, "video/mpeg"},
      {"\x47\x40\x11\x10"s, "video/mp2t"},
      {"<html><script>"s, "application/octet-stream"},
      {"<svg xmlns="s, "application/octet-stream"},
      {"G"s, "application/octet-stream"},
      {""s, "application/octet-stream"}};
  for (const auto& [bytes, type] : samples) EXPECT_EQ(media_type_of(bytes), type);
}

TEST(FileTypes, FilesOfSystemsAreTold) {
  for (const auto* name : {"._x.mp4", ".DS_Store", ".hidden", "Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir"}) {
    EXPECT_TRUE(is_system_name(name)) << name;
  }
  for (const auto* name : {"x.mp4", "_x.mp4", "thumbs", "macosx"}) EXPECT_FALSE(is_system_name(name)) << name;
}

}  // namespace
}  // namespace reeltag::media
