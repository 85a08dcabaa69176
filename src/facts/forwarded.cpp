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

namespace tls::facts {
namespace {

constexpr const char* key = "mod_tls: fields of the client";

// What is kept for a request; the identity is parsed when it is first asked for.
struct Kept {
  ClientFields fields;
  Facts client;
};

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

bool is_trusted(const request_rec* r) {
  const auto& proxies = server::effective(r->server).client.trusted_proxies;
  return !proxies.empty() && config::contains(proxies, server::listener_of(r->connection->client_addr).address);
}

// A field's only value; "" where there is none. Of several a proxy makes one, which is no byte sequence.
const char* value_of(apr_pool_t* pool, const apr_table_t* table, const char* name) {
  const char* const value = apr_table_getm(pool, table, name);
  return value != nullptr ? value : "";
}

// A visitor who names the fields in Connection would have a proxy leave out what we put in.
void keep_connection(request_rec* r) {
  const char* const listed = apr_table_getm(r->pool, r->headers_in, "Connection");
  if (listed == nullptr) return;
  const rs::CertificateField left = rs::without_client_fields(bytes_of(listed));
  if (!left.found) return;
  apr_table_setn(r->headers_in, "Connection",
                 apr_pstrmemdup(r->pool, reinterpret_cast<const char*>(left.value.data()), left.value.size()));
}

void believe(request_rec* r, const Facts& connection, Kept& kept) {
  const char* certificate = value_of(r->pool, r->headers_in, certificate_name);
  const char* chain = value_of(r->pool, r->headers_in, chain_name);
  const auto identity = [&](const char* own, const char* behind) -> const rs::Identity* {
    auto made = connection.identity->forwarded(bytes_of(own), bytes_of(behind));
    return &**apr::pool_new<rust::Box<rs::Identity>>(r->pool, std::move(made));
  };
  kept.client = connection;
  kept.client.verify = Verify::None;
  kept.client.verify_reason = {};
  kept.client.verify_number = 0;
  kept.client.verify_advice = {};
  try {
    kept.client.identity = identity(certificate, chain);
  } catch (const rust::Error& e) {
    kept.fields.problem = apr_pstrdup(r->pool, e.what());
    kept.client.identity = identity("", "");
  }
  kept.fields.client = &kept.client;
}

Kept& take(request_rec* r) {
  auto* const kept = ::new (apr_palloc(r->pool, sizeof(Kept))) Kept{};
  const Facts* const connection = handshake_facts(r->connection);
  if (connection != nullptr && connection->identity != nullptr && is_trusted(r)) {
    believe(r, *connection, *kept);
    take_client_fields(r->headers_in);
  } else {
    kept->fields.removed = take_client_fields(r->headers_in);
  }
  keep_connection(r);
  apr_pool_userdata_setn(kept, key, nullptr, r->pool);
  return *kept;
}

}  // namespace

const ClientFields& client_fields(request_rec* r) {
  request_rec* const root = apr::root_of(r);
  void* known = nullptr;
  apr_pool_userdata_get(&known, key, root->pool);
  return known != nullptr ? static_cast<Kept*>(known)->fields : take(root).fields;
}

bool take_client_fields(apr_table_t* table) {
  const std::vector<const char*> names = names_in(table);
  for (const char* name : names) apr_table_unset(table, name);
  return !names.empty();
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
