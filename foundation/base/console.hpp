// stderr as the one place where log lines and live progress lines meet. Private to base.
// Thread-safe. Output that cannot be written is dropped: nobody is left to be told.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace reeltag {

class Console {
 public:
  // Never destroyed, so that destructors of static objects may still log.
  static Console& get();

  [[nodiscard]] static bool is_terminal();
  // Width of the terminal; 80 when it does not say.
  [[nodiscard]] static int columns();

  // Writes the text and a line end, above the live line if there is one.
  void write_line(std::string_view text);
  // Shows this text as the live line, in place of any other. owner tells live lines apart.
  void draw_live(const void* owner, std::string text);
  // Leaves this text as a finished line; the owner has no live line any more.
  void end_live(const void* owner, std::string_view text);

 private:
  std::mutex mutex_;
  const void* owner_ = nullptr;
  std::string live_;  // guarded by mutex_; what is on the terminal's last line
};

// The text with control characters (also DEL and U+0080 to U+009F, which terminals obey) as \u escapes. UTF-8 in,
// UTF-8 out.
std::string escape_controls(std::string_view text);

// At most `columns` characters; never half of a UTF-8 sequence.
std::string cut_to_width(std::string_view text, int columns);

}  // namespace reeltag
