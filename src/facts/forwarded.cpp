// SPDX-License-Identifier: Apache-2.0
#include "facts/forwarded.hpp"

#include <apr_strings.h>

#include <exception>
#include <string_view>
#include <vector>

#include "apr/pool.hpp"
#include "apr/request.hpp"
#include "apr/slice.hpp"
#include "config/words.hpp"
#include "facts/handshake_facts.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "server/policies.hpp"
#include "server/request_state.hpp"

namespace tls::facts {
namespace {

// What is kept for a request whose fields are of use to somebody.
struct Kept {
  ClientFields fields;
  Facts client;
};

constexpr ClientFields nothing{};
constexpr ClientFields taken_out{.removed = true};

apr::ConstBytes bytes_of(std::string_view text) { return apr::bytes(text.data(), text.size()); }

// The only lengths that the names have; most fields are told by them alone.
bool may_be_one(std::string_view name) {
  return name.size() == std::string_view(certificate_name).size() || name.size() == std::string_view(chain_name).size();
}

std::vector<const char*> names_in(const apr_table_t* table) {
  std::vector<const char*> names;
  const apr_array_header_t* const all = apr_table_elts(table);
  for (int i = 0; i < all->nelts; ++i) {
    const char* const name = reinterpret_cast<const apr_table_entry_t*>(all->elts)[i].key;
    if (name != nullptr && may_be_one(name) && rs::is_client_field(bytes_of(name))) names.push_back(name);
  }
  return names;
}

// Whether the connection's own client speaks for others at virtual host `s`. With a PROXY header its address is that of
// a balancer, which has passed on whatever connection came; the address that the header tells of is a visitor's word
// as much as RemoteIPHeader's.
bool is_trusted(const server_rec* s, const conn_rec* c, const Facts& connection) {
  const auto& proxies = server::effective(s).client.trusted_proxies;
  return !proxies.empty() && connection.identity != nullptr && !connection.proxied &&
         config::contains(proxies, server::listener_of(c->client_addr).address);
}

// A field's only value; "" where there is none. Of several a proxy makes one, which is no byte sequence.
const char* value_of(apr_pool_t* pool, const apr_table_t* table, const char* name) {
  const char* const value = apr_table_getm(pool, table, name);
  return value != nullptr ? value : "";
}

// Of a connection whose client speaks for others: the facts with the certificates that it tells of, which nobody has
// judged yet, for the client's. Throws where they cannot be read.
Facts told(apr_pool_t* pool, const Facts& connection, const char* certificate, const char* chain) {
  auto made = connection.identity->forwarded(bytes_of(certificate), bytes_of(chain));
  Facts client = connection;
  client.verify = Verify::None;
  client.verify_reason = {};
  client.verify_number = 0;
  client.verify_advice = {};
  client.identity = &**apr::pool_new<rust::Box<rs::Identity>>(pool, std::move(made));
  return client;
}

void believe(request_rec* r, const Facts& connection, Kept& kept) {
  try {
    kept.client = told(r->pool, connection, value_of(r->pool, r->headers_in, certificate_name),
                       value_of(r->pool, r->headers_in, chain_name));
  } catch (const rust::Error& e) {
    kept.fields.problem = apr_pstrdup(r->pool, e.what());
    kept.client = told(r->pool, connection, "", "");
  }
  kept.fields.client = &kept.client;
}

const ClientFields& take(request_rec* r) {
  const Facts* const connection = handshake_facts(r->connection);
  const ClientFields* found = &nothing;
  if (connection != nullptr && is_trusted(r->server, r->connection, *connection)) {
    auto* const kept = ::new (apr_palloc(r->pool, sizeof(Kept))) Kept{};
    believe(r, *connection, *kept);
    take_client_fields(r->headers_in);
    found = &kept->fields;
  } else if (take_client_fields(r->headers_in)) {
    found = &taken_out;
  }
  keep_connection(r);
  server::state_of(r).fields = found;
  return *found;
}

}  // namespace

const ClientFields& client_fields(request_rec* r) {
  const request_rec* known = r;
  do {
    const server::RequestState* const state = server::known_state(known);
    if (state != nullptr && state->fields != nullptr) return *state->fields;
    known = known->prev != nullptr ? known->prev : known->main;
  } while (known != nullptr);
  return take(apr::root_of(r));
}

const Facts* facts_of_client(apr_pool_t* pool, const conn_rec* c, const Facts& connection) {
  if (!is_trusted(connection.host, c, connection)) return &connection;
  return ::new (apr_palloc(pool, sizeof(Facts))) Facts(told(pool, connection, "", ""));
}

bool take_client_fields(apr_table_t* table) {
  const std::vector<const char*> names = names_in(table);
  for (const char* name : names) apr_table_unset(table, name);
  return !names.empty();
}

void keep_connection(request_rec* r) {
  if (apr_table_get(r->headers_in, "Connection") == nullptr) return;
  const char* const listed = apr_table_getm(r->pool, r->headers_in, "Connection");
  if (std::string_view(listed).size() < std::string_view(certificate_name).size()) return;
  const rs::CertificateField left = rs::without_client_fields(bytes_of(listed));
  if (!left.found) return;
  apr_table_setn(r->headers_in, "Connection",
                 apr_pstrmemdup(r->pool, reinterpret_cast<const char*>(left.value.data()), left.value.size()));
}

HttpFields http_fields(apr_pool_t* pool, const Facts& facts) {
  const auto field = [&](bool chain) -> const char* {
    if (facts.identity == nullptr) return "";
    const auto value = facts.identity->http_field(chain);
    return apr_pstrmemdup(pool, reinterpret_cast<const char*>(value.data()), value.size());
  };
  return {field(false), field(true)};
}

}  // namespace tls::facts
