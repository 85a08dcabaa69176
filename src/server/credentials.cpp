// SPDX-License-Identifier: Apache-2.0
#include "server/credentials.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "apr/mpm.hpp"
#include "apr/pool.hpp"
#include "apr/to_rust.hpp"
#include "config/ciphers/suites.hpp"
#include "log/log.hpp"
#include "server/agent.hpp"
#include "server/client_auth.hpp"
#include "server/credential_report.hpp"
#include "server/ech.hpp"
#include "server/host_label.hpp"
#include "server/managed.hpp"
#include "server/open_keys.hpp"
#include "server/policies.hpp"
#include "server/proxy_policies.hpp"

namespace tls::server {
namespace {

constexpr const char* store_key = "mod_tls-credentials";

// Owned by the process pool: it outlives restarts, and the module's code stays mapped (-z nodelete).
struct StoreHolder {
  rust::Box<rs::CredentialStore> store = rs::new_credential_store();
};

struct Retained {
  StoreHolder* holder;
};

rs::CredentialStore& store() {
  auto* retained = static_cast<Retained*>(ap_retained_data_get(store_key));
  if (retained == nullptr) {
    retained = static_cast<Retained*>(ap_retained_data_create(store_key, sizeof(Retained)));
    retained->holder = apr::pool_new<StoreHolder>(ap_pglobal);
  }
  return *retained->holder->store;
}

// A configuration that isolates its keys must not leave those of the one before in this process.
void forget_store() {
  auto** slot = static_cast<StoreHolder**>(ap_retained_data_get(store_key));
  if (slot != nullptr) (*slot)->store = rs::new_credential_store();
}

// The name under which pass phrases are asked for. Programs of mod_ssl's users know it as `servername:port` with the
// port of ServerName, else 443 (ssl_util.c, ssl_util_vhostid).
std::string dialog_name(const server_rec* s, config::Vocabulary words) {
  if (words == config::Vocabulary::Tls || s->port != 0 || s->server_hostname == nullptr) return host_label(s);
  return std::string(s->server_hostname) + ":443";
}

rust::String absolute(apr_pool_t* pool, const std::string& file) {
  if (file.empty()) return {};
  const char* full = ap_server_root_relative(pool, file.c_str());
  return apr::exact(full != nullptr ? full : file.c_str());
}

// Names that clients may ask for, without patterns but for those in the place of a public name of Encrypted
// ClientHello, which the certificate has to cover. httpd invents one where neither ServerName nor DNS gave any.
void add_names(const server_rec* s, rust::Vec<rust::String>& names, const std::vector<std::string>& concealing) {
  const auto add = [&names](const char* name) {
    if (name != nullptr && std::strncmp(name, "bogus_host_", 11) != 0) names.push_back(apr::lossy(name));
  };
  add(s->server_hostname);
  for (int i = 0; s->names != nullptr && i < s->names->nelts; ++i) add(APR_ARRAY_IDX(s->names, i, char*));
  for (const std::string& name : concealing) {
    const bool known = std::ranges::any_of(names, [&](const rust::String& one) { return std::string(one) == name; });
    if (!known && has_name(s, name)) add(name.c_str());
  }
}

// Who is asked for pass phrases, in the words of SSLPassPhraseDialog.
std::string source_of(const config::PassPhraseDialog& dialog) {
  switch (dialog.kind) {
    case config::PassPhraseDialog::Kind::Pipe:
      return "|" + dialog.command;
    case config::PassPhraseDialog::Kind::Exec:
      return "exec:" + dialog.command;
    case config::PassPhraseDialog::Kind::File:
      return "file:" + dialog.command;
    case config::PassPhraseDialog::Kind::Builtin:
      break;
  }
  return {};
}

// `file:line`, or nothing where no line says it.
rust::String written(const config::Source& where) {
  return where.file != nullptr ? apr::lossy(where.text()) : rust::String();
}

// What the keys have to be good for.
void add_signatures(const config::EffectivePolicy& policy, rs::LoadRequest& request) {
  request.signatures = apr::to_rust(policy.negotiated.signatures);
  request.tls12 = policy.negotiated.versions.tls12;
  request.tls13 = policy.negotiated.versions.tls13;
  request.signatures_place = written(policy.signatures_written);
}

// The same for suites of TLS 1.2.
void add_suites(const server_rec* s, const config::EffectivePolicy& policy, rs::LoadRequest& request) {
  using config::Authentication;
  const auto any_for = [&policy](Authentication key) {
    return std::ranges::any_of(policy.negotiated.suites, [key](std::uint16_t number) {
      const config::Suite& known = *config::suite(number);
      return known.first_version != config::FirstVersion::Tls13 && known.authentication == key;
    });
  };
  request.suites_rsa = any_for(Authentication::Rsa);
  request.suites_ecdsa = any_for(Authentication::Ecdsa);
  const module_struct& record = policy.words == config::Vocabulary::Ssl ? ssl_module : tls_module;
  if (!is_loaded(record)) return;
  const config::ServerSettings& settings = scope_of(s, record).settings;
  request.suites_place = written(settings.suites12 ? settings.suites12.where() : settings.suites_suppressed.where());
}

rust::Vec<rs::LoadRequest> make_requests(const server_rec* main, const std::vector<server_rec*>& hosts) {
  const apr::TemporaryPool scratch;
  apr_pool_t* const pool = scratch.get();
  rust::Vec<rs::LoadRequest> requests;
  requests.reserve(hosts.size());
  const std::vector<std::string> concealing = public_names(main);
  for (const server_rec* s : hosts) {
    const config::EffectivePolicy& policy = effective(s);
    rs::LoadRequest request;
    request.host = apr::lossy(dialog_name(s, policy.words));
    request.strict = policy.words == config::Vocabulary::Tls;
    add_names(s, request.names, concealing);
    request.passphrase = apr::exact(source_of(policy.pass_phrase_dialog));
    const ManagedCertificates* others = managed(s);
    for (const config::CertificateFiles& files : others != nullptr ? others->files : policy.certificates) {
      request.pairs.push_back({absolute(pool, files.certificate), absolute(pool, files.key), written(files.where),
                               written(files.key_where)});
    }
    const auto file_at = [pool](const config::PathAt& file) {
      return rs::FileAt{absolute(pool, file.path), written(file.where)};
    };
    for (const config::PathAt& key : policy.spare_keys) request.spare_keys.push_back(file_at(key));
    // What another module brings is a whole chain (ssl_engine_init.c: it "overrides any old chain configuration").
    if (others == nullptr) request.chain = file_at(policy.chain_file);
    request.staples = policy.stapling.on;
    request.placeholder = policy.fallback != config::Fallback::Off;
    add_signatures(policy, request);
    add_suites(s, policy, request);
    if (!request.strict) request.authorities = absolute(pool, policy.client.ca_file);
    requests.push_back(std::move(request));
  }
  return requests;
}

void log_problem(const server_rec* s, const rs::Problem& problem) {
  const std::string text(problem.text);
  const std::string host = host_label(s);
  const std::string where = problem.place.empty() ? host_place(s) : std::string(problem.place);
  switch (problem.severity) {
    case rs::Severity::Error:
      TLS_LOG_S(s, CredentialError, text.c_str(), host.c_str(), where.c_str());
      break;
    case rs::Severity::Kept:
      TLS_LOG_S(s, CredentialKept, text.c_str(), host.c_str(), where.c_str());
      break;
    case rs::Severity::Warning:
      TLS_LOG_S(s, CredentialWarning, text.c_str(), host.c_str(), where.c_str());
      break;
    default:
      TLS_LOG_S(s, CredentialNotice, text.c_str(), host.c_str(), where.c_str());
      break;
  }
}

bool log_problems(const std::vector<server_rec*>& hosts, const rs::Credentials& credentials) {
  bool ok = true;
  for (const rs::Problem& problem : credentials.problems()) {
    const bool error = problem.severity == rs::Severity::Error;
    ok = ok && !error;
    if (error || !apr::is_first_reading()) log_problem(hosts[problem.request], problem);
  }
  if (!apr::is_first_reading()) {
    warn_of_open_keys(hosts, [&](const std::string& file) {
      return std::ranges::any_of(credentials.problems(), [&](const rs::Problem& problem) {
        return problem.severity == rs::Severity::Error && std::string(problem.text).find(file) != std::string::npos;
      });
    });
  }
  return ok;
}

// The main server gets what no virtual host takes: it needs no certificate of its own beside virtual hosts with TLS.
bool may_lack_certificate(const server_rec* s, const std::vector<server_rec*>& hosts) {
  return s->is_virtual == 0 && effective(s).engine.mode == config::EngineRule::Mode::ByListener && hosts.size() > 1;
}

// Under -t with mod_md loaded the certificate may be one that mod_md hands over when the server starts.
bool check_presence(const std::vector<server_rec*>& hosts, bool may_come_later) {
  bool ok = true;
  for (const server_rec* s : hosts) {
    const ManagedCertificates* others = managed(s);
    if (others != nullptr && others->fallback && !apr::is_first_reading()) {
      TLS_LOG_S(s, FallbackCertificate, host_label(s).c_str());
    }
    const bool placeholder = effective(s).fallback != config::Fallback::Off;
    if (placeholder || !effective(s).certificates.empty() || others != nullptr || may_lack_certificate(s, hosts))
      continue;
    const std::string host = host_label(s);
    const std::string where = host_place(s);
    if (may_come_later) {
      TLS_LOG_S(s, CertificateMayCome, host.c_str(), where.c_str());
    } else {
      // What stands in <IfModule mod_ssl.c>, as on Debian, is left out without a word.
      const bool alone = s->is_virtual == 0 && hosts.size() == 1 && effective(s).words == config::Vocabulary::Tls;
      TLS_LOG_S(s, CertificateMissing, host.c_str(), where.c_str(),
                alone
                    ? ". No virtual host has a port of TLSEngine: one that stands in <IfModule mod_ssl.c> is not read, "
                      "write <IfModule tls_module>"
                    : "");
      ok = false;
    }
  }
  return ok;
}

using Requests = rust::Slice<const rs::LoadRequest>;

template <class Load>
LoadedCredentials load(const server_rec* main, const std::vector<server_rec*>& hosts, Load&& with) {
  const rust::Vec<rs::LoadRequest> requests = make_requests(main, hosts);
  rust::Box<rs::Credentials> credentials = with(Requests{requests.data(), requests.size()});
  const bool ok = log_problems(hosts, *credentials);
  return {ok, std::move(credentials)};
}

// With the keys in the agent's processes, or in this one.
LoadedCredentials load_as_configured(server_rec* main, const std::vector<server_rec*>& hosts) {
  if (uses_agent(main, apr::is_first_reading())) {
    forget_store();
    return load(main, hosts, [&](Requests requests) { return load_by_agent(main, requests, apr::is_first_reading()); });
  }
  end_agent();
  return load(main, hosts, [](Requests requests) { return store().load(requests, true); });
}

// Exit status of the checker: everything else is a crash.
enum class CheckResult : int { Good = 0, Bad = 1 };

CheckResult check_here(const server_rec* main, const std::vector<server_rec*>& hosts) {
  const bool present = check_presence(hosts, ap_find_linked_module("mod_md.c") != nullptr);
  auto store = rs::new_credential_store();
  const auto look = [&](Requests requests) { return store->load(requests, false); };
  const bool loaded = load(main, hosts, look).ok;
  ClientVerifiers clients;
  return clients.load(hosts) && loaded && present ? CheckResult::Good : CheckResult::Bad;
}

// Keys are read in a child, so that the process which read the configuration never holds one. What the child finds it
// says itself: under -t the log is standard error.
template <class Work>
CheckResult run_in_child(const server_rec* main, Work&& work) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    TLS_LOG_S(main, CheckerFailed, std::strerror(errno));
    return CheckResult::Bad;
  }
  if (child == 0) {
    int status = 2;
    try {
      status = static_cast<int>(std::forward<Work>(work)());
    } catch (const std::exception& e) {
      TLS_LOG_S(main, CheckerFailed, e.what());
    } catch (...) {
      TLS_LOG_S(main, CheckerFailed, "unknown exception");
    }
    std::fflush(nullptr);
    ::_exit(status);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return CheckResult::Good;
  if (WIFSIGNALED(status)) TLS_LOG_S(main, CheckerFailed, ::strsignal(WTERMSIG(status)));
  return CheckResult::Bad;
}

void report_placeholders(const std::vector<server_rec*>& hosts, const rs::Credentials& credentials) {
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (!credentials.is_placeholder(i)) continue;
    const bool serves = effective(hosts[i]).fallback == config::Fallback::SelfSigned;
    TLS_LOG_S(hosts[i], PlaceholderServed, host_label(hosts[i]).c_str(), host_place(hosts[i]).c_str(),
              serves ? "served all the same" : "answered with 503");
  }
}

// What was compressed before the fork is shared by all children.
void compress(const std::vector<server_rec*>& hosts, const rs::Credentials& credentials) {
  std::vector<std::uint32_t> indices;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (effective(hosts[i]).negotiated.compress_certificates) indices.push_back(static_cast<std::uint32_t>(i));
  }
  credentials.compress({indices.data(), indices.size()});
}

}  // namespace

LoadedCredentials load_credentials(server_rec* main, const std::vector<server_rec*>& hosts) {
  const bool present = check_presence(hosts, false);
  LoadedCredentials loaded = load_as_configured(main, hosts);
  if (!apr::is_first_reading()) {
    compress(hosts, *loaded.credentials);
    report_placeholders(hosts, *loaded.credentials);
  }
  loaded.ok = loaded.ok && present;
  return loaded;
}

void report_credentials(server_rec* main, const PrintCredentials& print) {
  const std::vector<server_rec*> hosts = hosts_with_tls(main);
  run_in_child(main, [&] {
    auto store = rs::new_credential_store();
    const auto requests = make_requests(main, hosts);
    const auto credentials = store->load({requests.data(), requests.size()}, false);
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      std::vector<CertificateReport> certificates;
      for (const rs::CertificateFacts& c : credentials->describe(i)) {
        certificates.push_back({std::string(c.key), std::string(c.subject), std::string(c.names),
                                std::string(c.not_after), c.days_left, c.chain_length});
      }
      print(hosts[i], certificates);
    }
    return CheckResult::Good;
  });
}

void report_problems(server_rec* main, const PrintProblem& print) {
  const std::vector<server_rec*> hosts = hosts_with_tls(main);
  run_in_child(main, [&] {
    auto store = rs::new_credential_store();
    const auto requests = make_requests(main, hosts);
    const auto credentials = store->load({requests.data(), requests.size()}, false);
    for (const rs::Problem& problem : credentials->problems()) {
      const std::string where = problem.place.empty() ? host_place(hosts[problem.request]) : std::string(problem.place);
      print({where, problem.severity == rs::Severity::Error, std::string(problem.text)});
    }
    ClientVerifiers clients;
    const bool good = clients.load(hosts, print);
    return report_backend_problems(main->process->pconf, main, print) && good ? CheckResult::Good : CheckResult::Bad;
  });
}

int check_files(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/, server_rec* main) {
  if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST) return OK;
  const std::vector<server_rec*> hosts = hosts_with_tls(main);
  if (hosts.empty()) return OK;
  const CheckResult verdict = run_in_child(main, [&] { return check_here(main, hosts); });
  return verdict == CheckResult::Good ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

}  // namespace tls::server
