#include "features.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include <torch/torch.h>

#include "reeltag/base/log.hpp"
#include "reeltag/base/progress.hpp"

namespace reeltag::train {
namespace {

static_assert(std::endian::native == std::endian::little, "features are kept little-endian");

std::string key_of(const std::string& extractor, const dataset::Item& item) {
  return model::feature_key(extractor, item.video);
}

// Empty for a blob of another length, which is not a row of this extractor.
std::vector<float> row_of(const std::string& bytes, int width) {
  std::vector<float> row(static_cast<std::size_t>(width));
  if (bytes.size() != row.size() * sizeof(float)) return {};
  std::memcpy(row.data(), bytes.data(), bytes.size());
  return row;
}

// The mean features over the views that represent the video.
Result<std::vector<float>> compute(model::Extractor& extractor, const dataset::Item& item, store::Store& store,
                                   const media::Limits& limits) {
  const auto file = store::find_local(store, item.key);
  if (!file) return fail(file.error());
  auto video = media::Decoder::open(*file, limits);
  if (!video) return fail(video.error());
  const auto views = extractor.whole((*video)->probe().duration);
  const auto wanted = extractor.wanted(views);
  const auto frames = (*video)->frames_at(wanted.times, wanted.scale);
  if (!frames) return fail(frames.error());
  const auto rows = extractor.features(*frames, views.size());
  if (!rows) return fail(rows.error());
  std::vector<float> mean(rows->front().size(), 0.0F);
  for (const auto& row : *rows) {
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += row[i] / static_cast<float>(rows->size());
  }
  return mean;
}

class Work {
 public:
  Work(const std::vector<dataset::Item>& items, store::Store& store, const FeatureRequest& request,
       model::ExtractorOptions options)
      : items_(items), store_(store), request_(request), options_(std::move(options)) {}

  FeatureTable run() {
    auto first = std::make_unique<model::Extractor>(options_, request_.net, request_.image_encoder);
    table_.blocks = first->blocks();
    table_.rows.resize(items_.size());
    take_kept(*first);
    const std::string pace_key = "features/" + first->id() + "/seconds";
    if (missing_.empty()) {
      if (const auto pace = store_.get(pace_key)) table_.seconds_saved = saved(std::strtod(pace->c_str(), nullptr));
      return std::move(table_);
    }
    const auto begin = std::chrono::steady_clock::now();
    progress_.emplace("features", static_cast<std::int64_t>(missing_.size()));
    {
      std::vector<std::jthread> threads;
      const auto count = std::min<std::size_t>(static_cast<std::size_t>(request_.threads), missing_.size());
      threads.emplace_back([this, &first] { work(*first); });
      for (std::size_t i = 1; i < count; ++i) {
        threads.emplace_back([this] {
          try {
            model::Extractor own(options_, request_.net, request_.image_encoder);
            work(own);
          } catch (...) {
            stop_with(std::current_exception());
          }
        });
      }
    }
    progress_.reset();
    if (error_) std::rethrow_exception(error_);
    table_.seconds_computing = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (table_.computed > 0) {
      const double pace = table_.seconds_computing / static_cast<double>(table_.computed);
      store_.put(pace_key, std::to_string(pace));  // for later runs that find all features cached
      table_.seconds_saved = saved(pace);
    }
    return std::move(table_);
  }

 private:
  // Seconds that the cached features would have taken at `pace` seconds per video.
  [[nodiscard]] double saved(double pace) const {
    return std::isfinite(pace) && pace > 0 ? pace * static_cast<double>(table_.kept) : 0.0;
  }

  void take_kept(const model::Extractor& extractor) {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const auto bytes = store_.get(key_of(extractor.id(), items_[i]));
      if (bytes) table_.rows[i] = row_of(*bytes, extractor.width());
      if (table_.rows[i].empty()) missing_.push_back(i);
    }
    table_.kept = static_cast<std::int64_t>(items_.size() - missing_.size());
  }

  void work(model::Extractor& extractor) {
    torch::set_num_threads(1);  // per thread: parallelism is over videos
    try {
      for (std::size_t at = next_++; at < missing_.size() && !ended_; at = next_++) {
        if (request_.stop.stop_requested())
          throw Exception(Code::interrupted, "interrupted; the features that were computed are kept");
        finish(missing_[at], extractor, compute(extractor, items_[missing_[at]], store_, request_.limits));
      }
    } catch (...) {
      stop_with(std::current_exception());
    }
  }

  void finish(std::size_t i, const model::Extractor& extractor, Result<std::vector<float>> row) {
    if (row) {
      store_.put(key_of(extractor.id(), items_[i]),
                 {reinterpret_cast<const char*>(row->data()), row->size() * sizeof(float)});
    }
    const std::lock_guard lock(mutex_);
    if (row) {
      table_.rows[i] = std::move(*row);
      ++table_.computed;
    } else {
      log::warning(
          "video_left_out",
          {{"video", items_[i].video}, {"code", code_name(row.error().code)}, {"reason", row.error().message}});
      table_.failed.push_back({items_[i].video, row.error()});
    }
    progress_->advance();
  }

  void stop_with(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    ended_ = true;
  }

  const std::vector<dataset::Item>& items_;
  store::Store& store_;
  const FeatureRequest& request_;
  const model::ExtractorOptions options_;
  FeatureTable table_;
  std::vector<std::size_t> missing_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> ended_ = false;
  std::mutex mutex_;  // guards the table, the progress and the error
  std::optional<Progress> progress_;
  std::exception_ptr error_;
};

// Joins the parts' columns in the order of the blocks. A video that failed in one part has no row.
FeatureTable joined(const std::vector<std::string>& order, std::vector<FeatureTable> parts) {
  FeatureTable out;
  std::vector<std::pair<std::size_t, std::ptrdiff_t>> from;  // part and first column of each block
  for (const auto& name : order) {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      std::ptrdiff_t first = 0;
      for (const auto& block : parts[p].blocks) {
        if (block.name == name) {
          from.emplace_back(p, first);
          out.blocks.push_back(block);
        }
        first += block.width;
      }
    }
  }
  out.rows.resize(parts.front().rows.size());
  for (std::size_t i = 0; i < out.rows.size(); ++i) {
    if (std::any_of(parts.begin(), parts.end(), [&](const FeatureTable& t) { return t.rows[i].empty(); })) continue;
    for (std::size_t b = 0; b < from.size(); ++b) {
      const auto begin = parts[from[b].first].rows[i].begin() + from[b].second;
      out.rows[i].insert(out.rows[i].end(), begin, begin + out.blocks[b].width);
    }
  }
  for (auto& part : parts) {
    for (auto& failure : part.failed) {
      const auto known = [&](const Failure& f) { return f.video == failure.video; };
      if (std::none_of(out.failed.begin(), out.failed.end(), known)) out.failed.push_back(std::move(failure));
    }
    out.computed = std::max(out.computed, part.computed);
    out.seconds_computing += part.seconds_computing;
    out.seconds_saved += part.seconds_saved;
  }
  out.kept = static_cast<std::int64_t>(out.rows.size()) - out.computed - static_cast<std::int64_t>(out.failed.size());
  return out;
}

}  // namespace

FeatureTable features_of(const std::vector<dataset::Item>& items, store::Store& store, const FeatureRequest& request) {
  // Decodes at the size of the block that needs the largest frames, like tagging.
  const int short_side = model::Extractor::decoded_side({.blocks = request.blocks}, request.net);
  std::vector<FeatureTable> parts;
  for (const bool of_net : {true, false}) {
    model::ExtractorOptions options{
        .blocks = {}, .image_frames = request.image_frames, .short_side = short_side, .threads = 1};
    for (const auto& name : request.blocks) {
      if ((name == model::kMvitBlock) == of_net) options.blocks.push_back(name);
    }
    if (!options.blocks.empty()) parts.push_back(Work(items, store, request, std::move(options)).run());
  }
  return joined(request.blocks, std::move(parts));
}

}  // namespace reeltag::train
