// SPDX-License-Identifier: Apache-2.0
// Scripts rely on exit statuses: the numbers, their order, and that every error has one and a next step.
#include "exit_status.h"

#include <gtest/gtest.h>

namespace fairlead::cli {
namespace {

TEST(ExitStatus, NumbersStayWhatTheyAre) {
  EXPECT_EQ(static_cast<int>(status_of(Errc::bad_url)), 3);
  EXPECT_EQ(static_cast<int>(status_of(Errc::dns_failed)), 4);
  EXPECT_EQ(static_cast<int>(status_of(Errc::connect_failed)), 5);
  EXPECT_EQ(static_cast<int>(status_of(Errc::timed_out)), 6);
  EXPECT_EQ(static_cast<int>(status_of(Errc::tls_certificate_rejected)), 7);
  EXPECT_EQ(static_cast<int>(status_of(Errc::tls_host_mismatch)), 8);
  EXPECT_EQ(static_cast<int>(status_of(Errc::tls_handshake_failed)), 9);
  EXPECT_EQ(static_cast<int>(status_of(Errc::handshake_refused)), 10);
  EXPECT_EQ(static_cast<int>(status_of(Errc::handshake_bad_accept)), 11);
  EXPECT_EQ(static_cast<int>(status_of(Errc::frame_masked)), 12);
  EXPECT_EQ(static_cast<int>(status_of(Errc::unexpected_eof)), 14);
  EXPECT_EQ(static_cast<int>(status_of(Errc::system)), 15);
  EXPECT_EQ(static_cast<int>(status_of(Errc::message_over_limit)), 16);
  EXPECT_EQ(static_cast<int>(status_of(Errc::cancelled)), 130);
}

TEST(ExitStatus, EveryNameOfARuleHasAStatusOfItsKind) {
  for (int code = 0; code <= static_cast<int>(Errc::outgoing_queue_full); ++code) {
    const auto errc = static_cast<Errc>(code);
    const ExitStatus status = status_of(errc);
    EXPECT_NE(status, ExitStatus::ok) << name(errc);
    if (errc != Errc::closed) {
      EXPECT_NE(status, ExitStatus::failed) << name(errc);
    }
    if (name(errc).starts_with("frame_") && status != ExitStatus::over_limit) {
      EXPECT_EQ(status, ExitStatus::protocol) << name(errc);
    }
  }
}

TEST(ExitStatus, TheTableIsInOrderAndComplete) {
  int before = -1;
  for (const StatusMeaning& entry : exit_statuses()) {
    EXPECT_GT(static_cast<int>(entry.status), before);
    before = static_cast<int>(entry.status);
    EXPECT_FALSE(entry.meaning.empty());
  }
  EXPECT_EQ(exit_statuses().size(), 18U);
}

ExitStatus status_after(CloseCode code) {
  CloseInfo close;
  close.code = code;
  return status_of(close);
}

TEST(ExitStatus, CleanClosesAreSuccess) {
  for (const CloseCode code : {close_code::normal, close_code::going_away, close_code::no_status}) {
    EXPECT_EQ(status_after(code), ExitStatus::ok) << code;
  }
  for (const CloseCode code :
       {close_code::protocol_error, close_code::policy_violation, CloseCode{4000}, CloseCode{3000}}) {
    EXPECT_EQ(status_after(code), ExitStatus::closed) << code;
  }
  EXPECT_EQ(status_after(close_code::abnormal), ExitStatus::abnormal);
}

TEST(Advice, SaysWhatToDo) {
  EXPECT_NE(advice({Errc::tls_certificate_rejected, ""}).find("--ca"), std::string::npos);
  EXPECT_NE(advice({Errc::tls_pin_mismatch, ""}).find("--pin"), std::string::npos);
  EXPECT_NE(advice({Errc::tls_client_certificate_missing, ""}).find("--cert"), std::string::npos);
  EXPECT_NE(advice({Errc::handshake_refused, ""}, 401).find("Authorization"), std::string::npos);
  EXPECT_NE(advice({Errc::handshake_refused, ""}, 404).find("path"), std::string::npos);
  EXPECT_NE(advice({Errc::message_over_limit, ""}).find("--max-message"), std::string::npos);
}

TEST(Advice, NamesNoLimitThatCannotHelp) {
  for (const Errc code : {Errc::outgoing_queue_full, Errc::tls_message_rate_exceeded}) {
    EXPECT_EQ(advice({code, ""}).find("--max"), std::string::npos) << name(code);
    EXPECT_NE(advice({code, ""}), "") << name(code);
  }
  EXPECT_NE(advice({Errc::outgoing_queue_full, ""}), advice({Errc::tls_message_rate_exceeded, ""}));
}

TEST(CloseCodes, AreNamedWhereTheyHaveAName) {
  EXPECT_EQ(describe(1008), "1008 policy violation");
  EXPECT_EQ(describe(4001), "4001");
}

}  // namespace
}  // namespace fairlead::cli
