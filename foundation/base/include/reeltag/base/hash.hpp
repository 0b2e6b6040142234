// Digests: SHA-256 for content ids, SHA-1 for data splits (never for security), FNV-1a for short keys.
// Functions: any thread. Sha256, Sha1: one thread at a time, movable; OpenSSL is used only in hash.cpp.
// Failure: sha256_file returns a Result; the rest throws Exception(internal) if OpenSSL fails.
//
//   const std::string name = hex(sha256("abc"));  // ba7816bf...
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "reeltag/base/error.hpp"

namespace reeltag {

using Sha256Digest = std::array<std::uint8_t, 32>;
using Sha1Digest = std::array<std::uint8_t, 20>;

// Lower-case hexadecimal digits, two per byte.
std::string hex(std::span<const std::uint8_t> bytes);
// Whether the text consists of exactly that many lower-case hexadecimal digits.
bool is_hex(std::string_view text, std::size_t digits);

Sha256Digest sha256(std::string_view bytes);
Result<Sha256Digest> sha256_file(const std::filesystem::path& path);

// Incremental SHA-256.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view bytes);
  // Returns the digest of all bytes so far; the next update() starts a new digest.
  Sha256Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Sha1Digest sha1(std::string_view bytes);

// Incremental SHA-1.
class Sha1 {
 public:
  Sha1();
  ~Sha1();
  Sha1(Sha1&&) noexcept;
  Sha1& operator=(Sha1&&) noexcept;

  void update(std::string_view bytes);
  // Returns the digest of all bytes so far; the next update() starts a new digest.
  Sha1Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// The SHA-1 of the text as a big-endian 160-bit number, modulo modulus (> 0). Must stay the same on all machines and in
// all releases: dataset splits depend on it. Python: int(hashlib.sha1(text).hexdigest(), 16) % modulus.
unsigned sha1_mod(std::string_view text, unsigned modulus);

// FNV-1a. Source of the constants: RFC 9923 (FNV), the 64-bit offset basis and prime.
constexpr std::uint64_t fnv1a64(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char byte : bytes) {
    hash ^= static_cast<std::uint8_t>(byte);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

}  // namespace reeltag
