// Server measured by bench/http/http.py: GET /hello, GET /file, PUT /file, GET /metrics.
//   http_bench_server FOLDER      prints its port; ends with SIGTERM
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/stop.hpp"
#include "reeltag/http/server.hpp"

using namespace reeltag;
using namespace reeltag::http;

namespace {

class ToFile final : public server::Upload {
 public:
  explicit ToFile(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {}

  Result<void> write(std::string_view part) override {
    while (!part.empty()) {
      const auto put = ::write(file_.get(), part.data(), part.size());
      if (put <= 0) return fail(Code::unavailable, "cannot write");
      part.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
  }
  server::Response finish() override { return {.status = 204}; }

 private:
  Descriptor file_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path path = std::filesystem::path(arguments[1]) / "file";
  stop::install();
  log::configure({.level = log::Level::warning});
  metrics::Registry registry;
  registry.add_process();
  server::Router router;
  router.get("/hello", [](const server::Request&) { return server::text("hello"); });
  router.get("/metrics", [&](const server::Request& q) { return server::metrics_response(q, registry); });
  router.get("/file", [&](const server::Request&) {
    auto found = server::file(path, "application/octet-stream");
    return found ? *found : server::problem(found.error());
  });
  router.upload("PUT", "/file",
                [&](const server::Request&) -> std::variant<server::Response, std::unique_ptr<server::Upload>> {
                  return std::make_unique<ToFile>(path);
                },
                {.max_body = 1LL << 40});
  server::Server server({.port = 0, .requests_per_second = 0}, registry);
  std::cout << server.port() << std::endl;
  server.run(router, stop::token());
}
