#include "handover.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "commands.hpp"

namespace reeltag::app {
namespace {
char** remembered = nullptr;
}

void remember_arguments(char** argv) { remembered = argv; }

void hand_over() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto sibling = self.parent_path() / "reeltag-torch";
  // Waiting OpenMP threads sleep instead of spinning: on a busy machine spinning takes the processor from the thread
  // that is waited for. Must be in the environment before libgomp is loaded.
  setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
  if (!error) execv(sibling.c_str(), remembered);
  throw Exception(Code::not_found, "cannot start " + sibling.string() + ": " + std::strerror(errno) +
                                       "; this command needs the program that was built with libtorch");
}

void run_train(Context&, const TrainArguments&) { hand_over(); }
void run_import_checkpoint(Context&, const ImportCheckpointArguments&) { hand_over(); }
void run_fetch(Context&, const FetchArguments&) { hand_over(); }
void run_export(Context&, const ExportArguments&) { hand_over(); }
void run_verify(Context&, const VerifyArguments&) { hand_over(); }
void run_choose(Context&, const ChooseArguments&) { hand_over(); }
void run_check(Context&, const CheckArguments&) { hand_over(); }
void run_measure(Context&, const MeasureArguments&) { hand_over(); }

}  // namespace reeltag::app
