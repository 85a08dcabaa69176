// SPDX-License-Identifier: Apache-2.0
// The fields by which a proxy tells of its client's certificate (RFC 9440): taken out of every request, and believed
// where a proxy sends them that TLSTrustedProxy names, over TLS.
#pragma once

#include "apr/httpd.hpp"
#include "facts/facts.hpp"

namespace tls::facts {

constexpr const char* certificate_name = "Client-Cert";
constexpr const char* chain_name = "Client-Cert-Chain";

// What became of the fields that a request came with.
struct ClientFields {
  bool removed = false;           // somebody has sent some who is not believed
  const char* problem = nullptr;  // what is wrong with those of a proxy that is; nullptr: nothing
  // Where a trusted proxy has sent the request: its connection, with the certificates that it has told of for the
  // client's, which nobody has judged yet. nullptr for all others.
  const Facts* client = nullptr;
};

// Those of the request that the client made, which subrequests and redirects share. Whoever asks first has them taken
// out. Valid as long as the request; any thread that works for it.
const ClientFields& client_fields(request_rec* r);

// Facts of a connection for somebody who names no request: with no client where a trusted proxy has made it, whose own
// certificate stands for nobody. In `pool`; throws where there is no memory.
const Facts* facts_of_client(apr_pool_t* pool, const conn_rec* c, const Facts& connection);

// Takes every field out of `table` whose name somebody could read as one of them; whether there were any.
bool take_client_fields(apr_table_t* table);

// Takes the names of the fields out of the request's Connection: a visitor who writes them there would have a proxy
// leave out what we put in. To be done again where a module has made other headers_in, as MergeTrailers does.
void keep_connection(request_rec* r);

// The values of Client-Cert and Client-Cert-Chain for the client's certificate of `facts`, in `pool`.
struct HttpFields {
  const char* certificate;
  const char* chain;  // "" where nothing stands behind it
};
HttpFields http_fields(apr_pool_t* pool, const Facts& facts);

}  // namespace tls::facts
