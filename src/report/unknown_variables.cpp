// SPDX-License-Identifier: Apache-2.0
// Names of variables that nobody fills, in log formats, headers and expressions: they are empty without a word.
#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "apr/mpm.hpp"
#include "config/words.hpp"
#include "log/log.hpp"
#include "report/variables.hpp"
#include "server/host_label.hpp"
#include "server/written.hpp"
#include "server/written_checks.hpp"

namespace tls::report {
namespace {

constexpr std::string_view ours = "SSL_";
constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

bool is_one_of(const char* directive, std::initializer_list<const char*> all) {
  return std::ranges::any_of(all, [directive](const char* name) { return config::same_word(directive, name); });
}

// Whether `%{NAME}` with these letters around it asks this module in such a directive: `%{NAME}x` of a log, `%{NAME}s`
// of a field, `%{NAME}` of an expression, `%{SSL:NAME}` of a rule.
bool asks_us(const char* directive, bool prefixed, std::string_view behind) {
  if (prefixed) return behind.starts_with('}');
  if (is_one_of(directive, {"LogFormat", "CustomLog", "TransferLog"})) return behind.starts_with("}x");
  if (is_one_of(directive, {"Header", "RequestHeader"})) return behind.starts_with("}s");
  return is_one_of(directive, {"Require", "SSLRequire", "<If", "<ElseIf", "SetEnvIfExpr"}) && behind.starts_with('}');
}

// Names of variables in one configuration.
class Names {
 public:
  void read(const ap_directive_t& d, const server_rec* s) {
    const std::string_view text = d.args != nullptr ? d.args : "";
    for (std::size_t at = text.find(ours); at != std::string_view::npos; at = text.find(ours, at + ours.size())) {
      const std::string_view before = text.substr(0, at);
      std::string_view name = text.substr(at);
      name = name.substr(0, name.find_first_not_of(letters));
      if (!before.empty() && letters.find(before.back()) != std::string_view::npos) continue;
      const bool prefixed = before.ends_with("%{SSL:");
      if (!prefixed && !before.ends_with("%{")) {
        set_elsewhere_.emplace(name);  // by SetEnv and its kind, whose variables are found by the same name
      } else if (asks_us(d.directive, prefixed, text.substr(at + name.size())) && !is_variable(name)) {
        unknown_.emplace(std::pair{std::string(d.filename), d.line_num}, std::pair{s, std::string(name)});
      }
    }
  }

  void tell(const server_rec* main_server) const {
    for (const auto& [place, what] : unknown_) {
      const auto& [host, name] = what;
      if (set_elsewhere_.contains(name)) continue;
      TLS_LOG_S(main_server, UnknownVariable, server::host_label(host).c_str(), name.c_str(), place.first.c_str(),
                place.second);
    }
  }

 private:
  std::multimap<std::pair<std::string, int>, std::pair<const server_rec*, std::string>> unknown_;
  std::set<std::string> set_elsewhere_;
};

}  // namespace

int check_variables(apr_pool_t* /*pool*/, apr_pool_t* /*log_pool*/, apr_pool_t* /*temp_pool*/,
                    server_rec* main_server) {
  if (apr::is_first_reading() || server::others_speak_tls()) return OK;
  Names names;
  server::visit_directives(main_server, [&names](const ap_directive_t& d, const server_rec* s) { names.read(d, s); });
  names.tell(main_server);
  return OK;
}

}  // namespace tls::report
