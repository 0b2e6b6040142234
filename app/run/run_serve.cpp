// serve: the parts of the server that need a model or know the whole program.
#include "reeltag/serve.hpp"

#include <sys/stat.h>

#include "commands.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/collection.hpp"
#include "reeltag/tagger.hpp"
#include "reeltag/untrusted.hpp"

namespace reeltag::app {
namespace {

namespace fs = std::filesystem;

// A model may be larger than the memory.
std::shared_ptr<tag::Model> load(const fs::path& bundle, const tag::TagConfig& config) {
  try {
    return tag::load_model(bundle, config);
  } catch (const std::bad_alloc&) {
    throw Exception(Code::unavailable, "model " + bundle.string() + ": out of memory");
  }
}

std::vector<serve::Collection> collections(catalog::Catalog& catalog) {
  std::vector<serve::Collection> list;
  for (auto& one : collect::collected_hashtags(catalog)) {
    list.push_back({std::move(one.source), std::move(one.hashtag), std::move(one.ended), one.videos});
  }
  return list;
}

}  // namespace

void run_serve(Context& context, const ServeArguments& a) {
  context.start();
  auto config = context.config().serve;
  if (!a.host.empty()) config.http.host = a.host;
  if (a.port) config.http.port = *a.port;
  ::umask(S_IRWXG | S_IRWXO);  // visitors' videos, wherever the store is
  fs::create_directories(context.home());
  const auto store = context.open_store();
  const auto index = context.open_index(index::Missing::create);
  auto options = context.fetch_options();
  options.http.min_rate = std::max(options.http.min_rate, config.fetch_min_rate);
  ingest::ObjectFetcher objects(options);
  const auto host = config.http.host.find(':') == std::string::npos ? config.http.host : "[" + config.http.host + "]";
  serve::serve(config,
               {.home = context.home(),
                .catalog = context.catalog_location(),
                .store = *store,
                .index = *index,
                .limits = context.config().media,
                .places = {.home = context.home(), .shipped = models_folder()},
                .model = a.model,
                .fetch =
                    [&](const std::string& reference, auto deadline) {
                      return store::is_object_store(reference) ? objects.fetch(reference, deadline)
                                                               : ingest::fetch_url(options, reference, deadline);
                    },
                .load = [&](const fs::path& bundle) { return load(bundle, context.config().tag); },
                .collections = collections,
                .version = REELTAG_VERSION,
                .on_listening =
                    [&](int port) {
                      const auto url = "http://" + host + ":" + std::to_string(port) + "/";
                      print(context.json ? "{\"url\":\"" + url + "\"}" : url);
                    }},
               stop::token());
}

}  // namespace reeltag::app
