#include "sources/bridge_python.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/subprocess.hpp"

namespace reeltag::collect {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxRequirements = 1 << 20;
constexpr std::chrono::minutes kMax{15};  // for one command: pip may be on a slow network
constexpr std::chrono::milliseconds kPollInstallEvery{200};

fs::path requirements_file(const std::string& name) { return bridges_folder() / name / "requirements.txt"; }

fs::path folder_of(const std::string& name, const fs::path& home) { return environments_folder(home) / name; }

// Content of FOLDER/ready for a complete environment: the folder, as environments cannot be moved, and a hash of the
// pins.
std::string state_of(const std::string& name, const fs::path& folder) {
  return folder.string() + " " + content_id(value_or_throw(read_file(requirements_file(name), kMaxRequirements)));
}

bool is_ready(const std::string& name, const fs::path& folder) {
  return read_file(folder / "ready", kMaxRequirements).value_or("") == state_of(name, folder);
}

Descriptor locked(const fs::path& path, const std::stop_token& stop) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file.is_open()) throw Exception(Code::permission_denied, "cannot write " + path.string());
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (stop.stop_requested()) throw Exception(Code::interrupted, "stopped while waiting for " + path.string());
    std::this_thread::sleep_for(kPollInstallEvery);
  }
  return file;
}

void must_run(const std::vector<std::string>& command, const std::string& advice, const std::stop_token& stop) {
  const auto done = run(command, {.deadline = kMax, .stop = stop});
  if (!done && done.error().code == Code::interrupted) throw Exception(done.error());
  if (done && done->status == 0) return;
  auto why = done ? done->err.substr(done->err.size() > 500 ? done->err.size() - 500 : 0) : done.error().message;
  while (!why.empty() && (why.back() == '\n' || why.back() == '\r')) why.pop_back();
  throw Exception(Code::unavailable, advice + ". " + command[0] + " said: " + why);
}

}  // namespace

fs::path bridges_folder() {
  const char* folder = std::getenv("REELTAG_BRIDGES");
  return folder != nullptr ? folder : REELTAG_BRIDGES_DIR;
}

fs::path environments_folder(const fs::path& home) {
  if (const char* folder = std::getenv("REELTAG_ENVIRONMENTS")) return folder;
  return fs::absolute(home) / "environments";
}

bool has_environment(const std::string& name, const fs::path& home) { return is_ready(name, folder_of(name, home)); }

fs::path python_of(const std::string& name, const fs::path& home, const std::stop_token& stop) {
  const auto folder = folder_of(name, home), python = folder / "bin" / "python";
  if (is_ready(name, folder)) return python;
  fs::create_directories(folder.parent_path());
  const auto held = locked(folder.string() + ".lock", stop);
  if (is_ready(name, folder)) return python;
  log::info("environment", {{"made_for", name}, {"folder", folder.string()}});
  must_run({"python3", "-m", "venv", "--clear", folder.string()},
           "collecting from " + name + " needs Python 3.11 or newer with venv. On Debian: apt-get install python3-venv",
           stop);
  must_run({python.string(), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
            "--no-cache-dir", "--no-deps", "--require-hashes", "--only-binary=:all:", "-r",
            requirements_file(name).string()},
           "collecting from " + name +
               ": what it needs could not be installed; check the network and pip's index (pip config list)",
           stop);
  write_file(folder / "ready", state_of(name, folder));
  return python;
}

}  // namespace reeltag::collect
