// SPDX-License-Identifier: Apache-2.0
#include "server/metrics.hpp"

#include "apr/hook.hpp"
#include "apr/httpd.hpp"
#include "apr/mpm.hpp"
#include "apr/to_rust.hpp"
#include "mod_tls_bridge/src/lib.rs.h"
#include "mod_tls_bridge/src/status/boundary.rs.h"
#include "server/engine.hpp"
#include "server/managed.hpp"
#include "server/policies.hpp"
#include "server/stapling.hpp"

namespace tls::server {
namespace {

rs::StatusForm form_of(StatusForm form) {
  switch (form) {
    case StatusForm::Json:
      return rs::StatusForm::Json;
    case StatusForm::Prometheus:
      return rs::StatusForm::Prometheus;
    case StatusForm::Block:
      return rs::StatusForm::Block;
    case StatusForm::Lines:
      return rs::StatusForm::Lines;
    default:
      return rs::StatusForm::Page;
  }
}

rs::StatusHost describe(conn_rec* c, const server_rec* s, const Host& host) {
  const ManagedCertificates* const other = managed(s);
  rs::StatusHost out;
  out.name = apr::lossy(host.label);
  if (s->defn_name != nullptr) out.place = apr::lossy(s->defn_name + (":" + std::to_string(s->defn_line_number)));
  out.certificates = host.certificates;
  out.number = host.number;
  out.managed = other != nullptr && !other->files.empty();
  out.staples = offered_responses(c, host);
  out.fetched = host.settings->stapling.on;
  if (out.fetched) out.staple_url = apr::lossy(host.settings->stapling.url);
  return out;
}

void lost() { rs::count_event(rs::Event::Exception); }

}  // namespace

void count_misdirected() { rs::count_event(rs::Event::Misdirected); }

void count_lost() { apr::lost_counter = lost; }

std::string status(conn_rec* c, StatusForm form, std::uint32_t refresh) {
  const Engine* const running = engine();
  if (running == nullptr) return {};
  rs::StatusRequest request;
  request.form = form_of(form);
  request.refresh = refresh;
  request.isolated = effective(ap_server_conf).agent.isolation && !apr::is_one_process();
  request.version = apr::lossy(TLS_VERSION);
  request.server = apr::lossy(ap_server_conf->server_hostname != nullptr ? ap_server_conf->server_hostname : "");
  for (const server_rec* s = ap_server_conf; s != nullptr; s = s->next) {
    const Host* const host = running->host(s);
    if (host != nullptr) request.hosts.push_back(describe(c, s, *host));
  }
  return std::string(rs::status(running->credentials(), request));
}

}  // namespace tls::server
