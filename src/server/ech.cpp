// SPDX-License-Identifier: Apache-2.0
#include "server/ech.hpp"

#include <mpm_common.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "apr/hook.hpp"
#include "apr/httpd.hpp"
#include "apr/to_rust.hpp"
#include "config/words.hpp"
#include "log/log.hpp"
#include "server/host_label.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

constexpr std::uint32_t few_names = 2;

bool is_pattern(std::string_view name) { return name.find_first_of("*?") != std::string_view::npos; }

void add_names(std::vector<std::string>& all, const apr_array_header_t* names) {
  if (names == nullptr) return;
  const auto* const* const elements = reinterpret_cast<const char* const*>(names->elts);
  all.insert(all.end(), elements, elements + names->nelts);
}

// Clients pad names to this length; 0 where wildcards leave it open (RFC 9849 4).
std::uint8_t longest_name(const server_rec* main) {
  std::size_t longest = 0;
  for (const server_rec* s : hosts_with_tls(const_cast<server_rec*>(main))) {
    for (const std::string& name : names_of(s)) {
      if (is_pattern(name)) return 0;
      longest = std::max(longest, name.size());
    }
  }
  constexpr std::size_t most = 255;
  return static_cast<std::uint8_t>(std::min(longest, most));
}

void say(server_rec* s, const rs::EchNews& news) {
  const config::Source& where = effective(s).ech.written;
  for (const rust::String& problem : news.problems) {
    const std::string text(problem);
    if (news.kept) {
      TLS_LOG_S(s, EchKept, text.c_str());
    } else {
      TLS_LOG_S(s, EchFailed, text.c_str(), where.file_or_nothing(), static_cast<int>(where.line));
    }
  }
  if (news.replaced) TLS_LOG_S(s, EchReplaced, news.keys);
}

std::vector<std::string> names_in(const rust::Vec<rs::EchKey>& keys) {
  std::vector<std::string> names;
  for (const rs::EchKey& key : keys) {
    std::string name(key.public_name);
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

// `address:port` as httpd tells addresses apart, and how the configuration writes it.
std::map<std::string, std::string> addresses_of(const server_rec* s) {
  std::map<std::string, std::string> all;
  for (const server_addr_rec* at = s->addrs; at != nullptr; at = at->next) {
    std::array<char, 64> text{};
    if (at->host_addr == nullptr || apr_sockaddr_ip_getbuf(text.data(), text.size(), at->host_addr) != APR_SUCCESS)
      continue;
    const std::string port = ":" + std::to_string(at->host_port);
    all.emplace(text.data() + port, std::string(at->virthost != nullptr ? at->virthost : "*") + port);
  }
  return all;
}

// A client is answered by the virtual hosts of the address that it came to, and by no others (server/vhost.c).
void advise_addresses(server_rec* main, const std::vector<server_rec*>& hosts, const std::string& name) {
  std::map<std::string, std::string> lacking;
  const server_rec* answering = nullptr;
  for (const server_rec* s : hosts) {
    if (s != main) lacking.merge(addresses_of(s));
  }
  for (const server_rec* s : hosts) {
    if (!has_name(s, name)) continue;
    if (s == main) return;
    answering = s;
    for (const auto& [address, written] : addresses_of(s)) lacking.erase(address);
  }
  if (answering == nullptr) return;
  for (const auto& [address, written] : lacking) {
    TLS_LOG_S(main, EchNotThere, written.c_str(), name.c_str(), written.c_str(),
              answering->defn_name != nullptr ? answering->defn_name : "",
              static_cast<int>(answering->defn_line_number));
  }
}

// What an administrator should know before DNS tells the world.
void advise(server_rec* main) {
  const std::vector<std::string> names = public_names(main);
  const std::vector<server_rec*> hosts = hosts_with_tls(main);
  const config::Source& where = effective(main).ech.written;
  std::string joined;
  for (const std::string& name : names) {
    joined += (joined.empty() ? "" : ", ") + name;
    if (std::ranges::none_of(hosts, [&](const server_rec* s) { return has_name(s, name); })) {
      TLS_LOG_S(main, EchNoHost, name.c_str(), where.file_or_nothing(), static_cast<int>(where.line));
    }
    advise_addresses(main, hosts, name);
  }
  std::uint32_t hidden = 0;
  for (const server_rec* s : hosts) {
    if (!effective(s).negotiated.versions.tls13) TLS_LOG_S(main, EchWithoutTls13, host_label_and_place(s).c_str());
    for (const std::string& name : names_of(s)) {
      if (is_pattern(name)) hidden += few_names;
      if (std::ranges::find(names, name) == names.end()) ++hidden;
    }
  }
  if (hidden < few_names) TLS_LOG_S(main, EchFewNames, hidden, joined.c_str());
}

int test_config(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/, server_rec* main) {
  if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST || !has_ech(main)) return OK;
  const rs::EchKeySources sources = ech_key_sources(main);
  const rs::EchNews news = rs::ech_check(sources);
  say(main, news);
  if (!news.problems.empty()) return HTTP_INTERNAL_SERVER_ERROR;
  advise(main);
  return OK;
}

// Looks as often as certificates are looked at (TLSReload); keys that the server makes are replaced in any case.
int monitor(apr_pool_t* /*pool*/, server_rec* s) {
  say(s, rs::ech_tick(effective(s).agent.reload.interval_s != 0));
  return DECLINED;
}

}  // namespace

std::vector<std::string> names_of(const server_rec* s) {
  std::vector<std::string> all;
  if (s->server_hostname != nullptr) all.emplace_back(s->server_hostname);
  add_names(all, s->names);
  add_names(all, s->wild_names);
  return all;
}

bool has_ech(const server_rec* main) {
  const config::EchPolicy& ech = effective(main).ech;
  return !ech.state_directory.empty() || !ech.files.empty() || !ech.directory.empty();
}

std::vector<std::string> public_names(const server_rec* main) {
  if (!has_ech(main)) return {};
  std::vector<std::string> names = names_in(rs::ech_keys(ech_key_sources(main)));
  // Keys that the server is about to make.
  const std::string& own = effective(main).ech.public_name;
  if (!own.empty() && std::ranges::find(names, own) == names.end()) names.push_back(own);
  return names;
}

bool has_name(const server_rec* s, const std::string& wanted) {
  return std::ranges::any_of(names_of(s), [&](const std::string& name) {
    return is_pattern(name) ? ap_strcasecmp_match(wanted.c_str(), name.c_str()) == 0 : config::same_word(name, wanted);
  });
}

rs::EchKeySources ech_key_sources(const server_rec* main) {
  const config::EchPolicy& ech = effective(main).ech;
  rs::EchKeySources sources;
  for (const std::string& file : ech.files) sources.files.push_back(apr::exact(file));
  sources.directory = apr::exact(ech.directory);
  sources.public_name = apr::exact(ech.public_name);
  sources.state_directory = apr::exact(ech.state_directory);
  sources.longest_name = longest_name(main);
  sources.padding = static_cast<std::uint16_t>(ech.padding);
  return sources;
}

std::string ech_held_list() { return std::string(rs::ech_held_list()); }

bool prepare_ech(server_rec* main) {
  const rs::EchKeySources sources = ech_key_sources(main);
  const bool first = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
  if (first && !has_ech(main)) return true;
  const rs::EchNews news = first ? rs::ech_check(sources) : rs::ech_prepare(sources);
  say(main, news);
  if (!news.problems.empty()) return news.kept;
  if (first || !has_ech(main)) return true;
  std::string joined;
  for (const std::string& name : names_in(rs::ech_keys(sources))) joined += (joined.empty() ? "" : ", ") + name;
  TLS_LOG_S(main, EchKeys, news.keys, joined.c_str());
  advise(main);
  return true;
}

void register_ech_hooks() {
  ap_hook_check_config(apr::hook<test_config, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_monitor(apr::hook<monitor, DECLINED>, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace tls::server
