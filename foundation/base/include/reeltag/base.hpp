// Includes all of base: errors, configuration, log, metrics, progress, ids, hashing, files, subprocesses, stopping.
// Each header below states its own thread-safety, ownership and failures.
#pragma once

#include "reeltag/base/config.hpp"
#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/ids.hpp"
#include "reeltag/base/json.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/metrics.hpp"
#include "reeltag/base/progress.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/base/subprocess.hpp"
#include "reeltag/base/yaml.hpp"
