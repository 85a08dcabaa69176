// SPDX-License-Identifier: Apache-2.0
#include "report/dump.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "apr/httpd.hpp"
#include "apr/to_rust.hpp"
#include "config/policy/describe.hpp"
#include "report/json.hpp"
#include "server/credential_report.hpp"
#include "server/host_label.hpp"
#include "server/module_config.hpp"
#include "server/policies.hpp"
#include "server/proxy_policies.hpp"
#include "server/read_limit.hpp"
#include "server/sections.hpp"

namespace tls::report {
namespace {

// A section, and what it says of clients and requests; an empty name: words outside of any.
struct SectionReport {
  std::string name;
  std::vector<config::Described> settings;
};

// What is told of one virtual host.
struct HostReport {
  std::string label;
  const char* words = "";
  std::vector<config::Described> settings;
  std::vector<SectionReport> sections;
  std::vector<server::CertificateReport> certificates;
  std::string read_limit;  // of mod_reqtimeout; empty where it sets none
};

HostReport describe(const server_rec* s, std::vector<server::CertificateReport> certificates,
                    const std::string& limit) {
  const config::EffectivePolicy& policy = server::effective(s);
  const bool ssl = policy.words == config::Vocabulary::Ssl;
  HostReport host{server::host_label_and_place(s), ssl ? "SSL*" : "TLS*", {}, {}, std::move(certificates), limit};
  host.settings = config::describe(policy, server::scope_of(s, ssl ? ssl_module : tls_module).settings);
  for (const config::CertificateFiles& files : policy.certificates) {
    host.settings.push_back({"certificate", config::text_of(files), files.where});
  }
  server::visit_sections(s, [&host](const config::DirectorySettings& written, const std::string& name) {
    std::vector<config::Described> settings = config::describe(written);
    if (!settings.empty()) host.sections.push_back({name, std::move(settings)});
  });
  return host;
}

void print_settings(const std::vector<config::Described>& settings, const char* indent = "  ") {
  for (const config::Described& line : settings) {
    const auto width = static_cast<int>(line.name.size());
    std::printf("%s%-24.*s %s", indent, width, line.name.data(), line.value.c_str());
    if (line.where.file == nullptr) {
      std::printf("  (default)\n");
    } else {
      std::printf("  (%s:%u)\n", line.where.file, line.where.line);
    }
  }
}

void print_text(const HostReport& host) {
  std::printf("%s, %s words\n", host.label.c_str(), host.words);
  print_settings(host.settings);
  for (const SectionReport& section : host.sections) {
    std::printf("  in %s\n", section.name.empty() ? "all sections" : section.name.c_str());
    print_settings(section.settings, "    ");
  }
  for (const server::CertificateReport& c : host.certificates) {
    std::printf("  %-24s %s (%s) for %s; %s%lld days left, until %s; %zu in the chain\n", "serves", c.subject.c_str(),
                c.key.c_str(), c.names.c_str(), c.days_left < 0 ? "EXPIRED, " : "", static_cast<long long>(c.days_left),
                c.not_after.c_str(), c.chain_length);
  }
  if (host.read_limit.empty()) return;
  std::printf("  %-24s RequestReadTimeout handshake=%s, where that is sooner\n", "handshake timeout",
              host.read_limit.c_str());
}

void print_settings_json(const std::vector<config::Described>& settings) {
  std::printf("\"settings\":[");
  const char* comma = "";
  for (const config::Described& line : settings) {
    std::printf("%s{\"name\":%s,\"value\":%s,", comma, quoted(line.name).c_str(), quoted(line.value).c_str());
    if (line.where.file == nullptr) {
      std::printf("\"file\":null,\"line\":null}");
    } else {
      std::printf("\"file\":%s,\"line\":%u}", quoted(line.where.file).c_str(), line.where.line);
    }
    comma = ",";
  }
  std::printf("]");
}

void print_json(const HostReport& host, bool first) {
  std::printf("%s{\"host\":%s,\"words\":\"%s\",", first ? "" : ",\n", quoted(host.label).c_str(), host.words);
  print_settings_json(host.settings);
  const char* comma = "";
  std::printf(",\"sections\":[");
  for (const SectionReport& section : host.sections) {
    std::printf("%s{\"section\":%s,", comma, quoted(section.name).c_str());
    print_settings_json(section.settings);
    std::printf("}");
    comma = ",";
  }
  comma = "";
  std::printf("],\"certificates\":[");
  for (const server::CertificateReport& c : host.certificates) {
    std::printf("%s{\"subject\":%s,\"key\":%s,\"names\":%s,\"not_after\":%s,\"days_left\":%lld,\"chain_length\":%zu}",
                comma, quoted(c.subject).c_str(), quoted(c.key).c_str(), quoted(c.names).c_str(),
                quoted(c.not_after).c_str(), static_cast<long long>(c.days_left), c.chain_length);
    comma = ",";
  }
  std::printf("],\"read_limit\":%s}", host.read_limit.empty() ? "null" : quoted(host.read_limit).c_str());
}

// What holds for backends of several servers, where they say the same in the same lines.
struct BackendsReport {
  std::vector<std::string> of;
  std::vector<config::Described> settings;
};

bool equal(const config::Described& one, const config::Described& other) {
  return one.name == other.name && one.value == other.value && one.where == other.where;
}

std::vector<BackendsReport> backends_of(apr_pool_t* pool, const server_rec* main) {
  std::vector<BackendsReport> all;
  for (server::BackendReport& one : server::report_backends(pool, main)) {
    const std::string label =
        server::host_label_and_place(one.server) + (one.section.empty() ? "" : ", " + one.section);
    const auto same = [&one](const BackendsReport& known) {
      return std::ranges::equal(known.settings, one.settings, equal);
    };
    const auto known = std::ranges::find_if(all, same);
    if (known == all.end()) {
      all.push_back({{label}, std::move(one.settings)});
    } else {
      known->of.push_back(label);
    }
  }
  return all;
}

void print_backends(const std::vector<BackendsReport>& all) {
  for (const BackendsReport& one : all) {
    for (const std::string& label : one.of) std::printf("backends of %s\n", label.c_str());
    print_settings(one.settings);
  }
}

void print_backends_json(const std::vector<BackendsReport>& all) {
  const char* comma = "";
  for (const BackendsReport& one : all) {
    std::printf("%s{\"of\":[", comma);
    comma = "";
    for (const std::string& label : one.of) {
      std::printf("%s%s", comma, quoted(label).c_str());
      comma = ",";
    }
    std::printf("],");
    print_settings_json(one.settings);
    std::printf("}");
    comma = ",\n";
  }
}

}  // namespace

int dump_policies(apr_pool_t* pool, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/, server_rec* main) {
  if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST) return DECLINED;
  const bool json = ap_exists_config_define("DUMP_TLS_JSON") != 0;
  if (!json && ap_exists_config_define("DUMP_TLS") == 0) return DECLINED;
  const auto limits = server::read_limits(pool, main);
  bool first = true;
  if (json) std::printf("{\"hosts\":[");
  server::report_credentials(
      main, [&](const server_rec* s, const std::vector<server::CertificateReport>& certificates) {
        const auto limit = limits.find(s);
        const HostReport host = describe(s, certificates, limit == limits.end() ? "" : limit->second.text());
        if (json) {
          print_json(host, first);
        } else {
          print_text(host);
        }
        first = false;
      });
  const std::vector<BackendsReport> backends = backends_of(pool, main);
  if (json) {
    std::printf("],\n\"backends\":[");
    print_backends_json(backends);
    std::printf("]}\n");
    return DECLINED;
  }
  print_backends(backends);
  server::report_problems(main, [](const server::FileProblem& problem) {
    std::printf("%s: %s%s\n", problem.place.c_str(), problem.is_fatal ? "stops the start: " : "", problem.text.c_str());
  });
  return DECLINED;
}

}  // namespace tls::report
