// SPDX-License-Identifier: Apache-2.0
#include "ws/deflate_offer.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::ws {
namespace {

using text::parse_extensions;

std::optional<DeflateAnswer> answer(std::string_view offers, const DeflateOptions& options = {}) {
  const auto elements = parse_extensions(offers);
  EXPECT_TRUE(elements) << offers;
  return answer_deflate(find_deflate_offers(*elements), options);
}

Result<DeflateAgreement> check(std::string_view text, const DeflateOptions& options = {}) {
  const auto elements = parse_extensions(text);
  if (!elements || elements->size() != 1) return fail(Errc::handshake_bad_extension, "grammar");
  return check_deflate_answer(elements->front(), options);
}

std::string describe(const DeflateAgreement& agreement) {
  return std::to_string(agreement.our_window_bits) + (agreement.our_context_takeover ? "+" : "-") + " " +
         std::to_string(agreement.their_window_bits) + (agreement.their_context_takeover ? "+" : "-");
}

struct Negotiated {
  std::string_view offers;
  DeflateOptions options;
  std::string_view answer;     // empty: declined
  std::string_view agreement;  // ours, theirs; + with context takeover
};

TEST(DeflateServer, AnswersOffers) {
  constexpr DeflateOptions full;
  constexpr DeflateOptions apart = DeflateOptions::mixed_trust();
  constexpr DeflateOptions small{10, 11, true, true};
  const Negotiated table[] = {
      {"permessage-deflate", full, "permessage-deflate", "15+ 15+"},
      {"permessage-deflate; client_max_window_bits", full, "permessage-deflate", "15+ 15+"},
      {"permessage-deflate; client_max_window_bits=12", full, "permessage-deflate; client_max_window_bits=12",
       "15+ 12+"},
      {"permessage-deflate; client_max_window_bits=8", full, "permessage-deflate; client_max_window_bits=8", "15+ 8+"},
      {"permessage-deflate; server_max_window_bits=8", full, "permessage-deflate; server_max_window_bits=8", "8+ 15+"},
      {"permessage-deflate; server_max_window_bits=15", full, "permessage-deflate; server_max_window_bits=15",
       "15+ 15+"},
      {"permessage-deflate; server_no_context_takeover", full, "permessage-deflate; server_no_context_takeover",
       "15- 15+"},
      {"permessage-deflate; client_no_context_takeover", full, "permessage-deflate; client_no_context_takeover",
       "15+ 15-"},
      {"permessage-deflate", apart, "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
       "15- 15-"},
      {"permessage-deflate; client_max_window_bits", small, "permessage-deflate; client_max_window_bits=11", "10+ 11+"},
      {"permessage-deflate; client_max_window_bits=9; server_max_window_bits=9", small,
       "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9", "9+ 9+"},
      {"permessage-deflate; client_max_window_bits=15; server_max_window_bits=15", small,
       "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11", "10+ 11+"},
      // 7.1.2.2: a window cannot be asked of a client that did not offer the parameter; the next offer may do.
      {"permessage-deflate", small, "", ""},
      {"permessage-deflate, permessage-deflate; client_max_window_bits", small,
       "permessage-deflate; client_max_window_bits=11", "10+ 11+"},
      // The client's order of preference (7.1).
      {"permessage-deflate; server_max_window_bits=10, permessage-deflate", full,
       "permessage-deflate; server_max_window_bits=10", "10+ 15+"},
      {"x-webkit-deflate-frame, permessage-deflate", full, "permessage-deflate", "15+ 15+"},
      {"permessage-bzip2", full, "", ""},
      {"", full, "", ""},
  };
  for (const auto& row : table) {
    const auto given = answer(row.offers, row.options);
    EXPECT_EQ(given ? given->answer : "", row.answer) << row.offers;
    EXPECT_EQ(given ? describe(given->agreement) : "", row.agreement) << row.offers;
  }
}

// RFC 7692 7.1: such an offer is declined, and the next is looked at.
TEST(DeflateServer, DeclinesInvalidOffers) {
  for (const auto* parameters : {"unknown",
                                 "server_no_context_takeover=1",
                                 "client_no_context_takeover=true",
                                 "server_no_context_takeover; server_no_context_takeover",
                                 "client_no_context_takeover; client_no_context_takeover",
                                 "server_max_window_bits",
                                 "server_max_window_bits=9; server_max_window_bits=9",
                                 "client_max_window_bits; client_max_window_bits",
                                 "client_max_window_bits=9; client_max_window_bits",
                                 "client_max_window_bits; client_max_window_bits=9",
                                 "server_max_window_bits=7",
                                 "server_max_window_bits=16",
                                 "server_max_window_bits=010",
                                 "server_max_window_bits=\"10\"",
                                 "client_max_window_bits=0",
                                 "client_max_window_bits=08",
                                 "client_max_window_bits=1e1",
                                 "client_max_window_bits=-9",
                                 "client_max_window_bits=+9",
                                 "client_max_window_bits=9.0",
                                 "client_max_window_bits=99999999999999999999",
                                 "Server_max_window_bits=9",
                                 "server_max_window_bits=9; unknown"}) {
    const std::string bad = std::string("permessage-deflate; ") + parameters;
    EXPECT_FALSE(answer(bad)) << bad;
    const auto next = answer(bad + ", permessage-deflate; server_max_window_bits=12");
    ASSERT_TRUE(next) << bad;
    EXPECT_EQ(next->answer, "permessage-deflate; server_max_window_bits=12");
  }
}

// CVE-2026-2229: every value, both parameters, both roles.
TEST(DeflateParameters, OnlyEightToFifteenAreWindowBits) {
  for (int value = 0; value <= 99'999; ++value) {
    const std::string text = std::to_string(value);
    const bool valid = value >= 8 && value <= 15;
    for (const std::string name : {"server_max_window_bits=", "client_max_window_bits="}) {
      ASSERT_EQ(answer("permessage-deflate; " + name + text).has_value(), valid) << name << value;
      ASSERT_EQ(check("permessage-deflate; " + name + text).has_value(), valid) << name << value;
      if (value > 999) continue;
      ASSERT_FALSE(answer("permessage-deflate; " + name + "0" + text)) << name << value;
      ASSERT_FALSE(check("permessage-deflate; " + name + "0" + text)) << name << value;
    }
  }
}

TEST(DeflateClient, WritesWhatItWants) {
  EXPECT_EQ(write_deflate_offer({}), "permessage-deflate; client_max_window_bits");
  EXPECT_EQ(write_deflate_offer(DeflateOptions::mixed_trust()),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits");
  EXPECT_EQ(write_deflate_offer({10, 11, true, true}),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=10");
}

TEST(DeflateClient, TakesLegalAnswers) {
  const struct {
    std::string_view answer;
    DeflateOptions options;
    std::string_view agreement;
  } table[] = {
      {"permessage-deflate", {}, "15+ 15+"},
      {"permessage-deflate; server_no_context_takeover", {}, "15+ 15-"},  // unasked, and legal (7.1.1.1)
      {"permessage-deflate; client_no_context_takeover", {}, "15- 15+"},
      {"permessage-deflate; server_max_window_bits=8", {}, "15+ 8+"},  // unasked, and legal (7.1.2.1)
      {"permessage-deflate; client_max_window_bits=8", {}, "8+ 15+"},
      {"permessage-deflate; client_max_window_bits=15", {}, "15+ 15+"},
      {"permessage-deflate; server_max_window_bits=10", {10, 11, true, true}, "10+ 10+"},
      {"permessage-deflate; server_max_window_bits=11; client_max_window_bits=9", {10, 11, true, true}, "9+ 11+"},
      {"permessage-deflate; server_no_context_takeover", DeflateOptions::mixed_trust(), "15- 15-"},
  };
  for (const auto& row : table) {
    const auto agreement = check(row.answer, row.options);
    ASSERT_TRUE(agreement) << row.answer << ": " << agreement.error().detail;
    EXPECT_EQ(describe(*agreement), row.agreement) << row.answer;
  }
}

TEST(DeflateClient, FailsOnIllegalAnswers) {
  constexpr DeflateOptions small{10, 11, true, true};
  const std::pair<std::string_view, DeflateOptions> table[] = {
      {"permessage-bzip2", {}},
      {"Permessage-Deflate2", {}},
      {"permessage-deflate; unknown", {}},
      {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", {}},
      {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", {}},
      {"permessage-deflate; server_no_context_takeover=1", {}},
      {"permessage-deflate; server_max_window_bits", {}},
      {"permessage-deflate; client_max_window_bits", {}},  // an answer must carry the value
      {"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", {}},
      {"permessage-deflate; server_max_window_bits=\"9\"", {}},
      {"permessage-deflate; client_max_window_bits=\"9\"", {}},
      {"permessage-deflate; server_max_window_bits=16", {}},
      {"permessage-deflate; client_max_window_bits=11; server_max_window_bits=9", small},  // more than was offered
      {"permessage-deflate; server_max_window_bits=12", small},
      {"permessage-deflate", small},  // the server's window was demanded
      {"permessage-deflate", DeflateOptions::mixed_trust()},
      {"permessage-deflate; client_no_context_takeover", DeflateOptions::mixed_trust()},
  };
  for (const auto& [text, options] : table) {
    const auto agreement = check(text, options);
    ASSERT_FALSE(agreement) << text;
    EXPECT_EQ(agreement.error().code, Errc::handshake_bad_extension);
  }
}

// Whatever two sides want, the client accepts what our server answers, and both understand the same by it.
TEST(Deflate, BothSidesAgreeForAllOptions) {
  std::vector<DeflateOptions> all;
  for (const int send : {8, 9, 12, 15}) {
    for (const int receive : {8, 9, 12, 15}) {
      for (const int flags : {0, 1, 2, 3}) {
        all.push_back(
            {static_cast<std::uint8_t>(send), static_cast<std::uint8_t>(receive), (flags & 1) != 0, (flags & 2) != 0});
      }
    }
  }
  for (const auto& client : all) {
    for (const auto& server : all) {
      const auto answered = answer(write_deflate_offer(client), server);
      ASSERT_TRUE(answered);
      const auto checked = check(answered->answer, client);
      ASSERT_TRUE(checked) << answered->answer << checked.error().detail;
      const auto& ours = answered->agreement;
      EXPECT_LE(checked->our_window_bits, ours.their_window_bits) << "the server must be able to inflate";
      EXPECT_LE(ours.our_window_bits, checked->their_window_bits) << "the client must be able to inflate";
      EXPECT_LE(ours.our_window_bits, server.send_window_bits);
      EXPECT_LE(checked->their_window_bits, client.receive_window_bits);
      EXPECT_EQ(checked->our_context_takeover, ours.their_context_takeover);
      EXPECT_EQ(checked->their_context_takeover, ours.our_context_takeover);
    }
  }
}

}  // namespace
}  // namespace fairlead::ws
