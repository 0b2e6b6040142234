// Tests recovery: a new Uploads on an old folder, and servers that are killed.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "upload_fixture.hpp"
#include "upload_record.hpp"

namespace reeltag::serve {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string id_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

class Recovery : public ::testing::Test {
 protected:
  // Edits an upload's record to simulate a kill at another moment.
  void edit(const std::string& path, const std::function<void(UploadRecord&)>& change) {
    const fs::path file = folder() / id_of(path) / "upload.json";
    UploadRecord record = parse_record(content_of(file), file.string()).value();
    change(record);
    write_file(file, to_text(record));
  }
  [[nodiscard]] fs::path folder() const { return home_.path() / "uploads"; }

 private:
  TemporaryFolder home_;
};

TEST_F(Recovery, UploadsGoOnWhereTheyWere) {
  std::string part, whole, done, deferred;
  {
    Site site({}, folder());
    part = site.create(10, "Upload-Metadata: filename ZGFuY2UubXA0\r\n");
    site.send("PATCH", part, part_at(0), "01234");
    deferred = site.send("POST", "/v1/uploads", tus("Upload-Defer-Length: 1\r\n")).header("location");
    done = site.create(5);
    site.send("PATCH", done, part_at(0), "01234");
    site.refuses_jobs = true;
    whole = site.create(5);
    EXPECT_EQ(site.send("PATCH", whole, part_at(0), "56789").status, 503);
  }
  Site site({}, folder());
  EXPECT_THAT(site.passed_on(), ElementsAre());
  site.uploads().recover();
  EXPECT_THAT(site.passed_on(), ElementsAre(Pair(id_of(whole), 1)));
  EXPECT_EQ(site.send("HEAD", whole, tus()).header("reeltag-job"), "job-" + id_of(whole));
  EXPECT_EQ(site.send("HEAD", done, tus()).header("reeltag-job"), "job-" + id_of(done));
  EXPECT_EQ(site.send("HEAD", deferred, tus()).header("upload-defer-length"), "1");
  const auto found = site.send("HEAD", part, tus());
  EXPECT_EQ(found.header("upload-offset"), "5");
  EXPECT_EQ(found.header("upload-metadata"), "filename ZGFuY2UubXA0");
  EXPECT_EQ(site.send("HEAD", part, tus(), "", "you").status, 404);
  EXPECT_EQ(site.send("PATCH", part, part_at(5), "56789").status, 204);
  EXPECT_EQ(site.last().name, "dance.mp4");
  EXPECT_EQ(content_of(site.last().file), "0123456789");
}

TEST_F(Recovery, OfAPartWhoseChecksumWasNotSeenNothingCounts) {
  std::string path;
  {
    Site site({}, folder());
    path = site.create(10);
    site.send("PATCH", path, part_at(0), "0123456789");
  }
  edit(path, [](UploadRecord& record) {
    record.verified = 4;
    record.job.clear();
  });
  Site site({}, folder());
  site.uploads().recover();
  EXPECT_THAT(site.passed_on(), ElementsAre());
  EXPECT_EQ(site.offset_of(path), "4");
  EXPECT_EQ(site.send("PATCH", path, part_at(4), "456789").status, 204);
  EXPECT_EQ(content_of(site.file_of(path)), "0123456789");
}

TEST_F(Recovery, WhatIsNoUploadIsPassedOver) {
  std::string good, bad, long_one, without_data, one_body;
  {
    Site site({}, folder());
    for (auto* path : {&good, &bad, &long_one, &without_data, &one_body}) {
      *path = site.create(10);
      site.send("PATCH", *path, part_at(0), "01234");
    }
  }
  write_file(folder() / id_of(bad) / "upload.json", "{\"version\":");
  edit(long_one, [](UploadRecord& record) { record.length = 3; });
  edit(one_body, [](UploadRecord& record) { record.one_body = true; });
  fs::remove(folder() / id_of(without_data) / "data");
  fs::create_directory(folder() / ".tmp-half-made");
  write_file(folder() / "notes.txt", "somebody's");
  Site site({}, folder());
  EXPECT_EQ(site.offset_of(good), "5");
  for (const auto& path : {bad, long_one, without_data, one_body})
    EXPECT_EQ(site.send("HEAD", path, tus()).status, 404);
  EXPECT_TRUE(fs::exists(folder() / id_of(bad)));  // kept for the operator, who sees the log
  EXPECT_FALSE(fs::exists(folder() / id_of(one_body)));
  EXPECT_FALSE(fs::exists(folder() / ".tmp-half-made"));
  EXPECT_EQ(content_of(folder() / "notes.txt"), "somebody's");
}

TEST(Uploads, NeedAFolder) {
  const TemporaryFolder home;
  write_file(home.path() / "file", "");
  EXPECT_THROW(Uploads(home.path() / "file", {}, nullptr), Exception);
  EXPECT_THROW(Uploads(home.path() / "file" / "uploads", {}, nullptr), Exception);
}

// A server in its own process, to be killed.
class Child {
 public:
  // largest: limit of the file size, to simulate a full disk.
  explicit Child(const fs::path& folder, std::optional<rlim_t> largest = {}) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) throw std::runtime_error("no pipe");
    child_ = ::fork();
    if (child_ == 0) {
      if (largest) {
        const rlimit limit{*largest, *largest};
        ::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &limit);
      }
      serve(folder, pipe[1]);
    }
    ::close(pipe[1]);
    if (::read(pipe[0], &port_, sizeof port_) != sizeof port_) throw std::runtime_error("no server");
    ::close(pipe[0]);
  }
  ~Child() {
    if (child_ > 0) kill();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void kill() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] long peak_kilobytes() {
    ::kill(child_, SIGKILL);
    rusage usage{};
    ::wait4(child_, nullptr, 0, &usage);
    child_ = -1;
    return usage.ru_maxrss;
  }

 private:
  [[noreturn]] static void serve(const fs::path& folder, int to) {
    try {
      Site site({.max_open = 1000}, folder);  // creations whose response was lost by a kill stay open
      site.uploads().recover();
      const int port = site.port();
      if (::write(to, &port, sizeof port) == sizeof port) ::pause();
    } catch (const std::exception&) {
      ::_exit(1);
    }
    ::_exit(2);
  }

  pid_t child_ = -1;
  int port_ = 0;
};

std::string checksum_of(const std::string& part) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto digest = sha1(part);
  std::string text;
  for (std::size_t i = 0; i < digest.size(); i += 3) {
    const auto at = [&](std::size_t index) { return index < digest.size() ? unsigned{digest[index]} : 0U; };
    const unsigned bits = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (const int shift : {18, 12, 6, 0}) text += kDigits[bits >> shift & 63];
  }
  text.back() = '=';  // 20 bytes end with one padding character
  return "Upload-Checksum: sha1 " + text + "\r\n";
}

// Sends one upload to servers that are killed repeatedly, until it is complete.
struct Battered {
  const fs::path& folder;
  std::mt19937& random;
  bool checked;
  std::string bytes = {};
  std::string path = {};
  std::size_t acknowledged = 0;
  int kills = 0;

  void run() {
    constexpr int kMaxKills = 6;
    while (acknowledged < bytes.size()) {
      Child server(folder);
      std::jthread killer;
      if (kills < kMaxKills) {
        killer = std::jthread([&server, wait = random() % 40'000] {
          std::this_thread::sleep_for(std::chrono::microseconds(wait));
          server.kill();
        });
        ++kills;
      }
      while (step(server.port())) {
      }
    }
  }

 private:
  // False if the server is gone or nothing is left to send.
  bool step(int port) {
    if (acknowledged == bytes.size()) return false;
    Raw client(port);
    if (!client.is_open()) return false;
    if (path.empty()) {
      const auto made =
          exchange(client, head("POST", "/v1/uploads", tus("Upload-Length: " + std::to_string(bytes.size()) + "\r\n")));
      if (made.status == 0) return false;
      EXPECT_EQ(made.status, 201);
      path = made.header("location");
      return true;
    }
    const auto found = exchange(client, head("HEAD", path, tus()), true);
    if (found.status == 0) return false;
    EXPECT_EQ(found.status, 200);
    const std::size_t offset = std::stoul(found.header("upload-offset"));
    EXPECT_GE(offset, acknowledged);
    if (checked) {
      EXPECT_EQ(offset % kPart, offset == bytes.size() ? bytes.size() % kPart : 0);
    }
    acknowledged = offset;
    const std::string part = bytes.substr(offset, kPart);
    const auto answer = exchange(
        client,
        head("PATCH", path, part_at(offset, length_of(part.size()) + (checked ? checksum_of(part) : ""))) + part);
    if (answer.status == 0) return false;
    EXPECT_EQ(answer.status, 204) << answer.body;
    acknowledged = std::stoul(answer.header("upload-offset"));
    EXPECT_EQ(acknowledged, offset + part.size());
    return true;
  }
  static RawAnswer exchange(Raw& client, const std::string& request, bool without_body = false) {
    try {
      return client.exchange(request, without_body);
    } catch (const std::exception&) {
      return {};
    }
  }

  static constexpr std::size_t kPart = 200'000;
};

TEST_F(Recovery, NothingAcknowledgedIsLostToKills) {
  std::mt19937 random(7);
  int kills = 0;
  for (int i = 0; i < 20; ++i) {
    Battered upload{.folder = folder(), .random = random, .checked = i % 2 == 1, .bytes = bytes_of(1'500'000 + i)};
    fs::create_directories(folder());
    upload.run();
    kills += upload.kills;
    Child server(folder());
    Raw client(server.port());
    const auto found = client.exchange(head("HEAD", upload.path, tus()), true);
    EXPECT_EQ(found.header("reeltag-job"), "job-" + id_of(upload.path));
    EXPECT_TRUE(content_of(folder() / id_of(upload.path) / "data") == upload.bytes);
  }
  RecordProperty("kills", kills);
  EXPECT_GE(kills, 20);
  for (const auto& entry : fs::directory_iterator(folder()))
    EXPECT_THAT(entry.path().filename().string(), ::testing::Not(HasSubstr(".tmp-")));
}

TEST_F(Recovery, AFullDiskKeepsWhatFits) {
  const std::string bytes = bytes_of(3'000'000);
  std::string path;
  {
    Child server(folder(), 1'000'000);
    Raw client(server.port());
    path = client.exchange(head("POST", "/v1/uploads", tus("Upload-Length: 3000000\r\n"))).header("location");
    const auto full = client.exchange(head("PATCH", path, part_at(0, length_of(bytes.size()))) + bytes);
    EXPECT_EQ(full.status, 507);
    EXPECT_EQ(full.header("tus-resumable"), "1.0.0");
    Raw one(server.port());
    EXPECT_EQ(one.exchange(head("POST", "/v1/videos", "Content-Type: video/mp4\r\n" + length_of(bytes.size())) + bytes)
                  .status,
              507);
  }
  Site site({}, folder());
  const std::size_t offset = std::stoul(site.offset_of(path));
  EXPECT_GT(offset, 0U);
  EXPECT_LE(offset, 1'000'000U);
  EXPECT_EQ(site.send("PATCH", path, part_at(offset), bytes.substr(offset)).status, 204);
  EXPECT_TRUE(content_of(site.last().file) == bytes);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 1);
}

TEST_F(Recovery, MemoryDoesNotGrowWithTheVideo) {
  const auto peak_after = [&](std::size_t megabytes) {
    Child server(folder());
    Raw client(server.port());
    const std::size_t size = megabytes << 20;
    const std::string piece = bytes_of(1 << 20);
    const auto send_all = [&](const std::string& request) {
      client.send(request);
      for (std::size_t sent = 0; sent < size; sent += piece.size()) client.send(piece);
      return client.answer();
    };
    const auto made = send_all(head("POST", "/v1/uploads",
                                    tus("Upload-Length: " + std::to_string(size) +
                                        "\r\nContent-Type: application/offset+octet-stream\r\n" + length_of(size))));
    EXPECT_EQ(made.status, 201);
    EXPECT_EQ(made.header("upload-offset"), std::to_string(size));
    EXPECT_EQ(send_all(head("POST", "/v1/videos", "Content-Type: video/mp4\r\n" + length_of(size))).status, 202);
    return server.peak_kilobytes();
  };
  const long small = peak_after(1);
  const long large = peak_after(300);
  RecordProperty("kilobytes", static_cast<int>(large - small));
  EXPECT_LT(large - small, 64 << 10);
}

}  // namespace
}  // namespace reeltag::serve
