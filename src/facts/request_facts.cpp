// SPDX-License-Identifier: Apache-2.0
#include "facts/request_facts.hpp"

#include <cstdint>
#include <new>
#include <vector>

#include "config/policy/effective.hpp"
#include "facts/certificates.hpp"
#include "facts/forwarded.hpp"
#include "facts/handshake_facts.hpp"
#include "server/engine.hpp"
#include "server/module_config.hpp"
#include "server/policies.hpp"

namespace tls::facts {
namespace {

using config::VerifyClient;

constexpr const char* key = "mod_tls: facts of the request";
constexpr unsigned unspecified = 1;  // X509_V_ERR_UNSPECIFIED

// Remembered for as long as the request stays in its section.
struct Remembered {
  const ap_conf_vector_t* section = nullptr;
  const server_rec* server = nullptr;
  Facts facts;
};

// What a virtual host asks of clients, to be compared.
std::vector<std::uint8_t> clients_of(const server_rec* s) {
  return config::encode_host(server::effective(s), config::HostDigest::AuthOnly);
}

// The verifier of `wanted` for these CAs. A virtual host that asks nobody has none of its own; where it is configured
// as the handshake's, that one's is the same.
const rs::ClientVerifier* verifier(const server_rec* wanted, const server_rec* made, const Demand& demand) {
  const server::Engine* const engine = server::engine();
  if (engine == nullptr) return nullptr;
  const auto find = [&](const server_rec* s) -> const rs::ClientVerifier* {
    const server::Host* const host = engine->host(s);
    return host != nullptr ? host->clients->find(demand.ca_file, demand.ca_path) : nullptr;
  };
  const rs::ClientVerifier* const own = find(wanted);
  if (own != nullptr || wanted == made) return own;
  return clients_of(wanted) == clients_of(made) ? find(made) : nullptr;
}

// What `demand` of virtual host `s` makes of a client that has shown a certificate.
Facts judged(apr_pool_t* pool, const Facts& handshake, const server_rec* s, const Demand& demand) {
  Facts own = handshake;
  const rs::ClientVerifier* const by = verifier(s, handshake.host, demand);
  if (by == nullptr) {
    own.verify = Verify::Failed;
    own.verify_reason = "the CA certificates named here are not known";
    own.verify_number = unspecified;
    return own;
  }
  // Where nothing is asked for, what the client sent is judged as if it were.
  const VerifyClient mode = demand.verify == VerifyClient::None ? VerifyClient::Optional : demand.verify;
  const Judgement judgement = judge(pool, handshake, *by, mode, demand.depth);
  own.verify = judgement.verify;
  own.verify_reason = judgement.reason;
  own.verify_number = judgement.number;
  own.verify_advice = judgement.advice;
  return own;
}

// Of the virtual host that the handshake was made for, by its own words.
const Facts* find(apr_pool_t* pool, const conn_rec* c) {
  const Facts* handshake = handshake_facts(c);
  if (handshake == nullptr) return nullptr;
  handshake = facts_of_client(pool, c, *handshake);
  if (client_certificates(*handshake) == 0) return handshake;
  const server::Engine* const engine = server::engine();
  const server::Host* const made = engine != nullptr ? engine->host(handshake->host) : nullptr;
  if (made != nullptr && !made->clients->judges_requests()) return handshake;
  const config::ClientAuthPolicy& host = server::effective(handshake->host).client;
  return ::new (apr_palloc(pool, sizeof(Facts)))
      Facts(judged(pool, *handshake, handshake->host, {host.verify, host.depth, host.ca_file, host.ca_path}));
}

// A request that access::check_host() answers with 421: who came is only logged. What ErrorDocument makes of it is
// another request (r->prev), which a backend may answer and a section may let in: the other host's verdict is not for
// it.
bool is_misdirected(const request_rec* r, const server_rec* made) {
  return r->prev == nullptr && r->main == nullptr && r->server != made && r->proxyreq != PROXYREQ_PROXY &&
         server::effective(made).sni_policy != config::SniPolicy::Insecure && clients_of(r->server) != clients_of(made);
}

const Facts* find(request_rec* r) {
  const Facts* const forwarded = client_fields(r).client;
  const Facts* const handshake = forwarded != nullptr ? forwarded : handshake_facts(r->connection);
  if (handshake == nullptr || client_certificates(*handshake) == 0) return handshake;
  const server::Engine* const engine = server::engine();
  const server::Host* const host = engine != nullptr ? engine->host(r->server) : nullptr;
  if (host != nullptr && is_settled(r, *handshake, *host->clients)) return handshake;
  void* known = nullptr;
  apr_pool_userdata_get(&known, key, r->pool);
  auto* remembered = static_cast<Remembered*>(known);
  if (remembered != nullptr && remembered->section == r->per_dir_config && remembered->server == r->server) {
    return &remembered->facts;
  }
  const Demand demand = demand_of(r);
  const bool silent = demand.ca_file.empty() && demand.ca_path.empty();
  if (silent && forwarded == nullptr && is_misdirected(r, handshake->host)) return find(r->pool, r->connection);
  // A new one each time: whoever holds the facts of the section before may keep them.
  remembered = ::new (apr_palloc(r->pool, sizeof(Remembered)))
      Remembered{r->per_dir_config, r->server, judged(r->pool, *handshake, r->server, demand)};
  apr_pool_userdata_setn(remembered, key, nullptr, r->pool);
  return &remembered->facts;
}

}  // namespace

Demand demand_of(const request_rec* r) {
  const config::DirectorySettings& section = server::directory_settings(r);
  const config::ClientAuthPolicy& host = server::effective(r->server).client;
  return {section.verify_client ? *section.verify_client : host.verify,
          section.verify_depth ? *section.verify_depth : host.depth,
          section.ca_file ? section.ca_file->path : host.ca_file,
          section.ca_path ? section.ca_path->path : host.ca_path};
}

bool is_settled(request_rec* r, const SessionFacts& facts, const server::HostClientAuth& clients) {
  if (client_fields(r).client != nullptr) return false;
  const config::DirectorySettings& section = server::directory_settings(r);
  return r->server == facts.host && !clients.judges_requests() && !section.verify_client && !section.verify_depth &&
         !section.ca_file && !section.ca_path;
}

const Facts* of_request(request_rec* r) { return find(r); }

const Facts* of_connection(apr_pool_t* pool, const conn_rec* c) { return find(pool, c); }

}  // namespace tls::facts
