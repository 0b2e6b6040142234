// Limits of uploads, the section `upload` of the server's configuration. A value, any thread; owns nothing. The
// configuration reports a value outside its range.
//
//   Uploads uploads(folder, UploadOptions{.max_open = 4}, on_finished);
#pragma once

#include <cstdint>

#include "reeltag/base/config.hpp"

namespace reeltag::serve {

struct UploadOptions {
  std::int64_t max_bytes = 1LL << 30;
  double keep_hours = 24;
  int max_open = 32;
  std::int64_t min_free_bytes = 1LL << 30;
};
template <class V>
void visit(V& v, UploadOptions& c) {
  v("max_bytes", c.max_bytes, "Bytes of one uploaded video", config::Range{1, 1e15});
  v("keep_hours", c.keep_hours, "Hours after which an unfinished upload is removed", config::Range{0.01, 8760});
  v("max_open", c.max_open, "Unfinished uploads of one owner", config::Range{1, 1e6});
  v("min_free_bytes", c.min_free_bytes, "Bytes of the disk that uploads leave free", config::Range{0, 1e15});
}

}  // namespace reeltag::serve
