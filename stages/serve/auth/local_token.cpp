#include "auth/local_token.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "reeltag/base/descriptor.hpp"
#include "reeltag/base/error.hpp"
#include "reeltag/base/file.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/random.hpp"

namespace reeltag::serve {
namespace {

constexpr std::string_view kTokenPrefix = "reeltag_local_";
constexpr std::size_t kTokenBytes = 32;

bool is_token(const std::string& text) {
  return text.starts_with(kTokenPrefix) && is_hex(text.substr(kTokenPrefix.size()), 2 * kTokenBytes);
}

bool is_private(const std::filesystem::path& file) {
  struct stat facts{};
  return ::lstat(file.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_uid == ::geteuid() &&
         (facts.st_mode & 077) == 0;
}

void write_private(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::remove(file);  // never writes through a link that someone left here
  const Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out.is_open() || ::write(out.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw Exception(Code::unavailable, file.string() + ": " + std::generic_category().message(errno));
}

}  // namespace

std::string local_token(const std::filesystem::path& home) {
  const auto file = home / kLocalTokenFile;
  auto text = read_file(file, 1024);
  while (text && text->ends_with('\n')) text->pop_back();
  const bool known = text && is_token(*text);
  if (known && is_private(file)) return *text;
  if (known) log::warning("local_token_renewed", {{"file", file.string()}, {"reason", "others could read it"}});
  const std::string token = std::string(kTokenPrefix) + random_hex(kTokenBytes);
  write_private(file, token + "\n");
  return token;
}

}  // namespace reeltag::serve
