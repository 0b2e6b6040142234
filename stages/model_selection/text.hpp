// Formats figures for people, as plain text. Private. Functions, any thread; nothing here fails.
#pragma once

#include <string>

namespace reeltag::model_selection {

std::string thousands(double value);     // 12345.6 -> "12,346", 34.21 -> "34.2", 3.421 -> "3.42"; "-" for NaN
std::string short_number(double value);  // 2000 -> "2000", 12.34 -> "12.3", 0.0012 -> "0.0012"
std::string gigabytes(double bytes);     // "1.25 GB"
std::string percentage(double share);    // "81.0 %"

}  // namespace reeltag::model_selection
