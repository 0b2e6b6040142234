// Provides the Python of a bridge: a virtual environment with the pins of bridges/NAME/requirements.txt, created by the
// first call. Functions, any thread and several processes (a lock; the second one waits).
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

// Where bridge environments are: REELTAG_ENVIRONMENTS, or HOME/environments.
std::filesystem::path environments_folder(const std::filesystem::path& home);

// Whether python_of() would find the environment already created.
bool has_environment(const std::string& name, const std::filesystem::path& home);

// The environment's Python. Creating it needs python3 in PATH, the network and some seconds. Throws Exception:
// unavailable if it cannot be created (the message says what to do), not_found if there is no such bridge, interrupted.
std::filesystem::path python_of(const std::string& name, const std::filesystem::path& home,
                                const std::stop_token& stop);

}  // namespace reeltag::collect
