// SPDX-License-Identifier: Apache-2.0
// The command line as a whole: its verbs, and what is written about each. Help texts, man pages and the completion
// script are all rendered from this (manual.h), so they cannot differ.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exit_status.h"
#include "verb.h"

namespace fairlead {
enum class RecordLayer : std::uint8_t;
}

namespace fairlead::cli {

struct Example {
  std::string command;  // as typed, several lines allowed
  std::string meaning;  // one sentence
};

// What the options of a verb do not say.
struct Manual {
  std::vector<std::string> paragraphs{};
  std::vector<Example> examples{};
  bool exit_statuses = false;  // the verb ends with more than 0, 1 and 2: print the table
};

class Program {
 public:
  Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  // A new verb. `parent`: the verb that it belongs to ("cert" of "cert show"), or null.
  Verb verb(const std::string& name, const std::string& summary, Manual manual, const Verb* parent = nullptr);
  // What the verb does once the command line is understood. The last call of a chain of verbs wins.
  void run(Verb verb, std::function<ExitStatus()> body);

  // Parses, runs the verb, prints what is wrong with the command line.
  int main(int argc, char** argv);

  // The program itself, the verb above all others.
  [[nodiscard]] Verb whole() const noexcept { return Verb(*app_); }
  [[nodiscard]] const Manual& manual(Verb verb) const;

 private:
  int complain(std::string_view what);
  int complain_of_verb();
  [[nodiscard]] Verb chosen() const;

  std::unique_ptr<CLI::App> app_;
  std::map<const CLI::App*, Manual> manuals_;
  std::function<ExitStatus()> body_;
};

// One function for each verb, in the file of its name. Each owns its options through its callback.
void add_serve(Program& program);
void add_echo(Program& program);
void add_connect(Program& program);
void add_bench(Program& program);
void add_cert(Program& program);
void add_config(Program& program);
void add_token(Program& program);
void add_publish(Program& program);
void add_subscribe(Program& program);
void add_channels(Program& program);  // presence, history, info, disconnect
void add_demo(Program& program);
void add_version(Program& program);
void add_docs(Program& program);

// Option values that several verbs read.
// "SECONDS" with fractions, at least 0 and at most a day.
Option add_seconds(Verb verb, const std::string& names, double& value, const std::string& text);
// "BYTES", also "64K", "16M", "1G" (powers of 1024).
Option add_bytes(Verb verb, const std::string& names, std::size_t& value, const std::string& text);
// "automatic" or "openssl" (fairlead/tls.h, RecordLayer).
Option add_record_layer(Verb verb, RecordLayer& layer);
[[nodiscard]] std::chrono::milliseconds milliseconds(double seconds);

}  // namespace fairlead::cli
