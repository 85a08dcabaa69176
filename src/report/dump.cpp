#include "report/dump.hpp"

#include <cstdio>

#include "apr/httpd.hpp"
#include "config/policy/describe.hpp"
#include "server/credential_report.hpp"
#include "server/policies.hpp"
#include "server/read_limit.hpp"
#include "server/scopes.hpp"

namespace tls::report {
namespace {

void print(std::string_view name, const std::string& value, const config::Source& where) {
  const auto width = static_cast<int>(name.size());
  std::printf("  %-24.*s %s", width, name.data(), value.c_str());
  if (where.file == nullptr) {
    std::printf("  (default)\n");
  } else {
    std::printf("  (%s:%u)\n", where.file, where.line);
  }
}

void print_host(const server_rec* s, const std::vector<server::CertificateReport>& certificates) {
  const config::EffectivePolicy& policy = server::effective(s);
  const bool ssl = policy.words == config::Vocabulary::Ssl;
  std::printf("%s, %s words\n", server::host_label(s).c_str(), ssl ? "SSL*" : "TLS*");
  for (const config::Described& line :
       config::describe(policy, server::scope_of(s, ssl ? ssl_module : tls_module).settings)) {
    print(line.name, line.value, line.where);
  }
  for (const config::CertificateFiles& files : policy.certificates) {
    print("certificate", files.key.empty() ? files.certificate : files.certificate + ", key " + files.key, files.where);
  }
  for (const server::CertificateReport& c : certificates) {
    std::printf("  %-24s %s (%s) for %s; %s%lld days left, until %s; %zu in the chain\n", "serves", c.subject.c_str(),
                c.key.c_str(), c.names.c_str(), c.days_left < 0 ? "EXPIRED, " : "", static_cast<long long>(c.days_left),
                c.not_after.c_str(), c.chain_length);
  }
}

}  // namespace

int dump_policies(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/, server_rec* main) {
  const bool asked = ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST && ap_exists_config_define("DUMP_TLS") != 0;
  if (!asked) return DECLINED;
  const auto limits = server::read_limits(pool, main);
  server::report_credentials(main,
                             [&](const server_rec* s, const std::vector<server::CertificateReport>& certificates) {
                               print_host(s, certificates);
                               const auto limit = limits.find(s);
                               if (limit == limits.end()) return;
                               std::printf("  %-24s RequestReadTimeout handshake=%s, where that is sooner\n",
                                           "handshake timeout", limit->second.text().c_str());
                             });
  server::report_problems(main, [](const server::FileProblem& problem) {
    std::printf("%s: %s%s\n", problem.place.c_str(), problem.is_fatal ? "stops the start: " : "", problem.text.c_str());
  });
  return DECLINED;
}

}  // namespace tls::report
