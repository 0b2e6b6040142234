// Formats shared by both ends of the worker's socket. Private to this module. Any thread.
#pragma once

#include <fcntl.h>

#include <string>

#include "reeltag/media.hpp"
#include "worker_channel.hpp"

namespace reeltag::media {

// Seals on memory with frames, which make it immutable.
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

void pack(Packer& out, const Limits& limits);
Limits unpack_limits(Unpacker& in);
std::string pack(const Probe& probe);
// Fails with corrupt for impossible properties.
Result<Probe> unpack_probe(std::string_view body);

std::string output_problem(const WorkerLimits& limits);

}  // namespace reeltag::media
