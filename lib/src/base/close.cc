// SPDX-License-Identifier: Apache-2.0
#include <fairlead/close.h>

namespace fairlead {

bool may_be_sent(CloseCode code) noexcept {
  // RFC 6455 7.4.1: 1004 is reserved; 1005, 1006 and 1015 MUST NOT be set in a close frame. 7.4.2: 1016–2999 are for
  // future versions of the protocol and extensions; 3000–3999 are registered, 4000–4999 private.
  if (code >= 1000 && code <= 1014)
    return code != 1004 && code != close_code::no_status && code != close_code::abnormal;
  return code >= 3000 && code <= 4999;
}

}  // namespace fairlead
