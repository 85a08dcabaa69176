// SPDX-License-Identifier: Apache-2.0
// SNI of one virtual host with the Host header of another.
#include <apr_strings.h>

#include "access/access.hpp"
#include "config/policy/describe.hpp"
#include "config/policy/effective.hpp"
#include "config/words.hpp"
#include "facts/facts.hpp"
#include "log/log.hpp"
#include "server/metrics.hpp"
#include "server/policies.hpp"

namespace tls::access {
namespace {

using config::SniPolicy;

// Whether a connection that `handshake` settled may carry requests for `requested` (ssl_engine_init.c of 2.4.66).
bool compatible(const server_rec* handshake, const server_rec* requested) {
  const config::EffectivePolicy& made = server::effective(handshake);
  const config::EffectivePolicy& wanted = server::effective(requested);
  const auto equal = [&](config::HostDigest form) {
    return config::encode_host(made, form) == config::encode_host(wanted, form);
  };
  switch (made.sni_policy) {
    case SniPolicy::Strict:
      return false;
    case SniPolicy::Insecure:
      return true;
    case SniPolicy::AuthOnly:
      return equal(config::HostDigest::AuthOnly);
    case SniPolicy::Secure:
      break;
  }
  return equal(config::HostDigest::Secure);
}

// A virtual host without TLS at an address whose first one speaks it: mod_ssl serves it to who named it in the
// handshake as well, by the first one's certificate. Not one that wants a certificate of the client's, for which nobody
// asked.
bool has_no_tls(const request_rec* r, const facts::SessionFacts& facts) {
  const config::EffectivePolicy& wanted = server::effective(r->server);
  if (wanted.enabled || wanted.words != config::Vocabulary::Ssl) return false;
  if (wanted.client.verify != config::VerifyClient::None) return false;
  return !facts.sni.empty() && r->hostname != nullptr && config::same_word(r->hostname, facts.sni);
}

int judge(request_rec* r, const facts::SessionFacts& facts) {
  const char* sni = apr_pstrmemdup(r->pool, facts.sni.data(), facts.sni.size());
  if (!facts.sni.empty() && r->hostname == nullptr) {
    TLS_LOG_R(r, HostMissing, sni);
    return HTTP_BAD_REQUEST;
  }
  const bool refuses =
      server::effective(facts.host).refuse_without_sni || server::effective(r->server).refuse_without_sni;
  if (facts.sni.empty() && refuses && r->connection->vhost_lookup_data != nullptr) {
    TLS_LOG_R(r, HostWithoutSni);
    apr_table_setn(
        r->notes, "error-notes",
        "Reason: The client software did not provide a hostname using Server Name Indication (SNI), which is "
        "required to access this server.<br />\n");
    return HTTP_FORBIDDEN;
  }
  if (has_no_tls(r, facts)) return DECLINED;
  if (r->server == facts.host || compatible(facts.host, r->server)) return DECLINED;
  TLS_LOG_R(r, HostMisdirected, facts.sni.empty() ? facts.host->server_hostname : sni,
            facts.sni.empty() ? "(default host as no SNI was provided)" : "provided via SNI",
            r->hostname != nullptr ? r->hostname : "(none)", config::word_of(server::effective(facts.host).sni_policy));
  server::count_misdirected();
  return HTTP_MISDIRECTED_REQUEST;
}

}  // namespace

int check_host(request_rec* r) {
  // What ErrorDocument makes of a refusal must not be refused again; and a forward proxy is asked for hosts of others.
  if (ap_is_initial_req(r) == 0 || r->proxyreq == PROXYREQ_PROXY) return DECLINED;
  const facts::SessionFacts* facts = facts::session_facts(r->connection);
  if (facts == nullptr || facts->host == nullptr) return DECLINED;
  return judge(r, *facts);
}

}  // namespace tls::access
