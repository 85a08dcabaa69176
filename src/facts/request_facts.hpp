// SPDX-License-Identifier: Apache-2.0
// What a request is told of its client.
#pragma once

#include <cstdint>
#include <string>

#include "apr/httpd.hpp"
#include "config/policy/effective.hpp"
#include "facts/facts.hpp"
#include "server/client_auth.hpp"

namespace tls::facts {

// What a request needs of the client's certificate: the word of its section over its virtual host's.
struct Demand {
  config::VerifyClient verify;
  std::uint32_t depth;
  std::string ca_file;
  std::string ca_path;
};
[[nodiscard]] Demand demand_of(const request_rec* r);

// Whether the handshake alone has settled what is to be thought of the client: the request is for the host that it was
// made for, no section has a word of its own, and the client is no trusted proxy that speaks for others.
[[nodiscard]] bool is_settled(request_rec* r, const SessionFacts& facts, const server::HostClientAuth& clients);

// The facts of the connection that carries the request, with the verdict that the CAs and the depth of the request's
// own section come to: the handshake knows those of all sections together, and a client of one must not count as
// verified in another. Before sections are known (post_read_request), and for a virtual host that is not the
// handshake's, the virtual host's own words count. Of a request that a trusted proxy has sent, the client is the one
// that it tells of (forwarded.hpp). nullptr where the connection is not ours. Valid as long as the request; any thread
// that works for it.
const Facts* of_request(request_rec* r);

// The same where somebody asks of a connection and names no request: the verdict of the virtual host that the handshake
// was made for, by its own words alone. In `pool`.
const Facts* of_connection(apr_pool_t* pool, const conn_rec* c);

}  // namespace tls::facts
