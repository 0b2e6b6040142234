#include "checksum.hpp"

#include <algorithm>
#include <cstdint>

#include "reeltag/base/base64.hpp"

namespace reeltag::serve {

Result<Checksum> Checksum::parse(std::string_view header) {
  const auto space = header.find(' ');
  const auto algorithm = header.substr(0, space);
  const bool is_sha256 = algorithm == "sha256";
  if (!is_sha256 && algorithm != "sha1")
    return fail(Code::invalid_argument, std::string("Upload-Checksum: the algorithms are ") + kAlgorithms);
  const auto digest = from_base64(space == std::string_view::npos ? std::string_view() : header.substr(space + 1));
  if (!digest || digest->size() != (is_sha256 ? sizeof(Sha256Digest) : sizeof(Sha1Digest)))
    return fail(Code::invalid_argument, "Upload-Checksum: want an algorithm, a space and a digest in base64");
  Checksum out;
  if (is_sha256) out.hash_.emplace<Sha256>();
  out.wanted_ = *digest;
  return out;
}

void Checksum::update(std::string_view bytes) {
  std::visit([&](auto& hash) { hash.update(bytes); }, hash_);
}

bool Checksum::matches() {
  return std::visit(
      [&](auto& hash) {
        const auto digest = hash.finish();
        return std::equal(digest.begin(), digest.end(), wanted_.begin(), wanted_.end(),
                          [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); });
      },
      hash_);
}

}  // namespace reeltag::serve
