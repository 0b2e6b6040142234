#include "../commands.hpp"

namespace reeltag::app {

void run_evaluate(Context& context, const EvaluateArguments&) {
  context.start();
  throw Exception(Code::unsupported, "evaluate comes with the next commit");
}

}  // namespace reeltag::app
