// Serializes log lines and live progress lines on stderr. Private to base.
// Thread-safe. A process-wide singleton. Output that cannot be written is dropped.
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
  // The terminal's width; 80 when it does not report one.
  [[nodiscard]] static int columns();

  // Writes the text and a newline, above the live line if there is one.
  void write_line(std::string_view text);
  // Shows this text as the live line and replaces any other. owner identifies the caller's live line.
  void draw_live(const void* owner, std::string text);
  // Prints this text as a final line; the owner then has no live line.
  void end_live(const void* owner, std::string_view text);

 private:
  std::mutex mutex_;
  const void* owner_ = nullptr;
  std::string live_;  // guarded by mutex_; the current text of the terminal's last line
};

// Replaces control characters (including DEL and U+0080 to U+009F, which terminals interpret) by \u escapes. UTF-8 in
// and out.
std::string escape_controls(std::string_view text);

// Cuts to at most `columns` characters, never inside a UTF-8 sequence.
std::string cut_to_width(std::string_view text, int columns);

}  // namespace reeltag
