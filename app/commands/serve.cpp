// serve and tokens: their options, and what needs no model.
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reeltag/base/log.hpp"
#include "reeltag/base/time.hpp"
#include "reeltag/catalog/service.hpp"

namespace reeltag::app {
namespace {

std::string day_of(std::int64_t seconds) { return seconds == 0 ? "never" : utc_text(seconds, "%Y-%m-%d"); }

std::string joined_scopes(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

nlohmann::ordered_json token_json(const catalog::Token& token) {
  return {{"name", token.name}, {"scopes", token.scopes}, {"created", token.created}, {"used", token.used}};
}

catalog::Tokens open_tokens(Context& context) {
  context.start();
  std::filesystem::create_directories(context.home());
  return catalog::Tokens(catalog::connect(context.catalog_location()));
}

void make_token(Context& context, const std::string& name, const std::vector<std::string>& scopes) {
  const auto [token, text] = open_tokens(context).make(name, scopes);
  if (context.json) {
    auto out = token_json(token);
    out["token"] = text;
    return print(out.dump());
  }
  print(text);
  log::info("token_made", {{"name", name}, {"scopes", joined_scopes(scopes)}, {"message", "it is shown this once"}});
}

void list_tokens(Context& context) {
  const auto tokens = open_tokens(context).list();
  for (const auto& token : tokens) {
    print(context.json ? token_json(token).dump()
                       : token.name + "  " + joined_scopes(token.scopes) + "  made " + day_of(token.created) +
                             ", used " + day_of(token.used));
  }
  if (tokens.empty() && !context.json) print("no tokens; reeltag tokens new NAME --scope read,write makes one");
}

void revoke_token(Context& context, const std::string& name) {
  if (!open_tokens(context).revoke(name)) throw Exception(Code::not_found, "there is no token called '" + name + "'");
  print(context.json ? nlohmann::ordered_json{{"revoked", name}}.dump() : "revoked " + name);
}

}  // namespace

void add_serve(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("serve", "Serve the web page, the API, and jobs that tag uploads");
  auto a = std::make_shared<ServeArguments>();
  cmd->add_option("--host", a->host, "Address to listen on (default 127.0.0.1, this machine only)");
  cmd->add_option("--port", a->port, "Port to listen on; 0 for any that is free (default 8080)")
      ->check(CLI::Range(0, 65535));
  cmd->add_option("--model", a->model, kModelMeaning);
  cmd->callback([a, &context] { run_serve(context, *a); });
}

void add_tokens(CLI::App& app, Context& context) {
  auto* cmd = app.add_subcommand("tokens", "Tokens for the server's API");
  cmd->require_subcommand(1);
  struct TokenArguments {
    std::string name;
    std::vector<std::string> scopes{"read", "write"};
  };
  auto a = std::make_shared<TokenArguments>();
  auto* make = cmd->add_subcommand("new", "Make a token; it is printed once and kept as a hash");
  make->add_option("name", a->name, "Name of the token")->required();
  make->add_option("--scope", a->scopes, "read, write, operator (who sees and may do all)")
      ->delimiter(',')
      ->check(CLI::IsMember({"read", "write", "operator"}))
      ->capture_default_str();
  make->callback([a, &context] { make_token(context, a->name, a->scopes); });
  cmd->add_subcommand("list", "List tokens: name, scopes, last use")->callback([&context] { list_tokens(context); });
  auto* revoke = cmd->add_subcommand("revoke", "Revoke a token");
  revoke->add_option("name", a->name, "Name of the token")->required();
  revoke->callback([a, &context] { revoke_token(context, a->name); });
}

}  // namespace reeltag::app
