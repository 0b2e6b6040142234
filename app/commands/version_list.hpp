// What commands about versions share: finding one by its name, and printing. One thread.
#pragma once

#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

#include "context.hpp"
#include "reeltag/registry.hpp"

namespace reeltag::app {

registry::Registry registry_of(const Context& context);
// Throws not_found for a text that means no version.
registry::VersionId find_version(const registry::Registry& models, const std::string& text);
std::string to_text(const nlohmann::ordered_json& json);  // one line, whatever its texts hold

void add_list(CLI::App& models, Context& context);
void add_show(CLI::App& models, Context& context);

}  // namespace reeltag::app
