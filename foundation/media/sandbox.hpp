// What a process that decodes hostile bytes may still do: compute, read and write what it has open, and make sealed
// memory. Linux: rlimits, no_new_privs and a seccomp filter (docs/adr/0013).
// Process-wide and for good. Call it while the process has one thread, after all that needs files is done.
#pragma once

#include "reeltag/media.hpp"

namespace reeltag::media {

// Sanitizers map terabytes of shadow memory, and try through a pipe whether an address can be read:
// their address space is not bounded.
#ifdef REELTAG_SHADOW_MEMORY
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// The kernel's bounds on processor time, memory, files and descriptors. Throws Exception(unavailable).
void apply_rlimits(const WorkerLimits& limits);

// The filter. A call that no decoder makes (socket, execve, fork, ptrace ...) kills the process; any other call that is
// not on the list, open among them, fails with EPERM. Throws Exception(unavailable) where the kernel has no seccomp.
void enter_sandbox();

}  // namespace reeltag::media
