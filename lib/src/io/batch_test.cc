// SPDX-License-Identifier: Apache-2.0
// Every case runs with io_uring and without: nobody else may see which it was.
#include "io/batch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::io {
namespace {

struct Pair {
  explicit Pair(int kind = SOCK_STREAM) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours = ends[0];
    theirs = ends[1];
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    ::close(ours);
    hang_up();
  }
  void put(std::string_view text) const {
    EXPECT_EQ(::write(theirs, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] std::string got() const {
    std::string text(1'000, '\0');
    const ssize_t count = ::read(theirs, text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }
  void hang_up() {
    if (theirs >= 0) ::close(std::exchange(theirs, -1));
  }
  int ours = -1;
  int theirs = -1;
};

class Batched : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam()) return;
    batch.allow();
    if (!batch.available()) GTEST_SKIP() << "this system does not allow io_uring";
  }
  Batch batch;
};
INSTANTIATE_TEST_SUITE_P(, Batched, testing::Bool(),
                         [](const auto& one) { return one.param ? "WithIoUring" : "OneByOne"; });

TEST_P(Batched, EachReadBringsWhatItsSocketHas) {
  std::array<Pair, Batch::most> pairs;
  std::array<std::array<std::byte, 16>, Batch::most> rooms{};
  std::vector<Batch::Read> reads;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs.at(i).put("message " + std::to_string(i));
    reads.push_back({.descriptor = pairs.at(i).ours, .into = rooms.at(i)});
  }
  batch.run(reads);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    ASSERT_EQ(reads.at(i).done.what, Transfer::some) << i;
    EXPECT_EQ(as_text(Bytes(rooms.at(i)).first(reads.at(i).done.bytes)), "message " + std::to_string(i));
  }
}

TEST_P(Batched, AReadSaysWhyItBroughtNothingAndTheOthersGoOn) {
  const Pair empty;
  Pair ended;
  const Pair full;
  ended.hang_up();
  full.put("here");
  std::array<std::byte, 16> room{};
  std::array reads{Batch::Read{.descriptor = empty.ours, .into = room},
                   Batch::Read{.descriptor = ended.ours, .into = room}, Batch::Read{.descriptor = -1, .into = room},
                   Batch::Read{.descriptor = full.ours, .into = room}};
  batch.run(reads);
  EXPECT_EQ(reads[0].done.what, Transfer::would_block);
  EXPECT_EQ(reads[1].done.what, Transfer::ended);
  EXPECT_EQ(reads[2].done.what, Transfer::failed);
  EXPECT_EQ(reads[2].done.error, EBADF);
  EXPECT_EQ(reads[3].done.bytes, 4U);
}

TEST_P(Batched, EachWriteReachesItsSocket) {
  std::array<Pair, Batch::most> pairs;
  std::array<std::string, Batch::most> texts;
  std::vector<Batch::Write> writes;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    texts.at(i) = "message " + std::to_string(i);
    writes.push_back({.descriptor = pairs.at(i).ours, .from = as_bytes(texts.at(i))});
  }
  batch.run(writes);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(writes.at(i).done.bytes, texts.at(i).size());
    EXPECT_EQ(pairs.at(i).got(), texts.at(i));
  }
}

TEST_P(Batched, AWriteIsTakenAsFarAsThereIsRoomAndNeverWaits) {
  const Pair pair;
  Pair gone;
  const Pair other;
  gone.hang_up();
  const std::string large(std::size_t{4} * 1024 * 1024, 'x');
  std::array writes{Batch::Write{.descriptor = pair.ours, .from = as_bytes(large)},
                    Batch::Write{.descriptor = gone.ours, .from = as_bytes(large)},
                    Batch::Write{.descriptor = other.ours, .from = as_bytes("short")}};
  batch.run(writes);
  EXPECT_EQ(writes[0].done.what, Transfer::some);
  EXPECT_LT(writes[0].done.bytes, large.size());
  EXPECT_EQ(writes[1].done.what, Transfer::failed);
  EXPECT_EQ(writes[1].done.error, EPIPE) << "and no signal";
  EXPECT_EQ(other.got(), "short");
  batch.run(writes);
  EXPECT_EQ(writes[0].done.what, Transfer::would_block);
}

TEST_P(Batched, RunsAsOftenAsOneLikes) {
  const Pair one;
  const Pair two;
  std::array<std::byte, 16> room{};
  for (int i = 0; i < 1'000; ++i) {
    one.put("a");
    two.put("bc");
    std::array reads{Batch::Read{.descriptor = one.ours, .into = room},
                     Batch::Read{.descriptor = two.ours, .into = room}};
    batch.run(reads);
    ASSERT_EQ(reads[0].done.bytes, 1U) << i;
    ASSERT_EQ(reads[1].done.bytes, 2U) << i;
  }
}

TEST(Batch, OneThatIsNotAllowedItHasNoRing) {
  Batch batch;
  EXPECT_FALSE(batch.available());
  EXPECT_FALSE(batch.in_use());
}

TEST(Batch, ASingleCallNeedsNoRing) {
  Batch batch;
  batch.allow();
  const Pair pair;
  std::array writes{Batch::Write{.descriptor = pair.ours, .from = as_bytes("alone")}};
  batch.run(writes);
  EXPECT_EQ(pair.got(), "alone");
  EXPECT_FALSE(batch.in_use());
}

// For the rest of the process.
void forbid_entering_the_ring() {
  std::array<sock_filter, 4> rules{{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_io_uring_enter},
                                    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
                                    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  const sock_fprog program{.len = rules.size(), .filter = rules.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) std::exit(3);
}

// A sandbox that lets a ring be made and then not be used.
TEST(BatchDeathTest, WhatARingDoesNotTakeIsDoneOneByOne) {
  const auto in_a_process_of_its_own = [] {
    forbid_entering_the_ring();
    const Pair one;
    const Pair two;
    one.put("abc");
    two.put("de");
    Batch batch;
    batch.allow();
    std::array<std::byte, 16> room{};
    std::array reads{Batch::Read{.descriptor = one.ours, .into = room},
                     Batch::Read{.descriptor = two.ours, .into = room}};
    batch.run(reads);
    std::array writes{Batch::Write{.descriptor = one.ours, .from = as_bytes("fg")},
                      Batch::Write{.descriptor = two.ours, .from = as_bytes("h")}};
    batch.run(writes);
    const bool all = reads[0].done.bytes == 3 && reads[1].done.bytes == 2 && one.got() == "fg" && two.got() == "h";
    std::exit(all && !batch.in_use() ? 0 : 1);
  };
  EXPECT_EXIT(in_a_process_of_its_own(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace fairlead::io
