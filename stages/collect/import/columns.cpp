#include "import/columns.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

namespace reeltag::collect {
namespace {

using nlohmann::json;

struct Name {
  std::string_view column;  // lower case, words joined
  Field field;
};

// Of two columns for one field the first one here counts; the other stays an attribute.
constexpr std::array kNames = std::to_array<Name>({
    {"file", Field::file},
    {"filename", Field::file},
    {"filepath", Field::file},
    {"path", Field::file},
    {"videofile", Field::file},
    {"videopath", Field::file},
    {"videofilename", Field::file},
    {"video", Field::file},
    {"clip", Field::file},
    {"hashtags", Field::hashtags},
    {"hashtag", Field::hashtags},
    {"tags", Field::hashtags},
    {"tag", Field::hashtags},
    {"label", Field::labels},
    {"labels", Field::labels},
    {"class", Field::labels},
    {"classname", Field::labels},
    {"classes", Field::labels},
    {"labelname", Field::labels},
    {"category", Field::labels},
    {"categories", Field::labels},
    {"caption", Field::caption},
    {"text", Field::caption},
    {"description", Field::caption},
    {"id", Field::id},
    {"videoid", Field::id},
    {"postid", Field::id},
    {"group", Field::group},
    {"author", Field::author},
    {"created", Field::created},
    {"createdat", Field::created},
    {"createtime", Field::created},
    {"date", Field::created},
    {"datetime", Field::created},
    {"timestamp", Field::created},
    {"uploaddate", Field::created},
    {"site", Field::site},
    {"missing", Field::missing},
    {"split", Field::split},
    {"part", Field::split},
    {"partition", Field::split},
    {"subset", Field::split},
});

std::string joined_words(std::string_view column) {
  std::string out;
  for (const unsigned char c : column) {
    if (c != '_' && c != '-' && std::isspace(c) == 0) out += static_cast<char>(std::tolower(c));
  }
  return out;
}

// The place in kNames; kNames.size() if it is none of them.
std::size_t rank_of(std::string_view column) {
  const auto name = joined_words(column);
  std::size_t i = 0;
  while (i < kNames.size() && kNames[i].column != name) ++i;
  return i;
}

}  // namespace

std::optional<Field> field_of(std::string_view column) {
  const auto rank = rank_of(column);
  return rank < kNames.size() ? std::optional(kNames[rank].field) : std::nullopt;
}

Row::Row(const json& object) : object_(object) {
  std::array<std::size_t, kFieldCount> ranks{};
  ranks.fill(kNames.size());
  for (const auto& [key, value] : object.items()) {
    const auto rank = rank_of(key);
    if (rank == kNames.size()) continue;
    const auto field = static_cast<std::size_t>(kNames[rank].field);
    // What a data set calls "video" may be an object with more about it.
    const bool fits = kNames[rank].field != Field::file || value.is_string() || value.is_null();
    if (fits && rank < ranks.at(field)) ranks.at(field) = rank, values_.at(field) = &value;
  }
  if (find(Field::hashtags) != nullptr) values_.at(static_cast<std::size_t>(Field::labels)) = nullptr;
}

json Row::others() const {
  json rest = json::object();
  for (const auto& [key, value] : object_.items()) {
    if (std::find(values_.begin(), values_.end(), &value) == values_.end()) rest[key] = value;
  }
  return rest;
}

}  // namespace reeltag::collect
