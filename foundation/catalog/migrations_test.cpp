#include "migrations.hpp"

#include <gtest/gtest.h>

#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"

namespace reeltag::catalog {
namespace {

TEST(Migrations, AreTheFilesOfTheTree) {
  int version = 0;
  for (const auto& migration : migrations()) {
    EXPECT_EQ(migration.version, ++version);
    const auto path = std::string(REELTAG_SOURCE_DIR "/foundation/catalog/sql/") + std::string(migration.name) + ".sql";
    const auto text = read_file(path, 1 << 20);
    ASSERT_TRUE(text.has_value()) << path;
    EXPECT_EQ(*text, migration.sql);
    EXPECT_EQ(hex(sha256(*text)), migration.checksum);
  }
  EXPECT_GE(version, 1);
}

}  // namespace
}  // namespace reeltag::catalog
