// SPDX-License-Identifier: Apache-2.0
// A verb of the command line and its options, as the files of the verbs declare them. The parser behind is CLI11, which
// costs each source that includes it seconds: it is named here and included by verb.cc, program.cc and manual.cc alone.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fairlead::cli {

// What is wrong with a word of the command line, as a sentence; empty when nothing is.
using WordCheck = std::function<std::string(const std::string& word)>;

// A handle of one option, as cheap to copy as a pointer. The program owns the option.
class Option {
 public:
  explicit Option(CLI::Option& option) noexcept : option_(&option) {}

  // Each answers the option itself, for the next word about it.
  Option type_name(const std::string& name) const;  // what stands for the value: "FILE", "intermediate|modern"
  Option group(const std::string& title) const;
  Option required() const;
  Option needs(Option other) const;
  Option excludes(Option other) const;
  // The default as help and manual print it: a text, or what the value is now.
  Option default_str(const std::string& text) const;
  Option capture_default_str() const;
  Option delimiter(char between_values) const;
  // What a value must be. Bounds belong to the range.
  Option range(int least, int most) const;
  Option range(unsigned least, unsigned most) const;
  Option range(double least, double most) const;
  Option one_of(const std::vector<std::string>& words) const;
  Option check(const WordCheck& fault) const;

 private:
  CLI::Option* option_;
};

// A handle of one verb, or of the whole program, which is the verb above all others.
class Verb {
 public:
  explicit Verb(CLI::App& app) noexcept : app_(&app) {}

  // An option that sets `value`, or a positional argument if the name begins without "-". `value` outlives the
  // program's run. A vector takes the option several times.
  Option option(const std::string& names, std::string& value, const std::string& text) const;
  Option option(const std::string& names, std::vector<std::string>& value, const std::string& text) const;
  Option option(const std::string& names, int& value, const std::string& text) const;
  Option option(const std::string& names, unsigned& value, const std::string& text) const;
  Option option(const std::string& names, long& value, const std::string& text) const;
  Option option(const std::string& names, unsigned long& value, const std::string& text) const;
  Option option(const std::string& names, double& value, const std::string& text) const;
  // One whose word `read` understands and keeps.
  Option option(const std::string& names, const WordCheck& read, const std::string& text) const;

  // One that sets `value` to what its word stands for.
  template <typename Enum>
    requires std::same_as<std::underlying_type_t<Enum>, std::uint8_t>
  Option choice(const std::string& names, Enum& value, const std::map<std::string, Enum>& words,
                const std::string& text) const {
    std::map<std::string, std::uint8_t> numbers;
    for (const auto& [word, meaning] : words) numbers.emplace(word, static_cast<std::uint8_t>(meaning));
    return number_of_word(names, [&value](std::uint8_t number) { value = static_cast<Enum>(number); }, numbers, text);
  }

  Option flag(const std::string& names, bool& value, const std::string& text) const;
  Option flag(const std::string& names, const std::function<void()>& given, const std::string& text) const;

  // Serves the build, not people: listed nowhere.
  void hide() const;

  [[nodiscard]] CLI::App& app() const noexcept { return *app_; }

 private:
  Option number_of_word(const std::string& names, const std::function<void(std::uint8_t)>& set,
                        const std::map<std::string, std::uint8_t>& numbers, const std::string& text) const;

  CLI::App* app_;
};

}  // namespace fairlead::cli
