#include "conn/request_facts.hpp"

#include <new>

#include "apr/guarded.hpp"
#include "conn/certificates.hpp"
#include "server/engine.hpp"
#include "server/policies.hpp"
#include "server/scopes.hpp"

namespace tls::conn {
namespace {

using config::VerifyClient;

constexpr const char* key = "mod_tls: facts of the request";

// Remembered for as long as the request stays in its section.
struct Remembered {
  const ap_conf_vector_t* section = nullptr;
  Facts facts;
};

Facts judged(request_rec* r, const Facts& connection, const server::HostClients& clients) {
  Facts own = connection;
  const Demand demand = demand_of(r);
  const rs::ClientVerifier* verifier = clients.find(demand.ca_file, demand.ca_path);
  if (verifier == nullptr) {
    // Another virtual host, that knows no clients at all: it answers 421 unless TLSHostPolicy is "insecure", and what
    // the handshake has found is what is logged.
    if (r->server != connection.host && demand.ca_file.empty() && demand.ca_path.empty()) return own;
    own.verify = Verify::Failed;
    own.verify_reason = "the CA certificates named here are not known";
    return own;
  }
  // Where nothing is asked for, what the client sent is judged as if it were.
  const VerifyClient mode = demand.verify == VerifyClient::None ? VerifyClient::Optional : demand.verify;
  const Judgement judgement = judge(r->pool, connection, *verifier, static_cast<std::uint8_t>(mode), demand.depth);
  own.verify = judgement.verify;
  own.verify_reason = judgement.reason;
  return own;
}

const Facts* find(request_rec* r) {
  const Facts* connection = facts(r->connection);
  if (connection == nullptr || client_certificates(*connection) == 0) return connection;
  const server::Engine* engine = server::engine();
  const server::Host* host = engine != nullptr ? engine->host(r->server) : nullptr;
  if (host == nullptr || is_settled(r, *connection, *host->clients)) return connection;
  // Nobody there has a word to say, as where SSLVHostSNIPolicy lets a request into a host that asks for nothing.
  if (!host->clients->asks && demand_of(r).verify == VerifyClient::None) return connection;
  void* known = nullptr;
  apr_pool_userdata_get(&known, key, r->pool);
  auto* remembered = static_cast<Remembered*>(known);
  if (remembered != nullptr && remembered->section == r->per_dir_config) return &remembered->facts;
  // A new one each time: whoever holds the facts of the section before may keep them.
  remembered = ::new (apr_palloc(r->pool, sizeof(Remembered)))
      Remembered{r->per_dir_config, judged(r, *connection, *host->clients)};
  apr_pool_userdata_setn(remembered, key, nullptr, r->pool);
  return &remembered->facts;
}

}  // namespace

Demand demand_of(const request_rec* r) {
  const config::DirectorySettings& section = server::directory_settings(r);
  const config::ClientPolicy& host = server::effective(r->server).client;
  return {section.verify_client ? *section.verify_client : host.verify,
          section.verify_depth ? *section.verify_depth : host.depth,
          section.ca_file ? section.ca_file->path : host.ca_file,
          section.ca_path ? section.ca_path->path : host.ca_path};
}

bool is_settled(const request_rec* r, const Facts& facts, const server::HostClients& clients) {
  const config::DirectorySettings& section = server::directory_settings(r);
  return r->server == facts.host && !clients.has_sections && !section.verify_client && !section.verify_depth &&
         !section.ca_file && !section.ca_path;
}

const Facts* facts(request_rec* r) noexcept {
  return apr::guarded<const Facts*>(nullptr, [r] { return find(r); });
}

}  // namespace tls::conn
