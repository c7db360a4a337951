// SPDX-License-Identifier: Apache-2.0
#include <fairlead/version.h>

namespace fairlead {

std::string_view version() noexcept { return FAIRLEAD_VERSION; }

}  // namespace fairlead
