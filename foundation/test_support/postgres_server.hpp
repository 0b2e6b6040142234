// For tests: starts a private PostgreSQL server (tools/requirements/test_servers.txt) that ends with the object and
// with the process. Listens on a socket in a temporary folder, requires a password (PGPASSFILE is set to the file with
// it), and runs as nobody if the test runs as root, because PostgreSQL refuses root. One thread; fork() is allowed.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "reeltag/base/file.hpp"
#include "reeltag/base/subprocess.hpp"

namespace reeltag::test {

class PostgresServer {
 public:
  PostgresServer() {
    namespace fs = std::filesystem;
    // Another user needs access, and the programs in a wheel are not executable.
    fs::permissions(folder_.path(), static_cast<fs::perms>(0755));
    for (const char* part :
         {"pgserver/pginstall/bin", "pgserver/pginstall/lib", "pgserver/pginstall/share", "pgserver.libs"}) {
      fs::create_directories(folder_.path() / part);
      fs::copy(fs::path(REELTAG_SOURCE_DIR "/.deps") / part, folder_.path() / part, fs::copy_options::recursive);
    }
    for (const auto& program : fs::directory_iterator(programs()))
      fs::permissions(program, static_cast<fs::perms>(0755));
    write_secret("password", kPassword + std::string("\n"));
    write_secret("pgpass", std::string("*:*:*:*:") + kPassword + "\n");
    ::setenv("PGPASSFILE", (folder_.path() / "pgpass").c_str(), 1);
    fs::create_directory(data());
    if (::geteuid() == 0) {
      if (::chown(data().c_str(), kNobody, kNobody) != 0) throw std::runtime_error("chown");
      if (::chown((folder_.path() / "password").c_str(), kNobody, kNobody) != 0) throw std::runtime_error("chown");
    }
    must(as_server({programs() / "initdb", "-D", data(), "-U", "tester", "-A", "scram-sha-256", "-E", "UTF8",
                    "--locale=C.UTF-8", "--pwfile", folder_.path() / "password", "--no-sync"}));
    start();
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer() { end(SIGQUIT); }

  void start() {
    const auto socket = data().string();
    server_.emplace(
        value_or_throw(Process::start(as_server({programs() / "postgres", "-D", data(), "-c", "listen_addresses=", "-c",
                                                 "unix_socket_directories=" + socket, "-c", "fsync=off"}),
                                      {.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}})));
    for (int tries = 0; tries < 600; ++tries) {
      const auto done = psql("postgres", "SELECT 1");
      if (done && done->status == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error("the PostgreSQL server does not answer");
  }
  // Stops as an administrator would: connections are closed, committed data is written.
  void stop() { end(SIGINT); }
  // Simulates a crash.
  void kill() { end(SIGQUIT); }

  [[nodiscard]] std::string url(const std::string& database, const std::string& user = "tester") const {
    return "postgresql://" + user + "@/" + database + "?host=" + data().string();
  }
  // Creates an empty database and returns its name.
  std::string make_database(const std::string& options = "") {
    auto name = "d" + std::to_string(::getpid()) + "_" + std::to_string(++databases_);
    sql("postgres", "CREATE DATABASE " + name + " " + options);
    return name;
  }
  // Runs a query with psql and returns its unformatted output.
  std::string sql(const std::string& database, const std::string& text) {
    const auto done = value_or_throw(psql(database, text));
    if (done.status != 0) throw std::runtime_error(text + ": " + done.err);
    return done.out;
  }

 private:
  static constexpr const char* kPassword = "a b'c";
  static constexpr unsigned kNobody = 65534;

  [[nodiscard]] std::filesystem::path programs() const { return folder_.path() / "pgserver/pginstall/bin"; }
  [[nodiscard]] std::filesystem::path data() const { return folder_.path() / "data"; }

  void write_secret(const char* name, const std::string& text) const {
    write_file(folder_.path() / name, text);
    std::filesystem::permissions(folder_.path() / name, static_cast<std::filesystem::perms>(0600));
  }
  static std::vector<std::string> as_server(std::vector<std::string> arguments) {
    std::vector<std::string> command{"/usr/bin/setpriv", "--pdeathsig", "QUIT"};
    if (::geteuid() == 0) command.insert(command.end(), {"--reuid=65534", "--regid=65534", "--clear-groups"});
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  static void must(const std::vector<std::string>& command) {
    const auto done = value_or_throw(run(command, {.folder = "/"}));
    if (done.status != 0) throw std::runtime_error(command[3] + ": " + done.err);
  }
  Result<RunResult> psql(const std::string& database, const std::string& text) {
    return run({programs() / "psql", url(database), "-XAtqc", text});
  }
  void end(int signal) {
    if (!server_) return;
    ::kill(server_->id(), signal);
    server_->wait(std::chrono::seconds(30));
    server_.reset();
  }

  TemporaryFolder folder_{"reeltag-pg"};
  int databases_ = 0;
  std::optional<Process> server_;
};

}  // namespace reeltag::test
