// SPDX-License-Identifier: Apache-2.0
#include "broker/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace fairlead::server {

TEST(Gate, LetsNobodyInUntilItOpensAndAfterItCloses) {
  Gate gate;
  EXPECT_FALSE(Gate::Visit(gate));
  gate.open();
  EXPECT_TRUE(Gate::Visit(gate));
  gate.close();
  EXPECT_FALSE(Gate::Visit(gate));
}

TEST(Gate, ClosingWaitsForTheLastVisitor) {
  Gate gate;
  gate.open();
  std::atomic<int> inside{0};
  std::atomic<bool> entered{false};
  std::thread visitor([&] {
    for (;;) {
      const Gate::Visit visit(gate);
      if (!visit) return;
      ++inside;
      entered = true;
      --inside;
    }
  });
  while (!entered) std::this_thread::yield();
  gate.close();
  EXPECT_EQ(inside, 0);
  visitor.join();
}

}  // namespace fairlead::server
