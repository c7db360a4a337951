// SPDX-License-Identifier: Apache-2.0
#include "ws/deflate_offer.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace fairlead::ws {
namespace {

constexpr std::string_view extension_name = "permessage-deflate";
constexpr std::string_view server_takeover_name = "server_no_context_takeover";
constexpr std::string_view client_takeover_name = "client_no_context_takeover";
constexpr std::string_view server_bits_name = "server_max_window_bits";
constexpr std::string_view client_bits_name = "client_max_window_bits";

// RFC 7692 7.1.2: "a decimal integer value without leading zeroes between 8 to 15". A quoted one is refused as well: no
// implementation writes it.
std::optional<std::uint8_t> read_window_bits(const text::Parameter& parameter) {
  if (!parameter.has_value || parameter.quoted || parameter.value.starts_with('0')) return std::nullopt;
  const auto value = text::parse_decimal(parameter.value);
  if (!value || *value < min_window_bits || *value > max_window_bits) return std::nullopt;
  return static_cast<std::uint8_t>(*value);
}

// The four parameters as they stand in an element, offer or answer; the first error ends the reading.
struct Parameters {
  DeflateOffer offer;
  bool server_bits_given = false;
  std::string_view problem;

  void read(const text::Parameter& parameter);
  void set_flag(bool& flag, const text::Parameter& parameter);
};

void Parameters::set_flag(bool& flag, const text::Parameter& parameter) {
  if (flag) problem = "a parameter is repeated";
  if (parameter.has_value) problem = "a parameter that has no value is given one";
  flag = true;
}

void Parameters::read(const text::Parameter& parameter) {
  if (parameter.name == server_takeover_name) return set_flag(offer.server_no_context_takeover, parameter);
  if (parameter.name == client_takeover_name) return set_flag(offer.client_no_context_takeover, parameter);
  const bool server = parameter.name == server_bits_name;
  if (!server && parameter.name != client_bits_name) {
    problem = "a parameter is unknown";
    return;
  }
  if (std::exchange(server ? server_bits_given : offer.client_max_window_bits_given, true)) {
    problem = "a parameter is repeated";
  }
  // RFC 7692 7.1.2.2: only the client's window may be offered without a value.
  if (!server && !parameter.has_value) return;
  const auto bits = read_window_bits(parameter);
  if (!bits) problem = "window bits are not a number from 8 to 15";
  (server ? offer.server_max_window_bits : offer.client_max_window_bits) = bits;
}

// RFC 7692 7: an offer or answer with parameters that are unknown, invalid or repeated cannot be accepted.
Parameters read_parameters(const text::ExtensionElement& element) {
  Parameters parameters;
  for (const auto& parameter : element.parameters) {
    parameters.read(parameter);
    if (!parameters.problem.empty()) break;
  }
  return parameters;
}

std::uint8_t within_range(std::uint8_t bits) { return std::clamp(bits, min_window_bits, max_window_bits); }

void append_flag(std::string& text, std::string_view name) { text.append("; ").append(name); }
void append_bits(std::string& text, std::string_view name, unsigned bits) {
  text.append("; ").append(name).append("=").append(std::to_string(bits));
}

std::optional<DeflateAgreement> agree(const DeflateOffer& offer, const DeflateOptions& options) {
  const std::uint8_t receive_limit = within_range(options.receive_window_bits);
  // RFC 7692 7.1.2.2: without the parameter in the offer the server cannot ask for a smaller window.
  if (receive_limit < max_window_bits && !offer.client_max_window_bits_given) return std::nullopt;
  DeflateAgreement agreement;
  agreement.our_window_bits =
      std::min(within_range(options.send_window_bits), offer.server_max_window_bits.value_or(max_window_bits));
  agreement.their_window_bits = std::min(receive_limit, offer.client_max_window_bits.value_or(max_window_bits));
  agreement.our_context_takeover = options.send_context_takeover && !offer.server_no_context_takeover;
  agreement.their_context_takeover = options.receive_context_takeover && !offer.client_no_context_takeover;
  return agreement;
}

std::string write_answer(const DeflateOffer& offer, const DeflateAgreement& agreement) {
  std::string answer(extension_name);
  // 7.1.1.1: accepted by repeating it; and a server may announce it unasked, which saves the client its window.
  if (!agreement.our_context_takeover) append_flag(answer, server_takeover_name);
  if (!agreement.their_context_takeover) append_flag(answer, client_takeover_name);
  // 7.1.2.1: an offer with the parameter is accepted by repeating it with the same or a smaller value.
  if (offer.server_max_window_bits) append_bits(answer, server_bits_name, agreement.our_window_bits);
  // 7.1.2.2: repeated even where it equals the client's own value: that turns the client's hint into a promise.
  if (agreement.their_window_bits < max_window_bits) append_bits(answer, client_bits_name, agreement.their_window_bits);
  return answer;
}

// What the server left out although the offer demanded it, or granted beyond what was offered.
std::string_view find_breach(const Parameters& given, const DeflateOptions& options) {
  const std::uint8_t receive_limit = within_range(options.receive_window_bits);
  if (!options.receive_context_takeover && !given.offer.server_no_context_takeover) {
    return "server_no_context_takeover is missing";  // 7.1.1.1
  }
  if (given.offer.server_max_window_bits.value_or(max_window_bits) > receive_limit) {
    return "server_max_window_bits is missing or larger than offered";  // 7.1.2.1
  }
  if (given.offer.client_max_window_bits_given && !given.offer.client_max_window_bits) {
    return "client_max_window_bits has no value";  // 7.1.2.2: in an answer it must have one
  }
  if (given.offer.client_max_window_bits.value_or(min_window_bits) > within_range(options.send_window_bits)) {
    return "client_max_window_bits is larger than offered";  // 7.1.2.2
  }
  return {};
}

}  // namespace

std::vector<DeflateOffer> find_deflate_offers(std::span<const text::ExtensionElement> elements) {
  std::vector<DeflateOffer> offers;
  for (const auto& element : elements) {
    if (element.name != extension_name) continue;
    const auto parameters = read_parameters(element);
    if (parameters.problem.empty()) offers.push_back(parameters.offer);
  }
  return offers;
}

std::optional<DeflateAnswer> answer_deflate(std::span<const DeflateOffer> offers, const DeflateOptions& options) {
  for (const auto& offer : offers) {
    if (const auto agreement = agree(offer, options)) return DeflateAnswer{*agreement, write_answer(offer, *agreement)};
  }
  return std::nullopt;
}

std::string write_deflate_offer(const DeflateOptions& options) {
  std::string offer(extension_name);
  if (!options.receive_context_takeover) append_flag(offer, server_takeover_name);
  if (!options.send_context_takeover) append_flag(offer, client_takeover_name);
  const unsigned receive_limit = within_range(options.receive_window_bits);
  if (receive_limit < max_window_bits) append_bits(offer, server_bits_name, receive_limit);
  const unsigned send_limit = within_range(options.send_window_bits);
  if (send_limit < max_window_bits) {
    append_bits(offer, client_bits_name, send_limit);
  } else {
    append_flag(offer, client_bits_name);  // the server may ask for any
  }
  return offer;
}

Result<DeflateAgreement> check_deflate_answer(const text::ExtensionElement& element, const DeflateOptions& options) {
  if (element.name != extension_name) return fail(Errc::handshake_bad_extension, "an extension that was not offered");
  const auto given = read_parameters(element);
  const auto problem = given.problem.empty() ? find_breach(given, options) : given.problem;
  if (!problem.empty()) return fail(Errc::handshake_bad_extension, std::string(problem));
  const auto& answer = given.offer;
  return DeflateAgreement{
      .our_window_bits =
          std::min(within_range(options.send_window_bits), answer.client_max_window_bits.value_or(max_window_bits)),
      .their_window_bits = answer.server_max_window_bits.value_or(max_window_bits),
      .our_context_takeover = options.send_context_takeover && !answer.client_no_context_takeover,
      .their_context_takeover = !answer.server_no_context_takeover,
  };
}

}  // namespace fairlead::ws
