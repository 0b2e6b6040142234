// What both sides of the worker's socket need to agree on. Private to this module. Any thread.
#pragma once

#include <fcntl.h>

#include <string>

#include "reeltag/media.hpp"
#include "worker_channel.hpp"

namespace reeltag::media {

// On memory with frames: nothing about it can change any more.
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

void pack(Packer& out, const Limits& limits);
Limits unpack_limits(Unpacker& in);
std::string pack(const Probe& probe);
// Fails with corrupt for facts that no video has.
Result<Probe> unpack_probe(std::string_view body);

std::string output_problem(const WorkerLimits& limits);

}  // namespace reeltag::media
