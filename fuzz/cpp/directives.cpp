// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "config/policy/checks.hpp"
#include "config/policy/describe.hpp"
#include "config/vocabulary/defaults.hpp"
#include "config/vocabulary/migration.hpp"
#include "config/vocabulary/openssl_conf.hpp"
#include "cpp/targets.hpp"
#include "unit/config_reader.hpp"

namespace tls::fuzzing {
namespace {

using namespace tls::config;
using namespace tls::config::testing;

// As httpd reports them: one line, that names the directive.
void readable(const std::string& text, std::string_view line) {
  hold(text.find('\n') == std::string::npos || line.find('\n') != std::string_view::npos, "a message is one line",
       line);
  hold(text.size() <= 4 * line.size() + 4096, "a message is not longer than what it is about", line);
}

// A line begins with its place; without a name of its own it is the row of that number.
void read(Scope& scope, Arena& arena, std::string_view line) {
  if (line.size() < 2) return;
  const Place place =
      std::array{Place::Server, Place::VirtualHost, Place::Directory}[static_cast<unsigned char>(line[0]) % 3];
  std::string text(line.substr(1));
  std::erase(text, '\0');
  if (text.find_first_not_of(" \"") == std::string::npos || words_of(text).empty()) return;
  const Outcome outcome = read_line(scope, arena, text, place);
  for (const std::string* said : {&outcome.error, &outcome.warning, &outcome.notice}) readable(*said, text);
  std::vector<std::string> words = words_of(text);
  std::vector<const char*> pointers;
  for (std::size_t i = 1; i < words.size(); ++i) pointers.push_back(words[i].c_str());
  const Arguments arguments{words[0], pointers, {"test.conf", 1}, place == Place::VirtualHost, "/etc/apache2"};
  if (outcome.error.empty()) readable(migration_difference(arguments, place == Place::Directory), text);
}

void judge(Arena& arena, const Scope& outer, const Scope& inner) {
  for (const Vocabulary words : {Vocabulary::Tls, Vocabulary::Ssl}) {
    Scope defaults;
    defaults.server = server_defaults(words, arena);
    defaults.proxy = proxy_defaults(words, arena);
    const Scope both = merged_scopes(arena, merged_scopes(arena, defaults, outer), inner);
    const std::vector<Listener> listening{*parse_listener("443"), *parse_listener("127.0.0.1:8443")};
    const EffectivePolicy policy = effective_policy(both.server, words, listening, false);
    hold(encode_policy(policy) == encode_policy(effective_policy(both.server, words, listening, false)),
         "one encoding");
    hold(!encode_host(policy, HostDigest::Secure).empty(), "a digest of the host");
    (void)describe(policy, both.server);
    CheckedHost host{"a.test:443", {"test.conf", 1}, true, &policy, &both.server, listening, nullptr, {}, nullptr, {}};
    for (const PolicyProblem& problem : check_hosts(std::span(&host, 1), listening))
      hold(!problem.text.empty(), "a problem says what");
    // Nothing over something, and something over nothing, leaves it as it is.
    const auto encoded = [words](const Scope& scope) {
      return encode_policy(effective_policy(scope.server, words, {}, false));
    };
    hold(encoded(merged_scopes(arena, both, {})) == encoded(both), "nothing changes nothing");
    hold(encoded(merged_scopes(arena, {}, both)) == encoded(both), "all is inherited");
  }
}

}  // namespace

void directives(std::string_view data) {
  HeapArena arena;
  Scope scopes[2];
  for (std::size_t count = 0; !data.empty() && count < 64; ++count) {
    const std::size_t end = std::min(data.find('\n'), data.size());
    const std::string_view line = data.substr(0, end);
    data.remove_prefix(std::min(end + 1, data.size()));
    if (!line.empty()) read(scopes[static_cast<unsigned char>(line[0]) / 3 % 2], arena, line);
  }
  judge(arena, scopes[0], scopes[1]);
}

}  // namespace tls::fuzzing
