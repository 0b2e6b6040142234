#include "import/csv.hpp"

namespace reeltag::collect {
namespace {

constexpr std::size_t kMaxRecord = 1U << 20;  // bytes

// Parses one record, line by line because a quoted field may contain line breaks.
class CsvRecord {
 public:
  explicit CsvRecord(char separator) : separator_(separator) {}
  // False: text after a closing quote.
  bool feed(const std::string& line) {
    if (quoted_) fields_.back() += '\n';
    for (const char c : line) {
      if (quoted_) {
        if (c == '"')
          quoted_ = false, closed_ = true;
        else
          fields_.back() += c;
      } else if (c == separator_) {
        fields_.emplace_back();
        closed_ = false;
      } else if (c == '"') {
        if (closed_)
          fields_.back() += '"';  // second of two quotes: a quote within the field
        else if (!fields_.back().empty())
          return false;
        quoted_ = true, closed_ = false;
      } else if (closed_) {
        return false;
      } else {
        fields_.back() += c;
      }
    }
    return true;
  }
  [[nodiscard]] bool open() const { return quoted_; }
  std::vector<std::string>& fields() { return fields_; }

 private:
  char separator_;
  std::vector<std::string> fields_{""};
  bool quoted_ = false;  // within quotes
  bool closed_ = false;  // just after a closing quote
};

}  // namespace

bool CsvReader::read_line(std::string& line) {
  if (!std::getline(in_, line)) return false;
  ++last_line_;
  if (last_line_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (line.ends_with('\r')) line.pop_back();
  return true;
}

std::optional<Result<std::vector<std::string>>> CsvReader::next() {
  std::string line;
  do {
    if (!read_line(line)) return std::nullopt;
  } while (line.empty());
  first_line_ = last_line_;
  const auto after_first = in_.tellg();
  const auto broken = [&](const char* what) -> Result<std::vector<std::string>> {
    if (last_line_ != first_line_) {  // the lines read while looking for the closing quote may be valid records
      in_.clear();
      in_.seekg(after_first);
      last_line_ = first_line_;
    }
    return fail(Code::invalid_argument, name_ + ":" + std::to_string(first_line_) + ": " + what);
  };
  CsvRecord record(separator_);
  std::size_t size = 0;
  while (true) {
    size += line.size();
    if (size > kMaxRecord) return broken("a record of more than 1 MiB; is a quote missing?");
    if (!record.feed(line)) return broken("text before or after a quoted field");
    if (!record.open()) return std::move(record.fields());
    if (!read_line(line)) return broken("a quote is never closed");
  }
}

}  // namespace reeltag::collect
