// SPDX-License-Identifier: Apache-2.0
// How the development certificate is made; the public side is fairlead/certificate.h.
#pragma once

#include <fairlead/certificate.h>

#include <chrono>
#include <string>

namespace fairlead::tls {

// Two years: long enough that nobody trusts a new CA monthly, short enough that a forgotten one in a trust store ends
// by itself. 825 days is also the most that Apple's verifiers accept under a private root.
inline constexpr std::chrono::days development_ca_life{730};
// The leaf's key lies in a developer's home: as short as public certificates are.
inline constexpr std::chrono::days development_leaf_life{90};
// Certificates begin in the past, for virtual machines and containers whose clock lags.
inline constexpr std::chrono::hours development_clock_slack{1};

// As ensure_development_certificate, at a given time.
[[nodiscard]] Result<DevelopmentCertificate> ensure_development_certificate_at(
    std::string directory, std::chrono::system_clock::time_point now);

}  // namespace fairlead::tls
