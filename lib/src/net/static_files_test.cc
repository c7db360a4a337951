// SPDX-License-Identifier: Apache-2.0
#include "net/static_files.h"

#include <fairlead/bytes.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace fairlead::net {
namespace {

namespace fs = std::filesystem;

// A directory with a page, and beside it what must stay out of reach.
class StaticFilesTest : public testing::Test {
 public:
  StaticFilesTest(const StaticFilesTest&) = delete;
  StaticFilesTest& operator=(const StaticFilesTest&) = delete;

 protected:
  StaticFilesTest() {
    std::string pattern = (fs::temp_directory_path() / "fairlead-files-XXXXXX").string();
    top_ = ::mkdtemp(pattern.data());
    fs::create_directories(root() / "sub" / "deep");
    write(root() / "index.html", "<p>hello");
    write(root() / "app.js", "0123456789");
    write(root() / "sub" / "index.html", "sub");
    write(root() / "a b.txt", "space");
    write(root() / ".secret", "dot");
    fs::create_directories(root() / ".git");
    write(root() / ".git" / "config", "dot");
    write(root() / "empty.css", "");
    write(top_ / "outside.txt", "outside");
    fs::create_symlink("app.js", root() / "inside-link.js");
    fs::create_symlink("../outside.txt", root() / "outside-link.txt");
    fs::create_symlink(top_, root() / "outside-directory");
    fs::create_symlink("/etc/passwd", root() / "absolute-link");
    fs::create_symlink("loop", root() / "loop");
    ::mkfifo((root() / "fifo").c_str(), 0600);
  }
  ~StaticFilesTest() override { fs::remove_all(top_); }

  [[nodiscard]] fs::path root() const { return top_ / "root"; }
  static void write(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

  [[nodiscard]] Response serve(std::string path, Headers headers = {}, std::string method = "GET") const {
    Request request;
    request.method = std::move(method);
    request.target = path;
    request.path = std::move(path);
    request.headers = std::move(headers);
    return StaticFiles::open(root())->serve(request);
  }
  static std::string content(const Response& response) {
    if (!response.file) return response.body;
    std::string text(response.file->length_bytes(), '\0');
    const auto read =
        ::pread(response.file->descriptor(), text.data(), text.size(), static_cast<off_t>(response.file->offset()));
    EXPECT_EQ(read, static_cast<ssize_t>(text.size()));
    return text;
  }

  fs::path top_;
};

TEST_F(StaticFilesTest, ServesAFileWithItsFacts) {
  const auto response = serve("/app.js");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(content(response), "0123456789");
  EXPECT_EQ(response.headers.find("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(response.headers.find("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(response.headers.find("Cache-Control"), "no-cache");
  EXPECT_EQ(response.headers.find("Accept-Ranges"), "bytes");
  EXPECT_TRUE(response.headers.find("ETag").value_or("").starts_with('"')) << "strong";
  EXPECT_TRUE(response.headers.contains("Last-Modified"));
  EXPECT_EQ(content(serve("/a b.txt")), "space");
  EXPECT_EQ(serve("/empty.css").status, 200);
  EXPECT_EQ(content(serve("/empty.css")), "");
}

TEST_F(StaticFilesTest, ADirectoryIsItsIndexPage) {
  EXPECT_EQ(content(serve("/")), "<p>hello");
  EXPECT_EQ(content(serve("/sub/")), "sub");
  EXPECT_EQ(serve("/").headers.find("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(serve("/sub").status, 308);
  EXPECT_EQ(serve("/sub").headers.find("Location"), "/sub/");
  EXPECT_EQ(serve("/sub/deep/").status, 404) << "no listing";
}

TEST_F(StaticFilesTest, ARedirectNeverLeavesTheHost) {
  for (const auto* target : {"//evil.com/../sub", "http://h//evil.com", "*"}) {
    Request request;
    request.method = "GET";
    request.target = target;
    request.path = "/sub";
    EXPECT_FALSE(StaticFiles::open(root())->serve(request).headers.contains("Location")) << target;
  }
}

TEST_F(StaticFilesTest, NothingOutsideTheRootIsServed) {
  for (const auto* path : {"/../outside.txt",
                           "/sub/../../outside.txt",
                           "/outside-link.txt",
                           "/outside-directory/outside.txt",
                           "/outside-directory/",
                           "/absolute-link",
                           "/loop",
                           "//etc/passwd",
                           "/sub//../../outside.txt",
                           "/.",
                           "/..",
                           "/.secret",
                           "/.git/config",
                           "/sub/.hidden",
                           "/fifo",
                           "/absent",
                           "/app.js/",
                           "/app.js/x",
                           "",
                           "*",
                           "app.js"}) {
    const auto response = serve(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_FALSE(response.file) << path;
    EXPECT_EQ(response.body, "not found\n") << "one answer, whatever the reason";
  }
  EXPECT_EQ(serve("/outside-directory").status, 404);
  EXPECT_EQ(content(serve("/inside-link.js")), "0123456789") << "a link that stays inside is fine";
  EXPECT_EQ(serve("/" + std::string(5'000, 'x')).status, 404);
}

TEST_F(StaticFilesTest, OnlyGetAndHead) {
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
    const auto response = serve("/app.js", {}, method);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.headers.find("Allow"), "GET, HEAD");
  }
  const auto head = serve("/app.js", {}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body_bytes(), 10U);
}

TEST_F(StaticFilesTest, UnchangedFilesAreNotSentAgain) {
  const auto first = serve("/app.js");
  const std::string etag(*first.headers.find("ETag"));
  const std::string date(*first.headers.find("Last-Modified"));
  const auto by_tag = serve("/app.js", {{"If-None-Match", etag}});
  EXPECT_EQ(by_tag.status, 304);
  EXPECT_EQ(by_tag.headers.find("ETag"), etag);
  EXPECT_FALSE(by_tag.file);
  EXPECT_EQ(serve("/app.js", {{"If-Modified-Since", date}}).status, 304);
  write(root() / "app.js", "changed!!!");
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = 1, .tv_nsec = 5}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (root() / "app.js").c_str(), times, 0), 0);
  EXPECT_EQ(serve("/app.js", {{"If-None-Match", etag}}).status, 200) << "same size, another time";
}

TEST_F(StaticFilesTest, SendsAPart) {
  const auto part = serve("/app.js", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(content(part), "234");
  EXPECT_EQ(part.headers.find("Content-Range"), "bytes 2-4/10");
  const auto beyond = serve("/app.js", {{"Range", "bytes=10-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.find("Content-Range"), "bytes */10");
  EXPECT_FALSE(beyond.file);
  EXPECT_EQ(serve("/app.js", {{"Range", "bytes=2-4"}, {"If-Range", "\"old\""}}).status, 200);
}

TEST_F(StaticFilesTest, FurtherFieldsStandInEveryAnswer) {
  StaticFilesOptions options;
  options.headers.add("Content-Security-Policy", "default-src 'self'");
  options.cache_control = "public, max-age=60";
  const auto files = StaticFiles::open(root(), options);
  ASSERT_TRUE(files);
  for (const auto* path : {"/app.js", "/absent", "/sub"}) {
    Request request;
    request.method = "GET";
    request.target = request.path = path;
    EXPECT_EQ(files->serve(request).headers.find("Content-Security-Policy"), "default-src 'self'") << path;
  }
}

TEST_F(StaticFilesTest, DescriptorsAreClosedWithTheLastCopy) {
  const auto open_now = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()); };
  const auto files = StaticFiles::open(root());
  ASSERT_TRUE(files);
  const auto before = open_now();
  for (const auto* path : {"/app.js", "/sub", "/absent", "/fifo", "/loop"}) {
    Request request;
    request.method = "GET";
    request.target = request.path = path;
    const auto response = files->serve(request);
    const Response copy = response;  // NOLINT(performance-unnecessary-copy-initialization): the point of it
    EXPECT_EQ(copy.file.has_value(), response.file.has_value());
  }
  EXPECT_EQ(open_now(), before);
}

TEST(StaticFiles, RootMustBeADirectory) {
  for (const auto* path : {"/nonexistent-root", "/dev/null", ""}) {
    const auto files = StaticFiles::open(path);
    ASSERT_FALSE(files) << path;
    EXPECT_EQ(files.error().code, Errc::system);
  }
}

}  // namespace
}  // namespace fairlead::net
