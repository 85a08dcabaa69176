// SPDX-License-Identifier: Apache-2.0
// What the handshake made of the client. It judges by the CAs of all sections of a virtual host together and lets in
// whoever any of them may let in, so that its verdict answers no request: tools/house_rules.py says which files may
// include this one.
#pragma once

#include "facts/facts.hpp"

namespace tls::facts {

// As session_facts().
const Facts* handshake_facts(const conn_rec* c);

}  // namespace tls::facts
