// SPDX-License-Identifier: Apache-2.0
#include "verb.h"

#include <CLI/CLI.hpp>

#include <utility>

namespace fairlead::cli {
namespace {

// CLI11 adds a validator's description to the name of the value, where ours say already what is allowed.
Option checked(Option handle, CLI::Option& option, CLI::Validator validator) {
  option.check(std::move(validator.description("")));
  return handle;
}

// Stands for any enumeration: CLI11 prints the values of one differently from numbers.
enum class Choice : std::uint8_t {};

}  // namespace

Option Option::type_name(const std::string& name) const {
  option_->type_name(name);
  return *this;
}

Option Option::group(const std::string& title) const {
  option_->group(title);
  return *this;
}

Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::needs(Option other) const {
  option_->needs(other.option_);
  return *this;
}

Option Option::excludes(Option other) const {
  option_->excludes(other.option_);
  return *this;
}

Option Option::default_str(const std::string& text) const {
  option_->default_str(text);
  return *this;
}

Option Option::capture_default_str() const {
  option_->capture_default_str();
  return *this;
}

Option Option::delimiter(char between_values) const {
  option_->delimiter(between_values);
  return *this;
}

Option Option::range(int least, int most) const { return checked(*this, *option_, CLI::Range(least, most)); }
Option Option::range(unsigned least, unsigned most) const { return checked(*this, *option_, CLI::Range(least, most)); }
Option Option::range(double least, double most) const { return checked(*this, *option_, CLI::Range(least, most)); }
Option Option::one_of(const std::vector<std::string>& words) const {
  return checked(*this, *option_, CLI::IsMember(words));
}

Option Option::check(const WordCheck& fault) const {
  option_->check(fault);
  return *this;
}

Option Verb::option(const std::string& names, std::string& value, const std::string& text) const {
  return Option(*app_->add_option(names, value, text));
}

Option Verb::option(const std::string& names, std::vector<std::string>& value, const std::string& text) const {
  return Option(*app_->add_option(names, value, text));
}

Option Verb::option(const std::string& names, int& value, const std::string& text) const {
  return Option(*app_->add_option(names, value, text));
}

Option Verb::option(const std::string& names, unsigned& value, const std::string& text) const {
  return Option(*app_->add_option(names, value, text));
}

Option Verb::option(const std::string& names, long& value, const std::string& text) const {
  return Option(*app_->add_option(names, value, text));
}

Option Verb::option(const std::string& names, unsigned long& value, const std::string& text) const {
  return Option(*app_->add_option(names, value, text));
}

Option Verb::option(const std::string& names, double& value, const std::string& text) const {
  return Option(*app_->add_option(names, value, text));
}

Option Verb::option(const std::string& names, const WordCheck& read, const std::string& text) const {
  const CLI::callback_t understand = [read, names](const CLI::results_t& words) {
    const std::string fault = read(words.back());
    if (!fault.empty()) throw CLI::ValidationError(names, fault);
    return true;
  };
  return Option(*app_->add_option(names, understand, text));
}

Option Verb::number_of_word(const std::string& names, const std::function<void(std::uint8_t)>& set,
                            const std::map<std::string, std::uint8_t>& numbers, const std::string& text) const {
  std::map<std::string, Choice> choices;
  for (const auto& [word, number] : numbers) choices.emplace(word, Choice{number});
  const auto choose = [set](const Choice& choice) { set(static_cast<std::uint8_t>(choice)); };
  CLI::Option* option = app_->add_option_function<Choice>(names, choose, text);
  option->transform(CLI::CheckedTransformer(choices).description(""));
  return Option(*option);
}

Option Verb::flag(const std::string& names, bool& value, const std::string& text) const {
  return Option(*app_->add_flag(names, value, text));
}

Option Verb::flag(const std::string& names, const std::function<void()>& given, const std::string& text) const {
  return Option(*app_->add_flag_callback(names, given, text));
}

void Verb::hide() const { app_->group(""); }

}  // namespace fairlead::cli
