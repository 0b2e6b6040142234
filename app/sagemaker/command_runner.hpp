// Commands of this program, one after another, as its children: what a job is made of. One thread.
//
//   Commands commands({.home = home, .log = output / "reeltag.log"});
//   const std::string result = commands.run({"import", folder});
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "sagemaker/job.hpp"

namespace reeltag::app {

class CommandRunner {
 public:
  struct Options {
    std::filesystem::path home, log;  // log: what they write to stderr is appended here, and goes to ours as it comes
    std::vector<std::string> globals = {};  // options before each command
  };
  explicit CommandRunner(Options options) : options_(std::move(options)) {}

  // What it wrote to stdout; with items that failed too. Throws the error that it ended with. Asked to stop, it has as
  // long as the platform gives to save its work; then interrupted is thrown. `meanwhile` is called now and then.
  std::string run(const std::vector<std::string>& command, const std::vector<Variable>& variables = {},
                  const std::function<void()>& meanwhile = nullptr);

 private:
  void show_log();

  Options options_;
  std::int64_t shown_ = 0;  // bytes of the log
};

}  // namespace reeltag::app
