// The Python of a bridge: a virtual environment with what bridges/NAME/requirements.txt pins, made at the first call.
// Functions; any thread, several processes (a lock; who comes second waits).
//
//   const auto python = python_of("ytdlp", home, stop);
//   run({python.string(), "-I", (bridges_folder() / "ytdlp" / "ask.py").string()}, ...);
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

namespace reeltag::collect {

// bridges/ of the source tree, or REELTAG_BRIDGES.
std::filesystem::path bridges_folder();

// Where the environments of bridges are: REELTAG_ENVIRONMENTS, or HOME/environments.
std::filesystem::path environments_folder(const std::filesystem::path& home);

// Whether python_of() would find it made.
bool has_environment(const std::string& name, const std::filesystem::path& home);

// The environment's Python. Making it needs python3 of PATH, the network and some seconds. Throws Exception:
// unavailable where it cannot be made (the message says what to do), not_found where there is no such bridge,
// interrupted.
std::filesystem::path python_of(const std::string& name, const std::filesystem::path& home,
                                const std::stop_token& stop);

}  // namespace reeltag::collect
