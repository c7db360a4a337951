// SPDX-License-Identifier: Apache-2.0
// The pages of the server: start, console, chat and admin, with what the browser may load and from where; and in
// development the tokens for the pages' visitors.
#pragma once

#include "api/control.h"
#include "config/settings.h"

#include <fairlead/server.h>

#include <functional>
#include <memory>
#include <string>

namespace fairlead::server {

class Admin;

struct PagesOptions {
  std::shared_ptr<const Settings> settings;                          // of the start
  std::function<std::shared_ptr<const Settings>()> newest_settings;  // for what shows or uses them; any thread
  Control* control = nullptr;
  std::string web;  // a folder; empty: none
};
// The admin pages, for what of them can change; null without them.
std::shared_ptr<Admin> add_pages(Server& server, const PagesOptions& options);

}  // namespace fairlead::server
