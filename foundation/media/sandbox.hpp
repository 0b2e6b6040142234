// Restricts a process that decodes hostile bytes to computing, using its open descriptors, and creating sealed memory.
// Linux: rlimits, no_new_privs and a seccomp filter (docs/adr/0013).
// Process-wide and permanent. Call it while the process has one thread, after everything that opens files.
#pragma once

#include "reeltag/media.hpp"

namespace reeltag::media {

// Sanitizers map terabytes of shadow memory and use a pipe to test whether an address is readable:
// their address space is not limited.
#ifdef REELTAG_SHADOW_MEMORY
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// Sets kernel limits on processor time, memory, files and descriptors. Throws Exception(unavailable).
void apply_rlimits(const WorkerLimits& limits);

// Installs the filter. A system call that no decoder makes (socket, execve, fork, ptrace ...) kills the process; any
// other call not on the list, including open, fails with EPERM. Throws Exception(unavailable) without seccomp.
void enter_sandbox();

}  // namespace reeltag::media
