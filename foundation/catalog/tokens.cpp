// API tokens.

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "check_video.hpp"
#include "connection.hpp"
#include "reeltag/base/hash.hpp"
#include "reeltag/base/random.hpp"
#include "reeltag/base/time.hpp"
#include "reeltag/catalog/service.hpp"

namespace reeltag::catalog {
namespace {

constexpr std::array<std::string_view, 3> kScopes{"read", "write", "operator"};
constexpr std::string_view kPrefix = "reeltag_";  // lets scanners for leaked secrets recognize one
constexpr std::int64_t kHour = 3600;

const std::string kTokenColumns = "id, name, scopes, created, used ";
const std::string kMake =
    "INSERT INTO token (id, name, hash, scopes, created, used) VALUES ($1, $2, $3, $4, $5, 0) "
    "ON CONFLICT (name) DO NOTHING RETURNING id";
const std::string kFindToken = "SELECT " + kTokenColumns + "FROM token WHERE hash = $1";
const std::string kListTokens = "SELECT " + kTokenColumns + "FROM token ORDER BY name";
const std::string kUsed = "UPDATE token SET used = $2 WHERE id = $1";
const std::string kRevoke = "DELETE FROM token WHERE name = $1 RETURNING id";

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

Token token_of(const Query& row) {
  return {.id = row.text(0),
          .name = row.text(1),
          .scopes = words_of(row.text(2)),
          .created = row.integer(3),
          .used = row.integer(4)};
}

std::string hash_of(std::string_view text) { return hex(sha256(text)); }

}  // namespace

Tokens::Tokens(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

std::pair<Token, std::string> Tokens::make(std::string_view name, std::span<const std::string> scopes) {
  check_key(name, "the name of a token");
  if (name.empty()) throw Exception(Code::invalid_argument, "a token needs a name");
  std::string text_of_scopes;
  for (const auto& scope : scopes) {
    if (std::find(kScopes.begin(), kScopes.end(), scope) == kScopes.end())
      throw Exception(Code::invalid_argument, "there is no scope '" + scope + "'; there are read, write and operator");
    text_of_scopes += (text_of_scopes.empty() ? "" : " ") + scope;
  }
  if (scopes.empty()) throw Exception(Code::invalid_argument, "a token needs at least one scope");
  const std::string id = random_hex(8), text = std::string(kPrefix) + random_hex(24);
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const auto now = unix_seconds();
  if (!database->query(kMake, id, name, hash_of(text), text_of_scopes, now).step())
    throw Exception(Code::already_exists,
                    "there is a token called '" + std::string(name) + "' already; revoke it first");
  transaction.commit();
  return {{.id = id, .name = std::string(name), .scopes = {scopes.begin(), scopes.end()}, .created = now}, text};
}

std::optional<Token> Tokens::find(std::string_view text) {
  const Connection::Use database(*connection_);
  std::optional<Token> token;
  {
    // Looks the token up by its hash: the time it takes does not reveal how close a guess was.
    auto row = database->query(kFindToken, hash_of(text));
    if (!row.step()) return std::nullopt;
    token = token_of(row);
  }
  if (const auto now = unix_seconds(); now - token->used >= kHour) {
    Transaction transaction(*database);
    database->query(kUsed, token->id, now).step();
    transaction.commit();
  }
  return token;
}

std::vector<Token> Tokens::list() {
  const Connection::Use database(*connection_);
  auto rows = database->query(kListTokens);
  std::vector<Token> out;
  while (rows.step()) out.push_back(token_of(rows));
  return out;
}

bool Tokens::revoke(std::string_view name) {
  const Connection::Use database(*connection_);
  Transaction transaction(*database);
  const bool was_there = database->query(kRevoke, name).step();
  transaction.commit();
  return was_there;
}

}  // namespace reeltag::catalog
