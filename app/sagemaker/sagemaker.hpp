// What `sagemaker serve` and `sagemaker train` share: the container's folders and variables. Any thread.
#pragma once

#include "commands.hpp"
#include "reeltag/serve/sagemaker.hpp"

namespace reeltag::app {

// What the environment says, with --opt-ml before it. Throws invalid_config.
serve::sagemaker::Container container_of(const SagemakerArguments& arguments);

// Before Context::start(): a home in the temporary folder where none is named, for a container has none of its own, and
// SAGEMAKER_CONTAINER_LOG_LEVEL.
void settle(Context& context);

// The bundle that the platform has unpacked below /opt/ml/model: the folder itself, or the only one in it.
std::filesystem::path bundle_in(const std::filesystem::path& model);

}  // namespace reeltag::app
