// SPDX-License-Identifier: Apache-2.0
#include "report/origin_svcb.hpp"

#include <cstring>
#include <string>

#include "apr/hook.hpp"
#include "facts/facts.hpp"
#include "report/dump_ech.hpp"
#include "server/ech.hpp"
#include "server/policies.hpp"

namespace tls::report {
namespace {

// How often a zone should look, in seconds; its record may live half of that. Keys are accepted for much longer.
constexpr const char* hourly = "3600";

// No name of these has a character that JSON would have escaped: protocols are those of ALPN, the list is base64.
std::string document_for(const server_rec* s) {
  std::string alpn;
  for (const std::string& name : offered_protocols(s)) alpn += (alpn.empty() ? "\"" : ", \"") + name + "\"";
  std::string parameters = "\"alpn\": [" + alpn + "]";
  const bool tls13 = server::effective(s).negotiated.versions.tls13;
  const std::string list = tls13 ? server::ech_held_list() : "";
  if (!list.empty()) parameters += ", \"ech\": \"" + list + "\"";
  return std::string("{\"regeninterval\": ") + hourly + ", \"endpoints\": [{\"priority\": 1, \"params\": {" +
         parameters + "}}]}\n";
}

// Who may see it is httpd's business (Require), which has been asked before; the record is public. An origin speaks for
// itself alone, and over https alone: what its certificate does not stand behind is nowhere.
int handle(request_rec* r) {
  if (r->handler == nullptr || std::strcmp(r->handler, "tls-origin-svcb") != 0) return DECLINED;
  r->allowed |= AP_METHOD_BIT << M_GET;
  if (r->method_number != M_GET) return HTTP_METHOD_NOT_ALLOWED;
  if (facts::session_facts(r->connection) == nullptr) return HTTP_NOT_FOUND;
  const std::string text = document_for(r->server);
  ap_set_content_type(r, "application/json");
  ap_set_content_length(r, static_cast<apr_off_t>(text.size()));
  if (r->header_only == 0) ap_rwrite(text.data(), static_cast<int>(text.size()), r);
  return OK;
}

}  // namespace

void register_origin_svcb_hook() {
  ap_hook_handler(apr::hook<handle, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace tls::report
