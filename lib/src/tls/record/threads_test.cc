// SPDX-License-Identifier: Apache-2.0
// A layer belongs to one loop; what all of them share (fetched ciphers, the multi-buffer library) is for every thread.
#include <gtest/gtest.h>

#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "tls/record/testing.h"

namespace fairlead::tls::record {
namespace {

constexpr std::size_t thread_count = 4;
constexpr int messages = 20;

std::string both_ways(Suite suite) {
  testing::Pair pair(suite);
  for (int number = 0; number < messages; ++number) {
    pair.client.send("there");
    pair.run();
    pair.server.send("back");
    pair.run();
  }
  return pair.server.plaintext + pair.client.plaintext;
}

std::string repeated(const std::string& word) {
  std::string text;
  for (int number = 0; number < messages; ++number) text += word;
  return text;
}

TEST(Threads, SealAndOpenAtOnceEachOnLayersOfItsOwn) {
  std::barrier together(thread_count);
  std::vector<std::string> passed(thread_count);
  std::vector<std::jthread> threads;
  for (std::string& mine : passed)
    threads.emplace_back([&together, &mine] {
      for (const Suite suite :
           {Suite::aes_128_gcm_sha256, Suite::aes_256_gcm_sha384, Suite::chacha20_poly1305_sha256}) {
        together.arrive_and_wait();
        mine += both_ways(suite);
      }
    });
  threads.clear();
  const std::string of_a_suite = repeated("there") + repeated("back");
  for (const std::string& one : passed) EXPECT_EQ(one, of_a_suite + of_a_suite + of_a_suite);
}

}  // namespace
}  // namespace fairlead::tls::record
