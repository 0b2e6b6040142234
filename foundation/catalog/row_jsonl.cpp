// Rows as JSON Lines: {"reeltag_catalog":1}, one object per row, {"end":{"videos":n,...}}.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "reeltag/base/json.hpp"
#include "row_fields.hpp"
#include "row_files.hpp"

namespace reeltag::catalog {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// A row's texts have at most 16 MiB each, and JSON needs at most six bytes for one.
constexpr std::int64_t kMaxLineBytes = 1LL << 30;

struct Put {
  Json& object;
  template <class T>
  void operator()(const char* name, const T& value) {
    object[name] = value;
  }
  void operator()(const char* name, const std::optional<std::int64_t>& value) {
    object[name] = value ? Json(*value) : Json(nullptr);
  }
};

// Requires every field with its exact type; converts nothing.
struct Get {
  const nlohmann::json& object;
  const std::string& place;

  void operator()(const char* name, std::string& value) const {
    value = at(name, &nlohmann::json::is_string).get<std::string>();
  }
  void operator()(const char* name, std::int64_t& value) const {
    value = at(name, &nlohmann::json::is_number_integer).get<std::int64_t>();
  }
  void operator()(const char* name, int& value) const {
    const auto wide = at(name, &nlohmann::json::is_number_integer).get<std::int64_t>();
    value = static_cast<int>(wide);
    if (value != wide) refuse(name);
  }
  void operator()(const char* name, double& value) const { value = at(name, &nlohmann::json::is_number).get<double>(); }
  void operator()(const char* name, std::optional<std::int64_t>& value) const {
    const auto found = object.find(name);
    if (found == object.end()) refuse(name);
    value.reset();
    if (!found->is_null()) (*this)(name, value.emplace());
  }
  void operator()(const char* name, std::vector<std::string>& value) const {
    value.clear();
    for (const auto& one : at(name, &nlohmann::json::is_array)) {
      if (!one.is_string()) refuse(name);
      value.push_back(one.get<std::string>());
    }
  }

 private:
  [[nodiscard]] const nlohmann::json& at(const char* name, bool (nlohmann::json::*is)() const noexcept) const {
    const auto found = object.find(name);
    if (found == object.end() || !((*found).*is)()) refuse(name);
    return *found;
  }
  [[noreturn]] void refuse(const char* name) const {
    throw Exception(Code::corrupt, place + ": the field \"" + name + "\" is missing, or not what it must be");
  }
};

class JsonlWriter final : public RowWriter {
 public:
  explicit JsonlWriter(const fs::path& path) : path_(path), file_(std::fopen(path.c_str(), "wxe")) {
    if (!file_) fail();
    line({{kRowFilesName, kRowFilesForm}});
  }
  void write(const Row& row) override {
    std::visit(
        [&]<class Kind>(const Kind& one) {
          Json object = Json::object();
          Put put{object};
          fields(put, one);
          line({{std::string(KindName<Kind>::kOne), std::move(object)}});
        },
        row);
  }
  void finish(const Counts& counts) override {
    Json object = Json::object();
    Put put{object};
    fields(put, counts);
    line({{"end", std::move(object)}});
    if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0) fail();
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void line(const Json& object) {
    const auto text = object.dump() + "\n";
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) fail();
  }
  [[noreturn]] void fail() const {
    throw Exception(errno == EACCES ? Code::permission_denied : Code::unavailable,
                    "cannot write '" + path_.string() + "': " + std::generic_category().message(errno));
  }

  fs::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

class JsonlReader {
 public:
  JsonlReader(const fs::path& path, const std::function<void(const Row&)>& visit) : path_(path), visit_(visit) {}

  void take(std::int64_t number, const nlohmann::json& line) {
    place_ = path_.string() + ":" + std::to_string(number);
    if (!line.is_object() || line.size() != 1 || ended_) refuse("is no line of an exported catalog");
    const auto& name = line.begin().key();
    const auto& value = line.begin().value();
    if (number == 1) return begin(name, value);
    if (name == "end") return end(value);
    if (!(try_kind<Video>(name, value) || try_kind<FingerprintRow>(name, value) || try_kind<Post>(name, value) ||
          try_kind<Note>(name, value) || try_kind<Tombstone>(name, value))) {
      refuse("is of an unknown kind");
    }
  }
  void check_ended() const {
    if (!ended_) throw Exception(Code::corrupt, "'" + path_.string() + "' is cut off: export it again");
  }

 private:
  void begin(const std::string& name, const nlohmann::json& value) const {
    if (name != kRowFilesName || !value.is_number_integer()) {
      throw Exception(
          Code::invalid_argument,
          "'" + path_.string() + "' is no exported catalog: its first line must be {\"" + kRowFilesName + "\":1}");
    }
    if (value.get<std::int64_t>() != kRowFilesForm) {
      throw Exception(Code::unsupported, "'" + path_.string() + "' has the form " + value.dump() +
                                             ", this program knows " + std::to_string(kRowFilesForm));
    }
  }
  void end(const nlohmann::json& value) {
    Counts said;
    Get get{value, place_};
    fields(get, said);
    if (said != counts_) refuse("counts other rows than the file has; export it again");
    ended_ = true;
  }
  template <class Kind>
  bool try_kind(const std::string& name, const nlohmann::json& value) {
    if (name != KindName<Kind>::kOne) return false;
    Kind one;
    Get get{value, place_};
    fields(get, one);
    const Row row(std::move(one));
    count(row, counts_);
    visit_(row);
    return true;
  }
  [[noreturn]] void refuse(const std::string& why) const { throw Exception(Code::corrupt, place_ + ": this " + why); }

  fs::path path_;
  const std::function<void(const Row&)>& visit_;
  std::string place_;
  Counts counts_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<RowWriter> write_jsonl(const fs::path& path) { return std::make_unique<JsonlWriter>(path); }

void read_jsonl(const fs::path& path, const std::function<void(const Row&)>& visit) {
  JsonlReader reader(path, visit);
  const auto read = each_json_line(
      path,
      [&](std::int64_t number, Result<nlohmann::json>&& line) {
        if (!line) throw Exception(Code::corrupt, line.error().message);
        reader.take(number, *line);
      },
      kMaxLineBytes);
  if (!read) throw Exception(read.error());
  reader.check_ended();
}

}  // namespace reeltag::catalog
