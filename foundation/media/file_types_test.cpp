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

TEST(FileTypes, FilesOfSystemsAreTold) {
  for (const auto* name : {"._x.mp4", ".DS_Store", ".hidden", "Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir"}) {
    EXPECT_TRUE(is_system_name(name)) << name;
  }
  for (const auto* name : {"x.mp4", "_x.mp4", "thumbs", "macosx"}) EXPECT_FALSE(is_system_name(name)) << name;
}

}  // namespace
}  // namespace reeltag::media
