// SPDX-License-Identifier: Apache-2.0
#include "server/proxy_policies.hpp"

#include <apr_fnmatch.h>
#include <mod_proxy.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "apr/hook.hpp"
#include "apr/mpm.hpp"
#include "apr/pool.hpp"
#include "apr/to_rust.hpp"
#include "config/policy/oldest_httpd.hpp"
#include "config/policy/proxy_policy.hpp"
#include "config/vocabulary/all_rows.hpp"
#include "config/vocabulary/defaults.hpp"
#include "log/log.hpp"
#include "server/arena.hpp"
#include "server/module_config.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

// Equal policies are built once per configuration. Owned by the configuration pool.
using Built = std::map<std::vector<std::uint8_t>, rust::Box<rs::BackendPolicy>>;

constexpr char built_key[] = "mod_tls: backend policies";

Built& built_policies(apr_pool_t* pool) {
  void* found = nullptr;
  apr_pool_userdata_get(&found, built_key, pool);
  if (found == nullptr) {
    found = apr::pool_new<Built>(pool);
    apr_pool_userdata_setn(found, built_key, apr_pool_cleanup_null, pool);
  }
  return *static_cast<Built*>(found);
}

// The line of the configuration that names the file which `fault` is about; else the one that turns TLS on.
config::Source place_of(const std::string& fault, const config::ProxySettings& s) {
  for (const auto* setting : {&s.ca_file, &s.ca_path, &s.crl_file, &s.crl_path, &s.machine_certificate_file,
                              &s.machine_certificate_path, &s.machine_certificate_chain}) {
    if (*setting && fault.find((*setting)->path) != std::string::npos) return setting->where();
  }
  if (s.machine_pairs) {
    for (const config::CertificateFiles& files : *s.machine_pairs) {
      const bool named = fault.find(files.certificate) != std::string::npos ||
                         (!files.key.empty() && fault.find(files.key) != std::string::npos);
      if (named) return files.where.file != nullptr ? files.where : s.machine_pairs.where();
    }
  }
  return s.engine.where();
}

enum class Fault : std::uint8_t { Warning, Kept, Fatal };

// What is done with a fault of the settings for backends of `s`, which is at `where`.
using Report = std::function<void(const server_rec*, Fault, const std::string& text, const config::Source& where)>;

void log_fault(const server_rec* s, Fault fault, const std::string& text, const config::Source& where) {
  const char* const file = where.file_or_nothing();
  switch (fault) {
    case Fault::Warning:
      TLS_LOG_S(s, ProxyWarning, text.c_str());
      return;
    case Fault::Kept:
      TLS_LOG_S(s, ProxyKept, text.c_str(), file, where.line);
      return;
    case Fault::Fatal:
      TLS_LOG_S(s, ProxyFailed, text.c_str(), file, where.line);
      return;
  }
}

// `written` are the settings that `policy` was made of.
const rs::BackendPolicy* build(apr_pool_t* pool, const server_rec* s, const config::ProxyPolicy& policy,
                               const config::ProxySettings& written, const Report& report) {
  Built& built = built_policies(pool);
  std::vector<std::uint8_t> encoded = config::encode(policy);
  if (const auto known = built.find(encoded); known != built.end()) return &*known->second;
  rust::Vec<rust::String> warnings;
  rust::Vec<rust::String> kept;
  rust::Box<rs::BackendPolicy> made = rs::build_backend_policy({encoded.data(), encoded.size()}, warnings, kept);
  const auto tell = [&](Fault fault, const std::string& text) { report(s, fault, text, place_of(text, written)); };
  for (const rust::String& warning : warnings) tell(Fault::Warning, std::string(warning));
  for (const rust::String& fault : kept) tell(Fault::Kept, std::string(fault));
  return &*built.emplace(std::move(encoded), std::move(made)).first->second;
}

// What holds for backends of `s` where `written` does: with the defaults of its vocabulary beneath it.
config::ProxyPolicy policy_of(apr_pool_t* pool, const server_rec* s, const config::ProxySettings& written) {
  PoolArena arena(pool);
  config::ProxySettings complete;
  config::merge(config::proxy_merges, arena, complete, config::proxy_defaults(effective(s).words, arena), written);
  config::ProxyPolicy policy = config::proxy_policy(complete, effective(s).words);
  policy.key_log = effective(s).negotiated.key_log;
  if (policy.fetch_lists) policy.list_proxy = effective(s).client.list_proxy;
  return policy;
}

bool is_on(const config::ProxySettings& written) { return written.engine && *written.engine; }

const BackendUse* use_of(const DirectoryScope& scope, const server_rec* s) {
  const BackendUse* use = scope.backends;
  while (use != nullptr && use->server != s) use = use->next;
  return use;
}

// Builds the policy of a scope of `s` in which `written` holds, where TLS is on in it.
bool complete_scope(apr_pool_t* pool, const server_rec* s, DirectoryScope& scope, const config::ProxySettings& written,
                    const Report& report) {
  if (!is_on(written)) return true;
  try {
    const config::ProxyPolicy policy = policy_of(pool, s, written);
    const rs::BackendPolicy* const built = build(pool, s, policy, written, report);
    const bool unverified = policy.verify == config::VerifyClient::None;
    if (use_of(scope, s) == nullptr) {
      scope.backends = ::new (apr_palloc(pool, sizeof(BackendUse))) BackendUse{s, built, unverified, scope.backends};
    }
    return true;
  } catch (const std::exception& e) {
    report(s, Fault::Fatal, e.what(), place_of(e.what(), written));
    return false;
  }
}

// What a section says over the settings of its server; nothing where it says nothing of TLS: such a section gets no
// policy that would stand over those of other sections, since it may be there for its Require alone.
std::optional<config::ProxySettings> written_in(apr_pool_t* pool, const server_rec* s,
                                                const ap_conf_vector_t* section) {
  const DirectoryScope* const inner = directory_scope(s, section);
  const DirectoryScope* const outer = directory_scope(s, s->lookup_defaults);
  if (inner == nullptr || outer == nullptr || !inner->of_backends) return std::nullopt;
  config::ProxySettings merged;
  PoolArena arena(pool);
  config::merge(config::proxy_merges, arena, merged, outer->proxy, inner->proxy);
  return merged;
}

// mod_proxy's hook: `section` belongs to a <Proxy> section or a worker of `s`.
bool complete_section(apr_pool_t* pool, const server_rec* s, const ap_conf_vector_t* section, const Report& report) {
  const auto written = written_in(pool, s, section);
  return !written || complete_scope(pool, s, *directory_scope(s, section), *written, report);
}

int section_post_config(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/, server_rec* s,
                        ap_conf_vector_t* section) {
  return complete_section(pool, s, section, log_fault) ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

bool build_for_servers(apr_pool_t* pool, server_rec* main_server, const Report& report) {
  bool good = true;
  for (server_rec* s = main_server; s != nullptr; s = s->next) {
    DirectoryScope* const scope = directory_scope(s, s->lookup_defaults);
    if (scope == nullptr) continue;
    scope->server = s;
    if (!complete_scope(pool, s, *scope, scope->proxy, report)) good = false;
  }
  return good;
}

// The <Proxy> sections of `s`, those it inherits too.
std::span<ap_conf_vector_t* const> sections_of(const server_rec* s) {
  const module_struct* const proxy = ap_find_linked_module("mod_proxy.c");
  if (proxy == nullptr) return {};
  const auto* const conf = static_cast<const proxy_server_conf*>(ap_get_module_config(s->module_config, proxy));
  return {reinterpret_cast<ap_conf_vector_t* const*>(conf->sec_proxy->elts),
          static_cast<std::size_t>(conf->sec_proxy->nelts)};
}

// All that a start would build, where mod_proxy tells of no sections, for what is wrong with it.
bool build_all(apr_pool_t* pool, server_rec* main_server, const Report& report) {
  bool good = build_for_servers(pool, main_server, report);
  for (server_rec* s = main_server; s != nullptr; s = s->next) {
    for (const ap_conf_vector_t* section : sections_of(s)) {
      if (!complete_section(pool, s, section, report)) good = false;
    }
  }
  return good;
}

bool speaks_tls(const proxy_worker* worker) {
  const std::string_view scheme = worker->s->scheme;
  return scheme == "https" || scheme == "wss" || scheme == "h2";
}

// All workers of mod_proxy in the configuration of `s`, those it shares with other servers too.
std::vector<const proxy_worker*> workers_of(const server_rec* s, const module_struct& proxy) {
  std::vector<const proxy_worker*> found;
  const auto* const conf = static_cast<const proxy_server_conf*>(ap_get_module_config(s->module_config, &proxy));
  if (conf == nullptr) return found;
  const auto* const own = reinterpret_cast<const proxy_worker*>(conf->workers->elts);
  for (int i = 0; i < conf->workers->nelts; ++i) found.push_back(own + i);
  const auto* const balancers = reinterpret_cast<const proxy_balancer*>(conf->balancers->elts);
  for (int i = 0; i < conf->balancers->nelts; ++i) {
    const auto* const members = reinterpret_cast<proxy_worker* const*>(balancers[i].workers->elts);
    found.insert(found.end(), members, members + balancers[i].workers->nelts);
  }
  return found;
}

// The worker's whole name where the running httpd keeps one; an older one has its first 95 octets.
template <typename Shared>
const char* name_of(const Shared& worker) {
  if constexpr (requires { worker.name_ex; }) {
    ap_version_t now{};
    ap_get_server_revision(&now);
    if (config::Version{now.major, now.minor, now.patch} >= config::long_worker_names) return worker.name_ex;
  }
  return worker.name;
}

// Whether a <Proxy> section holds for requests to `url` (modules/proxy/mod_proxy.c, proxy_walk).
bool covers(const proxy_dir_conf& section, const char* url) {
  if (section.p == nullptr) return false;
  if (section.r != nullptr) return ap_regexec(section.r, url, 0, nullptr, 0) == 0;
  if (section.p_is_fnmatch != 0) return apr_fnmatch(section.p, url, 0) == APR_SUCCESS;
  return std::string_view(url).starts_with(section.p);
}

// What a request to this worker is served with: the last section that has settings of its own for it, or its server's.
const BackendUse* use_of(const server_rec* s, const module_struct& proxy, const proxy_worker& worker) {
  const auto in = [s](const ap_conf_vector_t* section) {
    const DirectoryScope* const scope = directory_scope(s, section);
    return scope == nullptr ? nullptr : use_of(*scope, s);
  };
  const BackendUse* found = in(worker.section_config != nullptr ? worker.section_config : s->lookup_defaults);
  for (const ap_conf_vector_t* vector : sections_of(s)) {
    const auto* const section = static_cast<const proxy_dir_conf*>(ap_get_module_config(vector, &proxy));
    const BackendUse* const use = section == nullptr ? nullptr : in(vector);
    if (use != nullptr && covers(*section, name_of(*worker.s))) found = use;
  }
  return found;
}

// Says once of each worker that its backend is not verified, and of a server that no worker stands for (RewriteRule
// [P]) that this holds for all it proxies to.
void tell_unverified(const server_rec* main_server) {
  const module_struct* const proxy = ap_find_linked_module("mod_proxy.c");
  if (proxy == nullptr || apr::is_first_reading()) return;
  std::unordered_set<std::string_view> said;
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    bool any = false;
    for (const proxy_worker* worker : workers_of(s, *proxy)) {
      if (!speaks_tls(worker)) continue;
      any = true;
      const BackendUse* const use = use_of(s, *proxy, *worker);
      if (use == nullptr || !use->unverified) continue;
      const char* const name = name_of(*worker->s);
      if (said.insert(name).second) TLS_LOG_S(s, ProxyUnverified, name);
    }
    const DirectoryScope* const scope = directory_scope(s, s->lookup_defaults);
    const BackendUse* const use = scope == nullptr ? nullptr : use_of(*scope, s);
    if (any || use == nullptr || !use->unverified) continue;
    const config::Source where = scope->proxy.engine.where();
    const std::string all = "where " + std::string(where.file != nullptr ? where.file : "the configuration") + ":" +
                            std::to_string(where.line) + " turns TLS to backends on";
    if (said.insert(where.file != nullptr ? where.file : "").second) TLS_LOG_S(s, ProxyUnverified, all.c_str());
  }
}

int warn_of_unverified(apr_pool_t*, apr_pool_t*, apr_pool_t*, server_rec* main_server) {
  tell_unverified(main_server);
  return OK;
}

int check_proxy_policies(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/,
                         server_rec* main_server) {
  if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST) return OK;
  const bool good = build_all(pool, main_server, log_fault);
  tell_unverified(main_server);
  return good ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

}  // namespace

bool build_backend_policies(apr_pool_t* pool, server_rec* main_server) {
  return build_for_servers(pool, main_server, log_fault);
}

bool has_tls_to_backends(const server_rec* s) {
  const auto is_on_in = [s](const ap_conf_vector_t* section) {
    const DirectoryScope* const scope = directory_scope(s, section);
    return scope != nullptr && is_on(scope->proxy);
  };
  return is_on_in(s->lookup_defaults) || std::ranges::any_of(sections_of(s), is_on_in);
}

bool report_backend_problems(apr_pool_t* pool, server_rec* main_server, const PrintProblem& print) {
  return build_all(pool, main_server,
                   [&print](const server_rec*, Fault fault, const std::string& text, const config::Source& where) {
                     print({where.text(), fault == Fault::Fatal, "TLS to backends: " + text});
                   });
}

std::vector<BackendReport> report_backends(apr_pool_t* pool, const server_rec* main_server) {
  std::vector<BackendReport> all;
  const auto add = [&](const server_rec* s, std::string section, const config::ProxySettings& written) {
    if (!is_on(written)) return;
    BackendReport report{s, std::move(section), config::describe(policy_of(pool, s, written), written)};
    const config::EffectivePolicy& host = effective(s);
    if (host.negotiated.key_log) report.settings.push_back({"key log", host.key_log.path, host.key_log.where});
    all.push_back(std::move(report));
  };
  const module_struct* const proxy = ap_find_linked_module("mod_proxy.c");
  for (const server_rec* s = main_server; s != nullptr; s = s->next) {
    const DirectoryScope* const scope = directory_scope(s, s->lookup_defaults);
    if (scope != nullptr) add(s, {}, scope->proxy);
    for (const ap_conf_vector_t* vector : sections_of(s)) {
      const auto written = written_in(pool, s, vector);
      const auto* const section = static_cast<const proxy_dir_conf*>(ap_get_module_config(vector, proxy));
      if (!written || section == nullptr || section->p == nullptr) continue;
      add(s, std::string(section->r != nullptr ? "<ProxyMatch " : "<Proxy ") + section->p + ">", *written);
    }
  }
  return all;
}

void register_proxy_section_hooks() {
  ap_hook_check_config(apr::hook<check_proxy_policies, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_LAST);
  // mod_proxy completes its workers in its own.
  static const char* const before[] = {"mod_proxy.c", nullptr};
  ap_hook_post_config(apr::hook<warn_of_unverified, HTTP_INTERNAL_SERVER_ERROR>, before, nullptr, APR_HOOK_LAST);
  constexpr auto section = apr::hook<section_post_config, HTTP_INTERNAL_SERVER_ERROR>;
  APR_OPTIONAL_HOOK(proxy, section_post_config, section, nullptr, nullptr, APR_HOOK_MIDDLE);
}

// A pooled connection may be another virtual host's of the same worker, so that the request's own settings say whose.
const rs::BackendPolicy* backend_policy(const server_rec* s, const ap_conf_vector_t* per_directory) {
  const DirectoryScope* const scope = directory_scope(s, per_directory != nullptr ? per_directory : s->lookup_defaults);
  if (scope == nullptr || (scope->proxy.engine && !*scope->proxy.engine)) return nullptr;
  const BackendUse* const use = use_of(*scope, scope->server != nullptr ? scope->server : s);
  return use == nullptr ? nullptr : use->policy;
}

}  // namespace tls::server
