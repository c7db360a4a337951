// SPDX-License-Identifier: Apache-2.0
// The room without sockets: order, formats, limits, and members that come and go while it speaks.
#include "room.h"

#include <fairlead/bytes.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace fairlead::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Guest {
  std::vector<std::string> heard;
  Room::Sink sink() {
    return [this](const SharedMessage& message) { heard.emplace_back(as_text(message.payload())); };
  }
};

std::int64_t noon() { return 1'000; }

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

TEST(Room, TerminalsHearLines) {
  Room room(noon);
  Guest ada;
  Guest bob;
  const MemberId a = room.join(RoomFormat::terminal, ada.sink());
  const MemberId b = room.join(RoomFormat::terminal, bob.sink());
  room.hear(a, "/name ada");
  room.hear(a, "hello");
  room.leave(b);
  EXPECT_THAT(ada.heard, ElementsAre("* guest-1 joined", "* guest-2 joined", "* guest-1 is now ada", "ada: hello",
                                     "* guest-2 left"));
  EXPECT_THAT(bob.heard, ElementsAre("* guest-2 joined", "* guest-1 is now ada", "ada: hello"));
}

TEST(Room, PagesHearJson) {
  Room room(noon);
  Guest page;
  Guest terminal;
  const MemberId p = room.join(RoomFormat::json, page.sink());
  room.join(RoomFormat::terminal, terminal.sink());
  room.hear(p, R"({"type":"name","name":"ada"})");
  room.hear(p, R"({"type":"say","text":"a \"quoted\" text"})");
  room.hear(p, R"({"type":"typing"})");
  EXPECT_THAT(
      page.heard,
      ElementsAre(R"({"type":"welcome","id":1,"name":"guest-1","members":[{"id":1,"name":"guest-1"}],"history":[]})",
                  R"({"type":"joined","id":2,"name":"guest-2"})",
                  R"({"type":"renamed","id":1,"from":"guest-1","to":"ada"})",
                  R"({"type":"message","id":1,"from":"ada","text":"a \"quoted\" text","at":1000})"));
  EXPECT_THAT(terminal.heard, ElementsAre("* guest-2 joined", "* guest-1 is now ada", "ada: a \"quoted\" text"));
}

TEST(Room, TypingIsToldToOtherPagesOnly) {
  Room room(noon);
  Guest one;
  Guest other;
  Guest terminal;
  const MemberId id = room.join(RoomFormat::json, one.sink());
  room.join(RoomFormat::json, other.sink());
  room.join(RoomFormat::terminal, terminal.sink());
  one.heard.clear();
  other.heard.clear();
  terminal.heard.clear();
  room.hear(id, R"({"type":"typing"})");
  EXPECT_THAT(one.heard, IsEmpty());
  EXPECT_THAT(other.heard, ElementsAre(R"({"type":"typing","id":1,"name":"guest-1"})"));
  EXPECT_THAT(terminal.heard, IsEmpty());
}

TEST(Room, NewMembersAreShownTheLastHundredMessages) {
  Room room(noon);
  Guest first;
  Guest page;
  Guest terminal;
  const MemberId id = room.join(RoomFormat::terminal, first.sink());
  for (std::size_t i = 0; i <= Room::history_limit; ++i) room.hear(id, "m" + std::to_string(i));
  room.join(RoomFormat::json, page.sink());
  room.join(RoomFormat::terminal, terminal.sink());
  EXPECT_EQ(page.heard[0].find(R"("m0")"), std::string::npos);
  EXPECT_NE(page.heard[0].find(R"("m1")"), std::string::npos);
  EXPECT_NE(page.heard[0].find(R"("m100")"), std::string::npos);
  EXPECT_EQ(std::ranges::count(terminal.heard[0], '\n'), static_cast<std::ptrdiff_t>(Room::history_limit) - 1);
}

TEST(Room, WhatMayNotBeSaidIsAnsweredToTheSpeakerAlone) {
  Room room(noon);
  Guest terminal;
  Guest page;
  const MemberId t = room.join(RoomFormat::terminal, terminal.sink());
  const MemberId p = room.join(RoomFormat::json, page.sink());
  terminal.heard.clear();
  page.heard.clear();
  room.hear(t, "/quit");
  room.hear(p, "not json");
  EXPECT_THAT(terminal.heard, ElementsAre("! there is one command: /name NAME"));
  EXPECT_THAT(page.heard, ElementsAre(R"({"type":"error","reason":"not a JSON object"})"));
}

TEST(Room, AMemberMayLeaveWhileItIsSpokenTo) {
  Room room(noon);
  Guest ada;
  const MemberId a = room.join(RoomFormat::terminal, ada.sink());
  MemberId fickle = 0;
  fickle = room.join(RoomFormat::terminal, [&](const SharedMessage&) {
    if (fickle != 0) room.leave(fickle);
  });
  room.hear(a, "hello");
  EXPECT_THAT(ada.heard, ElementsAre("* guest-1 joined", "* guest-2 joined", "guest-1: hello", "* guest-2 left"));
  EXPECT_EQ(room.size(), 1U);
}

TEST(Room, WhoHasLeftIsNotHeard) {
  Room room(noon);
  Guest ada;
  Guest bob;
  room.join(RoomFormat::terminal, ada.sink());
  const MemberId b = room.join(RoomFormat::terminal, bob.sink());
  room.leave(b);
  room.leave(b);
  ada.heard.clear();
  room.hear(b, "still here");
  EXPECT_THAT(ada.heard, IsEmpty());
}

TEST(Room, AllThreadsHearOneOrder) {
  Room room(noon);
  Guest ada;
  Guest bob;
  const MemberId a = room.join(RoomFormat::terminal, ada.sink());
  const MemberId b = room.join(RoomFormat::terminal, bob.sink());
  constexpr int messages = 500;
  const auto speak = [&](MemberId id) {
    for (int i = 0; i < messages; ++i) room.hear(id, std::to_string(i));
  };
  std::thread one(speak, a);
  std::thread two(speak, b);
  one.join();
  two.join();
  ada.heard.erase(ada.heard.begin());  // its own arrival, before bob came
  EXPECT_EQ(ada.heard, bob.heard);
  EXPECT_EQ(ada.heard.size(), std::size_t{2} * messages + 1);
}

// ── What may be said ────────────────────────────────────────────────────────────────────────────────────────────────

TEST(RoomText, TextIsLimitedInCharacters) {
  const auto parse = [](std::size_t characters) { return parse_room_line(repeated("é", characters)); };
  EXPECT_TRUE(parse(room_text_limit_characters - 1));
  EXPECT_TRUE(parse(room_text_limit_characters));
  EXPECT_EQ(parse(room_text_limit_characters + 1).error().code, Errc::over_limit);
}

TEST(RoomText, NamesAreLimitedInCharacters) {
  const auto parse = [](std::size_t characters) { return parse_room_line("/name " + repeated("ß", characters)); };
  EXPECT_TRUE(parse(room_name_limit_characters - 1));
  EXPECT_TRUE(parse(room_name_limit_characters));
  EXPECT_EQ(parse(room_name_limit_characters + 1).error().code, Errc::over_limit);
}

TEST(RoomText, NamesArePrintable) {
  for (const char* name : {"a\x1b[2J", "a\tb", "a\xc2\x9b",
                           "a\xe2\x80\xae"
                           "b",
                           "\xe2\x80\x8b", "a\xef\xbb\xbf"}) {
    EXPECT_FALSE(parse_room_line(std::string("/name ") + name)) << name;
  }
  EXPECT_TRUE(parse_room_line("/name Ада 🚢"));
}

TEST(RoomText, AMessageIsOneLine) {
  const auto command = parse_room_json(R"({"type":"say","text":"hi\nada: not me"})");
  ASSERT_TRUE(command);
  EXPECT_EQ(std::get<Say>(*command).text, "hi ada: not me");
}

TEST(RoomText, RefusesWhatIsNoCommand) {
  for (const char* text :
       {"", "[]", "7", "{", "{}", R"({"type":"say"})", R"({"type":"say","text":7})", R"({"type":"name","text":"x"})",
        R"({"type":"fly"})", R"({"type":"say","text":"  "})", R"({"type":"say","text":"\ud800"})",
        R"({"type":"name","name":""})", R"({"type":"typing"} x)"}) {
    EXPECT_FALSE(parse_room_json(text)) << text;
  }
  for (const char* line : {"", "   ", "/", "/name", "/name   ", "/named x"})
    EXPECT_FALSE(parse_room_line(line)) << line;
}

}  // namespace
}  // namespace fairlead::cli
