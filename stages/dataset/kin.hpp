// Which videos must not be parted by a split: those of one group, of one author, and copies of each other. Two that
// have any of it in common are kin, and so are the kin of kin; a family is all of them. Plain values, any thread.
//
//   const Families families = families_of(kin_in(*catalog));
//   const std::string& decides = families.groups.at(families.of.at(video)).front();
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reeltag/catalog.hpp"

namespace reeltag::dataset {

// In the order in which the videos came, with clusters found anew from their fingerprints; the catalog's are brought up
// to date.
std::vector<catalog::Kin> kin_in(catalog::Catalog& catalog);

struct Families {
  std::unordered_map<std::string, std::size_t> of;  // by video
  // The groups of each family, that of its oldest video first. This one decides for the whole family, so that a video
  // that is added moves nothing, unless it makes two families one: then the younger one may move.
  std::vector<std::vector<std::string>> groups;
};
Families families_of(const std::vector<catalog::Kin>& kin);

}  // namespace reeltag::dataset
