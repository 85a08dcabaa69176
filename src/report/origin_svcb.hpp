// SPDX-License-Identifier: Apache-2.0
// The handler tls-origin-svcb: what DNS should say of a virtual host, for whoever keeps its zone
// (draft-ietf-tls-wkech, "/.well-known/origin-svcb").
#pragma once

#include "apr/httpd.hpp"

namespace tls::report {

// Registers the handler.
void register_origin_svcb_hook();

}  // namespace tls::report
