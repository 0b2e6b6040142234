// Reads lists of videos as PySlowFast, Kinetics and UCF-101 have them: "path label" a line, with space, comma or tab,
// and a file of class names beside it. Functions; any thread. A bad line is an Entry with an Error.
//
//   if (is_path_line(first_line)) list.entries = read_path_list(manifest, options, list.notes);
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "import/manifest.hpp"

namespace reeltag::collect {

// Whether a line has this form: it starts with a name that ends as a video's does.
bool is_path_line(std::string_view line);

// Labels are names, or numbers of a class-name file beside the list: classnames.txt, classes.txt, labels.txt or
// categories.txt with a name per line (numbered from 0), classInd.txt with "1 Name" lines, or a JSON file of these
// names with a list, or an object from name to number. notes: which of these was read, or that there is none.
std::vector<Entry> read_path_list(const std::filesystem::path& list, const ListOptions& options,
                                  std::vector<std::string>& notes);

bool is_class_names_file(const std::filesystem::path& file);

}  // namespace reeltag::collect
