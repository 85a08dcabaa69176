// SPDX-License-Identifier: Apache-2.0
// What a handshake may negotiate, and how its sessions are resumed.
#pragma once

#include <cstdint>
#include <vector>

#include "config/policy/encoder.hpp"
#include "config/settings.hpp"

namespace tls::config {

// Lists hold IANA numbers, most preferred first; no signatures means whatever fits the key.
struct Negotiated {
#define TLS_NEGOTIATED(type, member, ...) type member{};
#include "config/policy/negotiated.def"
#undef TLS_NEGOTIATED
};

// From settings with the defaults of their vocabulary, `words`, beneath them.
Negotiated negotiated(const ServerSettings& complete, Vocabulary words);

// All of it, as Rust reads it.
void encode(Encoder& out, const Negotiated& negotiated);

// What must be equal for a connection made to one virtual host to serve another.
void encode_compared(Encoder& out, const Negotiated& negotiated);

}  // namespace tls::config
