// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string_view>

#include "documents.hpp"

namespace docgen {
namespace {

enum class Where { Always, StdEnvVars, StdEnvVarsWithEch, ExportCertData, Lookup };

struct Variable {
  std::string_view name;
  Where where;
  std::string_view text;
};

#define TLS_VARIABLE(id, name, where, description) Variable{name, Where::where, description},
#define TLS_CERTIFICATE_VARIABLE(name, where, description)
constexpr std::array session = {
#include "report/variables.def"
};
#undef TLS_VARIABLE
#undef TLS_CERTIFICATE_VARIABLE

#define TLS_VARIABLE(id, name, where, description)
#define TLS_CERTIFICATE_VARIABLE(name, where, description) Variable{name, Where::where, description},
constexpr std::array certificates = {
#include "report/variables.def"
};
#undef TLS_VARIABLE
#undef TLS_CERTIFICATE_VARIABLE

std::string_view where_words(Where where) {
  switch (where) {
    case Where::Always:
      return "always";
    case Where::StdEnvVars:
      return "`StdEnvVars`";
    case Where::StdEnvVarsWithEch:
      return "`StdEnvVars`, if the client offered Encrypted ClientHello";
    case Where::ExportCertData:
      return "`ExportCertData`";
    case Where::Lookup:
      return "-";
  }
  return "";
}

template <class Rows>
std::string table(const Rows& rows) {
  std::string out = "| variable | in the environment | value |\n|---|---|---|\n";
  for (const Variable& v : rows) {
    out +=
        "| `" + std::string(v.name) + "` | " + std::string(where_words(v.where)) + " | " + std::string(v.text) + " |\n";
  }
  return out;
}

}  // namespace

std::string variables() {
  return "# Variables\n"
         "\n"
         "Made from `src/report/variables.def` by `./dev docs`. All of them can be used in expressions\n"
         "(`%{SSL_PROTOCOL}`, `SSL('SSL_PROTOCOL')`), in mod_rewrite (`%{SSL:SSL_PROTOCOL}`) and mod_headers\n"
         "(`%{SSL_PROTOCOL}s`), in log formats (`%{SSL_PROTOCOL}x`, in JSON `%{SSL_PROTOCOL}^js`) and by other\n"
         "modules. The second column says which option puts a variable into the environment of scripts\n"
         "(`TLSOptions +StdEnvVars`, `SSLOptions +StdEnvVars`). Streams of an h2 connection have the values of\n"
         "that connection. Control characters are always escaped.\n"
         "\n"
         "## Connection\n"
         "\n" +
         table(session) +
         "\n"
         "## Certificates\n"
         "\n"
         "`x` is `CLIENT` or `SERVER`, `n` counts from 0. Values are exactly what mod_ssl prints with OpenSSL\n"
         "3.0. Fields of a refused client certificate are empty; it is served only where no certificate is\n"
         "required.\n"
         "\n" +
         table(certificates);
}

}  // namespace docgen
