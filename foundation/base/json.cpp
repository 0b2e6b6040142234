#include "reeltag/base/json.hpp"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "system_error.hpp"

namespace reeltag {
namespace {

// nlohmann parses without recursion but prints and compares with it: limits the depth before parsing.
constexpr int kMaxDepth = 100;

bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if ((c == '{' || c == '[') && ++depth > kMaxDepth) {
      return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

enum class Line { read, too_long, end };

// Reads the next line without its line ending. Reads past a line over the limit without keeping it.
Line next_line(std::FILE* file, std::string& line, std::size_t limit) {
  line.clear();
  bool any = false;
  bool over = false;
  for (int c = 0; (c = getc_unlocked(file)) != EOF;) {
    any = true;
    if (c == '\n') break;
    over = over || line.size() == limit;
    if (!over) line += static_cast<char>(c);
  }
  if (!any) return Line::end;
  return over ? Line::too_long : Line::read;
}

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, const std::string& origin) {
  if (too_deep(text)) return fail(Code::invalid_argument, origin + ": JSON of more than 100 levels");
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    // Removes the library's prefix: "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    std::string_view words = error.what();
    if (const auto end = words.find("] "); end != words.npos) words.remove_prefix(end + 2);
    return fail(Code::invalid_argument, origin + ": not JSON: " + std::string(words));
  }
}

std::string text_or_empty(const nlohmann::json& object, const char* key) {
  const auto at = object.is_object() ? object.find(key) : object.end();
  if (at == object.end()) return {};
  if (at->is_string()) return at->get<std::string>();
  return at->is_number_integer() ? at->dump() : std::string();
}

double rounded(double value, int decimals) {
  const double unit = std::pow(10.0, decimals);
  return std::round(value * unit) / unit;
}

std::string dump_json(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<void> each_json_line(const std::filesystem::path& path, const JsonLine& visit, std::int64_t max_line_bytes) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  const auto failed = [&] { return fail(system_error(errno, "cannot read '" + path.string() + "'")); };
  if (file == nullptr) return failed();
  std::string line;
  for (std::int64_t number = 1;; ++number) {
    errno = 0;
    const auto state = next_line(file.get(), line, static_cast<std::size_t>(max_line_bytes));
    if (std::ferror(file.get()) != 0) return failed();
    if (state == Line::end) return {};
    const auto place = path.string() + ":" + std::to_string(number);
    if (state == Line::too_long) {
      visit(number, fail(Code::too_large, place + ": a line of over " + std::to_string(max_line_bytes) + " bytes"));
      continue;
    }
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (line.find_first_not_of(" \t\r") != std::string::npos) visit(number, parse_json(line, place));
  }
}

}  // namespace reeltag
