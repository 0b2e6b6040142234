// Owns a file descriptor and closes it in the destructor. Movable; one thread at a time. Never fails: errors of close()
// are ignored.
//
//   Descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
//   if (!file.is_open()) return fail(Code::not_found, "cannot open " + path);
#pragma once

#include <unistd.h>

#include <utility>

namespace reeltag {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

}  // namespace reeltag
