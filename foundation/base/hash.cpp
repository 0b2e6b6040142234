#include "reeltag/base/hash.hpp"

#include <fcntl.h>
#include <openssl/evp.h>

#include <cerrno>
#include <vector>

#include "reeltag/base/descriptor.hpp"
#include "system_error.hpp"

namespace reeltag {
namespace {

void check_openssl(int done) {
  if (done != 1) throw Exception(Code::internal, "OpenSSL refuses to compute a digest; is this a FIPS-only system?");
}

template <std::size_t Size>
std::array<std::uint8_t, Size> digest(const EVP_MD* kind, std::string_view bytes) {
  std::array<std::uint8_t, Size> out{};
  unsigned size = 0;
  check_openssl(EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, kind, nullptr));
  if (size != Size) throw Exception(Code::internal, "OpenSSL gave a digest of another size");
  return out;
}

// An incremental digest.
template <std::size_t Size>
class Running {
 public:
  explicit Running(const EVP_MD* kind) : kind_(kind), evp_(EVP_MD_CTX_new()) {
    check_openssl(evp_ != nullptr ? 1 : 0);
    check_openssl(EVP_DigestInit_ex(evp_.get(), kind_, nullptr));
  }
  void update(std::string_view bytes) { check_openssl(EVP_DigestUpdate(evp_.get(), bytes.data(), bytes.size())); }
  std::array<std::uint8_t, Size> finish() {
    std::array<std::uint8_t, Size> out{};
    check_openssl(EVP_DigestFinal_ex(evp_.get(), out.data(), nullptr));
    check_openssl(EVP_DigestInit_ex(evp_.get(), kind_, nullptr));
    return out;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const EVP_MD* kind_;
  std::unique_ptr<EVP_MD_CTX, Free> evp_;
};

}  // namespace

std::string hex(std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Sha256Digest sha256(std::string_view bytes) { return digest<32>(EVP_sha256(), bytes); }
Sha1Digest sha1(std::string_view bytes) { return digest<20>(EVP_sha1(), bytes); }

struct Sha256::Context : Running<32> {
  Context() : Running(EVP_sha256()) {}
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
void Sha256::update(std::string_view bytes) { context_->update(bytes); }
Sha256Digest Sha256::finish() { return context_->finish(); }

struct Sha1::Context : Running<20> {
  Context() : Running(EVP_sha1()) {}
};

Sha1::Sha1() : context_(std::make_unique<Context>()) {}
Sha1::~Sha1() = default;
Sha1::Sha1(Sha1&&) noexcept = default;
Sha1& Sha1::operator=(Sha1&&) noexcept = default;
void Sha1::update(std::string_view bytes) { context_->update(bytes); }
Sha1Digest Sha1::finish() { return context_->finish(); }

Result<Sha256Digest> sha256_file(const std::filesystem::path& path) {
  const auto failed = [&](int number) { return fail(system_error(number, "cannot read '" + path.string() + "'")); };
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return failed(errno);
  Sha256 hash;
  std::vector<char> buffer(1 << 18);
  for (;;) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(errno);
    if (got == 0) return hash.finish();
    hash.update({buffer.data(), static_cast<std::size_t>(got)});
  }
}

unsigned sha1_mod(std::string_view text, unsigned modulus) {
  if (modulus == 0) throw Exception(Code::invalid_argument, "sha1_mod: the modulus must be above 0");
  std::uint64_t rest = 0;  // long division by bytes: below 2^32 before each step, so never over 2^40
  for (const auto byte : sha1(text)) rest = ((rest << 8) | byte) % modulus;
  return static_cast<unsigned>(rest);
}

}  // namespace reeltag
