// reeltag-torch hands nothing over: it is where commands that need a model end up.
#include "handover.hpp"

namespace reeltag::app {
void remember_arguments(char** /*argv*/) {}
}  // namespace reeltag::app
