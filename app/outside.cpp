#include "outside.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "reeltag/base/file.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/stop.hpp"

namespace reeltag::app {
namespace {

bool write_all(const Descriptor& file, std::string_view rest) {
  while (!rest.empty()) {
    const auto put = ::write(file.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

Descriptor unnamed_file(const Context& context) {
  std::filesystem::create_directories(context.home());
  return open_unnamed_file(context.home());
}

}  // namespace

Result<Descriptor> fetch(const Context& context, const std::string& url) {
  Descriptor file = unnamed_file(context);
  const auto got =
      http::download(url, [&](std::string_view part) { return write_all(file, part); }, context.config().http);
  if (!got) return tl::unexpected(got.error());
  log::debug("fetched", {{"url", got->url}, {"bytes", got->bytes}, {"type", got->content_type}});
  return file;
}

Result<Descriptor> read_standard_input(const Context& context) {
  Descriptor file = unnamed_file(context);
  std::array<char, 1 << 16> part{};
  std::int64_t bytes = 0;
  for (;;) {
    stop::throw_if_requested();
    const auto got = ::read(STDIN_FILENO, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Code::unavailable, "-: standard input cannot be read");
    if (got == 0) return file;
    bytes += got;
    if (bytes > context.config().media.max_bytes)
      return fail(Code::too_large, "-: has more bytes than the limit media.max_bytes");
    if (!write_all(file, {part.data(), static_cast<std::size_t>(got)}))
      return fail(Code::unavailable, "-: cannot be stored below " + context.home().string());
  }
}

}  // namespace reeltag::app
