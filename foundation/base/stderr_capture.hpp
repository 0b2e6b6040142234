// Captures what a function writes to descriptor 2: through a file, or through a pseudo-terminal so that the code under
// test sees a terminal. Tests only; one capture at a time.
//
//   const std::string text = stderr_of([] { log::info("hello"); });
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/file.hpp"

namespace reeltag {

class RedirectedStderr {
 public:
  explicit RedirectedStderr(int to) : kept_(::fcntl(2, F_DUPFD_CLOEXEC, 3)) { ::dup2(to, 2); }
  ~RedirectedStderr() { ::dup2(kept_.get(), 2); }
  RedirectedStderr(const RedirectedStderr&) = delete;
  RedirectedStderr& operator=(const RedirectedStderr&) = delete;

 private:
  Descriptor kept_;
};

inline std::string stderr_of(const std::function<void()>& code) {
  const TemporaryFolder folder("reeltag-test");
  const auto path = folder.path() / "stderr";
  {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0600));
    const RedirectedStderr redirected(file.get());
    code();
  }
  return value_or_throw(read_file(path, 1 << 26));
}

// Captures through a terminal of this width; a newline arrives as "\r\n".
inline std::string terminal_of(int columns, const std::function<void()>& code) {
  int master = -1;
  int slave = -1;
  const winsize size{24, static_cast<unsigned short>(columns), 0, 0};
  if (::openpty(&master, &slave, nullptr, nullptr, &size) != 0) {
    throw Exception(Code::unavailable, "no pseudo-terminal");
  }
  const Descriptor master_end(master);
  Descriptor slave_end(slave);
  std::string text;
  std::thread reader([&] {
    std::array<char, 4096> buffer;
    for (;;) {
      const auto got = ::read(master_end.get(), buffer.data(), buffer.size());
      if (got <= 0) return;  // the last writer has closed it
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
  });
  {
    const RedirectedStderr redirected(slave_end.get());
    code();
  }
  slave_end.close();
  reader.join();
  return text;
}

}  // namespace reeltag
