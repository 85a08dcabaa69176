// SPDX-License-Identifier: Apache-2.0
#include "report/dump_ech.hpp"

#include <cstdio>
#include <string>

#include "apr/httpd.hpp"
#include "server/ech.hpp"
#include "server/policies.hpp"

namespace tls::report {
namespace {

constexpr apr_port_t https_port = 443;
constexpr int time_to_live = 300;

std::string alpn_of(const server_rec* s) {
  std::string all;
  for (const std::string& name : offered_protocols(s)) all += (all.empty() ? "" : ",") + name;
  return all;
}

// RFC 9460 9.1: the record of another port than 443 belongs to a name of its own, whose target is the host.
void print_record(const std::string& name, apr_port_t port, const std::string& alpn, const std::string& list) {
  if (port == https_port) {
    std::printf("%s. %d IN HTTPS 1 . alpn=\"%s\" ech=\"%s\"\n", name.c_str(), time_to_live, alpn.c_str(), list.c_str());
  } else {
    std::printf("_%u._https.%s. %d IN HTTPS 1 %s. alpn=\"%s\" ech=\"%s\"\n", static_cast<unsigned>(port), name.c_str(),
                time_to_live, name.c_str(), alpn.c_str(), list.c_str());
  }
}

apr_port_t port_of(const server_rec* s) {
  if (s->addrs != nullptr && s->addrs->host_port != 0) return s->addrs->host_port;
  return s->port != 0 ? s->port : https_port;
}

}  // namespace

// ALPN knows no others of those that Protocols may have.
std::vector<std::string> offered_protocols(const server_rec* s) {
  std::vector<std::string> all;
  const auto* const core = static_cast<const core_server_config*>(ap_get_core_module_config(s->module_config));
  for (int i = 0; core->protocols != nullptr && i < core->protocols->nelts; ++i) {
    const std::string name = APR_ARRAY_IDX(core->protocols, i, const char*);
    if (name == "h2" || name == AP_PROTOCOL_HTTP1) all.push_back(name);
  }
  if (all.empty()) all.emplace_back(AP_PROTOCOL_HTTP1);
  return all;
}

void dump_ech(apr_pool_t* /*pool*/, server_rec* main) {
  if (ap_exists_config_define("DUMP_TLS_ECH") == 0) return;
  if (!server::has_ech(main)) {
    std::printf("# no keys for Encrypted ClientHello are configured: see TLSECH\n");
    return;
  }
  const rs::EchKeySources sources = server::ech_key_sources(main);
  const std::string list(rs::ech_list(sources));
  if (list.empty()) {
    std::printf("# there are no keys yet: httpd makes them when it starts\n");
    return;
  }
  for (const server_rec* s : server::hosts_with_tls(main)) {
    if (s->is_virtual == 0 && main->next != nullptr) continue;
    if (!server::effective(s).negotiated.versions.tls13) continue;
    for (const std::string& name : server::names_of(s)) {
      if (name.find('.') != std::string::npos) print_record(name, port_of(s), alpn_of(s), list);
    }
  }
}

}  // namespace tls::report
