// SPDX-License-Identifier: Apache-2.0
// What the kernel alone costs: bytes there and back over TCP on the loopback, without TLS and WebSocket, waited for,
// read and written as our loops do it. No server that does the same can cost less for a message.
//
//   bench_floor serve                                     echoes what comes; says where it listens
//   bench_floor load PORT BYTES CONNECTIONS PID SECONDS   one message at a time on each; prints how many, and what CPU
//                                                         time the process PID has used for them
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

#include "bench_process.h"
#include "io/batch.h"

namespace {

using namespace fairlead;
using std::chrono::steady_clock;

constexpr std::size_t room_bytes = std::size_t{64} * 1024;
constexpr std::size_t stride_bytes = room_bytes + 1'088;  // as in io/read_ahead.cc
constexpr double warm_up_seconds = 0.3;

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::system_category(), what);
  return result;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int tcp_socket(int flags) {
  const int made = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket");
  const int yes = 1;
  checked(::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), "TCP_NODELAY");
  return made;
}

// Sockets that are read together as they become readable, and written together.
class Sockets {
 public:
  Sockets() : set_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")), storage_(io::Batch::most * stride_bytes) {
    batch_.allow();
  }

  void add(int descriptor, std::uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLET) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    checked(::epoll_ctl(set_, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
  }

  // Those that have something to read, read. `aside`: not to be read.
  std::span<const io::Batch::Read> wait(int aside, bool& aside_is_ready) {
    std::array<epoll_event, io::Batch::most> ready;
    const int count = ::epoll_wait(set_, ready.data(), ready.size(), 100);
    reads_.clear();
    aside_is_ready = false;
    for (int i = 0; i < count; ++i) {
      const int descriptor = ready[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == aside) {
        aside_is_ready = true;
        continue;
      }
      const MutableBytes room = MutableBytes(storage_).subspan(reads_.size() * stride_bytes, room_bytes);
      reads_.push_back({.descriptor = descriptor, .into = room, .done = {}});
    }
    batch_.run(reads_);
    return reads_;
  }

  void write(int descriptor, Bytes bytes) {
    writes_.push_back({.descriptor = descriptor, .from = bytes, .more = io::More::nothing, .done = {}});
  }
  void flush() {
    batch_.run(writes_);
    writes_.clear();
  }

 private:
  int set_;
  io::Batch batch_;
  std::vector<std::byte> storage_;
  std::vector<io::Batch::Read> reads_;
  std::vector<io::Batch::Write> writes_;
};

[[noreturn]] void serve() {
  const int listener = tcp_socket(0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  checked(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), "bind");
  checked(::listen(listener, 128), "listen");
  checked(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  fmt::print("listening on tcp://127.0.0.1:{}/\n", ntohs(address.sin_port));
  std::fflush(stdout);
  Sockets sockets;
  sockets.add(listener, EPOLLIN);
  while (true) {
    bool connects = false;
    for (const auto& read : sockets.wait(listener, connects)) {
      if (read.done.what == io::Transfer::some) {
        sockets.write(read.descriptor, read.into.first(read.done.bytes));
      } else if (read.done.what != io::Transfer::would_block) {
        ::close(read.descriptor);
      }
    }
    sockets.flush();
    if (connects) sockets.add(checked(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK), "accept4"));
  }
}

double seconds_of(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

void load(int port, std::size_t bytes, std::size_t connections, long pid, double seconds) {
  Sockets sockets;
  const std::vector<std::byte> message(bytes);
  const sockaddr_in address = loopback(port);
  std::vector<std::size_t> arrived(1024);  // by descriptor
  for (std::size_t i = 0; i < connections; ++i) {
    const int descriptor = tcp_socket(0);
    checked(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    sockets.add(descriptor);
    sockets.write(descriptor, message);
  }
  sockets.flush();
  std::uint64_t count = 0;
  const auto run_for = [&](double how_long) {
    const auto until = steady_clock::now() + std::chrono::duration<double>(how_long);
    while (steady_clock::now() < until) {
      bool none = false;
      for (const auto& read : sockets.wait(-1, none)) {
        if (read.done.what != io::Transfer::some) continue;
        std::size_t& so_far = arrived.at(static_cast<std::size_t>(read.descriptor));
        so_far += read.done.bytes;
        if (so_far < bytes) continue;
        so_far -= bytes;
        ++count;
        sockets.write(read.descriptor, message);
      }
      sockets.flush();
    }
  };
  run_for(warm_up_seconds);
  count = 0;
  const auto server_before = cli::cpu_time(pid).value();
  const auto began = steady_clock::now();
  run_for(seconds);
  const double spent = seconds_of(cli::cpu_time(pid).value() - server_before);
  const double passed = seconds_of(steady_clock::now() - began);
  fmt::print("{{\"count\":{},\"cpu_seconds\":{},\"utilisation\":{}}}\n", count, spent, spent / passed);
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  if (words.size() == 2 && std::string_view(words[1]) == "serve") serve();
  if (words.size() != 7 || std::string_view(words[1]) != "load") return 2;
  load(std::atoi(words[2]), std::strtoull(words[3], nullptr, 10), std::strtoull(words[4], nullptr, 10),
       std::atol(words[5]), std::atof(words[6]));
}
