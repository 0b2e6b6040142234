#include "crawl/challenge.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace reeltag::collect {
namespace {

constexpr std::size_t kLooked = 256 << 10;  // bytes of a page that are searched

std::string lower(std::string_view text) {
  std::string out(text.substr(0, kLooked));
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

}  // namespace

bool is_web_page(std::string_view body) {
  const auto begin = body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (begin == std::string_view::npos) return false;
  const auto head = lower(body.substr(begin, 512));
  return head.starts_with("<!doctype html") || head.starts_with("<html") || head.starts_with("<head") ||
         head.starts_with("<!--");
}

bool is_challenge(std::string_view page) {
  if (!is_web_page(page)) return false;
  const auto text = lower(page);
  const auto has = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  const bool proof_of_work = (has("id=\"cs\"") || has("id=cs")) && (has("id=\"wci\"") || has("id=wci"));
  return proof_of_work || has("_wafchallengeid") || has("waf-challenge") || has("captcha") ||
         has("verify you are human");
}

}  // namespace reeltag::collect
