#include "sources/bridge_python.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Creates what `python3 -m venv` would, and records the arguments of python and pip.
constexpr const char* kPython = R"(#!/bin/sh
for last in "$@"; do :; done
echo "$1 $2" >> "$CALLS"
if [ "$2" = venv ]; then mkdir -p "$last/bin"; cp "$0" "$last/bin/python"; fi
if [ "$2" = pip ] && grep -q broken "$last"; then echo "no such hash" >&2; exit 1; fi
)";

class BridgePython : public testing::Test {
 public:
  BridgePython() : path_(std::getenv("PATH")) {
    log::configure({.level = log::Level::off});
    fs::create_directories(folder.path() / "bin");
    fs::create_directories(folder.path() / "bridges/x");
    pin("one");
    program(kPython);
    ::setenv("REELTAG_BRIDGES", (folder.path() / "bridges").c_str(), 1);
    ::setenv("PATH", ((folder.path() / "bin").string() + ":" + path_).c_str(), 1);
    ::setenv("CALLS", (folder.path() / "calls").c_str(), 1);
    ::unsetenv("REELTAG_ENVIRONMENTS");
  }
  ~BridgePython() override {
    ::setenv("PATH", path_.c_str(), 1);
    ::unsetenv("REELTAG_BRIDGES");
  }
  BridgePython(const BridgePython&) = delete;
  BridgePython& operator=(const BridgePython&) = delete;

 protected:
  void pin(const std::string& text) { write_file(folder.path() / "bridges/x/requirements.txt", text); }
  void program(const std::string& text) {
    write_file(folder.path() / "bin/python3", text);
    fs::permissions(folder.path() / "bin/python3", fs::perms::owner_all);
  }
  std::string calls() { return read_file(folder.path() / "calls", 1 << 20).value_or(""); }
  fs::path make() { return python_of("x", folder.path() / "home", {}); }
  std::string failure() {
    try {
      make();
    } catch (const Exception& e) {
      return std::string(code_name(e.code())) + ": " + e.what();
    }
    return "made";
  }

  TemporaryFolder folder;

 private:
  std::string path_;
};

TEST_F(BridgePython, IsMadeOnceAndAnewWhenItsPinsChange) {
  EXPECT_FALSE(has_environment("x", folder.path() / "home"));
  EXPECT_EQ(make(), folder.path() / "home/environments/x/bin/python");
  EXPECT_TRUE(has_environment("x", folder.path() / "home"));
  EXPECT_EQ(calls(), "-m venv\n-m pip\n");
  make();
  EXPECT_EQ(calls(), "-m venv\n-m pip\n");
  pin("two");
  EXPECT_FALSE(has_environment("x", folder.path() / "home"));
  make();
  EXPECT_EQ(calls(), "-m venv\n-m pip\n-m venv\n-m pip\n");
}

TEST_F(BridgePython, HalfAnEnvironmentIsNone) {
  pin("broken");
  EXPECT_THAT(failure(), HasSubstr("no such hash"));
  EXPECT_THAT(failure(), HasSubstr("check the network"));
  pin("whole");
  EXPECT_EQ(failure(), "made");
}

TEST_F(BridgePython, SaysWhatIsMissing) {
  program("#!/bin/sh\necho no module named venv >&2; exit 1\n");
  EXPECT_THAT(failure(), HasSubstr("apt-get install python3-venv"));
  ::setenv("PATH", folder.path().c_str(), 1);
  EXPECT_THAT(failure(), HasSubstr("unavailable: collecting from x needs Python"));
  fs::remove_all(folder.path() / "bridges/x");
  EXPECT_THAT(failure(), HasSubstr("not_found"));
}

}  // namespace
}  // namespace reeltag::collect
