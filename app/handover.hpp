// From `reeltag` to `reeltag-torch`: the same command line, run by the program that has libtorch.
#pragma once

namespace reeltag::app {

// Keeps main's argv for the handover.
void remember_arguments(char** argv);

// Replaces this process by reeltag-torch with the remembered arguments. Returns only by Exception (not_found).
[[noreturn]] void hand_over();

}  // namespace reeltag::app
