// SPDX-License-Identifier: Apache-2.0
// The pages of the server: start, console, chat and admin, with what the browser may load and from where; and in
// development the tokens for the pages' visitors.
#pragma once

#include "api/control.h"
#include "config/settings.h"

#include <fairlead/server.h>

#include <memory>
#include <string>

namespace fairlead::server {

struct PagesOptions {
  std::shared_ptr<const Settings> settings;
  Control* control = nullptr;
  std::string web;  // a folder; empty: none
};
void add_pages(Server& server, const PagesOptions& options);

}  // namespace fairlead::server
