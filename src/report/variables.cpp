// SPDX-License-Identifier: Apache-2.0
#include "report/variables.hpp"

#include <apr_strings.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "config/ciphers/signatures.hpp"
#include "config/ciphers/suites.hpp"
#include "config/words.hpp"
#include "facts/certificates.hpp"
#include "report/version.hpp"
#include "server/engine.hpp"

namespace tls::report {
namespace {

using config::same_word;
using facts::Facts;
using facts::Side;

enum class Variable : std::uint8_t {
#define TLS_VARIABLE(id, name, where, description) id,
#define TLS_CERTIFICATE_VARIABLE(name, where, description)
#include "report/variables.def"
#undef TLS_VARIABLE
#undef TLS_CERTIFICATE_VARIABLE
};

struct Row {
  Variable id;
  const char* name;
  Availability where;
};

constexpr std::array rows = {
#define TLS_VARIABLE(id, name, where, description) Row{Variable::id, name, Availability::where},
#define TLS_CERTIFICATE_VARIABLE(name, where, description)
#include "report/variables.def"
#undef TLS_VARIABLE
#undef TLS_CERTIFICATE_VARIABLE
};

constexpr std::uint16_t tls12 = 0x0303;

// Certificates behind the client's own that are exported. mod_ssl verifies no more by default, and no directive of
// anybody's allows so many.
constexpr std::size_t chain_exported = 32;

const char* copy(apr_pool_t* pool, std::string_view text) { return apr_pstrmemdup(pool, text.data(), text.size()); }

const char* scheme_name(apr_pool_t* pool, std::uint16_t number) {
  if (number == 0) return "";
  const config::SignatureScheme* scheme = config::signature_scheme(number);
  return scheme != nullptr ? copy(pool, scheme->name) : apr_psprintf(pool, "0x%04X", number);
}

const char* group_name(apr_pool_t* pool, std::uint16_t number) {
  if (number == 0) return "";
  const config::Group* group = config::group(number);
  return group != nullptr ? copy(pool, group->name) : apr_psprintf(pool, "0x%04X", number);
}

const char* suite_bits(apr_pool_t* pool, std::uint16_t number) {
  const config::Suite* suite = config::suite(number);
  return apr_itoa(pool, suite != nullptr ? suite->bits : 0);
}

const char* suite_name(apr_pool_t* pool, std::uint16_t number) {
  const config::Suite* suite = config::suite(number);
  return suite != nullptr ? copy(pool, suite->openssl) : apr_psprintf(pool, "0x%04X", number);
}

const char* hexadecimal(apr_pool_t* pool, std::string_view octets) {
  return copy(pool, config::in_hexadecimal(octets));
}

const char* ech_status(facts::Ech ech) {
  switch (ech) {
    case facts::Ech::NotTried:
      return "not attempted";
    case facts::Ech::Grease:
      return "grease";
    case facts::Ech::Failed:
      return "failed";
    case facts::Ech::Accepted:
      return "success";
  }
  return "";
}

const char* name_or_none(apr_pool_t* pool, std::string_view name) { return name.empty() ? "NONE" : copy(pool, name); }

const char* engine(apr_pool_t* pool) { return copy(pool, server::library_version()); }

const char* session_value(apr_pool_t* pool, const Facts& facts, Variable id) {
  switch (id) {
    case Variable::Https:
      return "on";
    case Variable::TlsSni:
      return copy(pool, facts.sni);
    case Variable::Protocol:
      return facts.version == tls12 ? "TLSv1.2" : "TLSv1.3";
    case Variable::Cipher:
      return suite_name(pool, facts.suite);
    case Variable::CipherExport:
      return "false";
    case Variable::CipherUseKeySize:
    case Variable::CipherAlgKeySize:
      return suite_bits(pool, facts.suite);
    case Variable::SessionId:
      return hexadecimal(pool, facts.session_id);
    case Variable::SessionResumed:
      return facts.resumed ? "Resumed" : "Initial";
    case Variable::SecureReneg:
      return "true";
    case Variable::CompressMethod:
      return "NULL";
    case Variable::VersionInterface:
      return interface_version;
    case Variable::VersionLibrary:
    case Variable::VersionLibraryInterface:
      return engine(pool);
    case Variable::ClientVerify:
      return verdict(pool, facts);
    case Variable::Group:
      return group_name(pool, facts.group);
    case Variable::SignatureAlgorithm:
      return scheme_name(pool, facts.signature_scheme);
    case Variable::Alpn:
      return copy(pool, facts.alpn);
    case Variable::Ja4:
      return facts::hello_field(pool, facts, "JA4");
    case Variable::Ja4Raw:
      return facts::hello_field(pool, facts, "JA4_R");
    case Variable::HelloVersions:
      return facts::hello_field(pool, facts, "CLIENTHELLO_VERSIONS");
    case Variable::HelloCiphers:
      return facts::hello_field(pool, facts, "CLIENTHELLO_CIPHERS");
    case Variable::HelloExtensions:
      return facts::hello_field(pool, facts, "CLIENTHELLO_EXTENSIONS");
    case Variable::HelloGroups:
      return facts::hello_field(pool, facts, "CLIENTHELLO_GROUPS");
    case Variable::HelloSigalgs:
      return facts::hello_field(pool, facts, "CLIENTHELLO_SIGALGS");
    case Variable::HelloAlpn:
      return facts::hello_field(pool, facts, "CLIENTHELLO_ALPN");
    case Variable::HandshakeMs:
      return apr_itoa(pool, static_cast<int>(facts.handshake_ms));
    case Variable::EchStatus:
      return ech_status(facts.ech);
    case Variable::EchInnerSni:
      return name_or_none(pool, facts.ech == facts::Ech::Accepted ? facts.sni : std::string_view{});
    case Variable::EchOuterSni:
      return name_or_none(pool, facts.outer_name);
    case Variable::SrpUser:
    case Variable::SrpUserInfo:
      return "";
  }
  return nullptr;
}

const Row* find_row(std::string_view name) {
  const auto* found = std::ranges::find_if(rows, [name](const Row& row) { return same_word(row.name, name); });
  return found != rows.end() ? found : nullptr;
}

// What follows `prefix`, its case ignored; empty where `name` does not begin so.
std::string_view after(std::string_view name, std::string_view prefix) {
  return config::starts_with_word(name, prefix) ? name.substr(prefix.size()) : std::string_view{};
}

const char* certificate_value(apr_pool_t* pool, const Facts& facts, std::string_view name, DnForm form) {
  const bool legacy = form == DnForm::Legacy;
  if (const auto field = after(name, "SSL_CLIENT_"); !field.empty()) {
    if (facts.verify == facts::Verify::Failed) return nullptr;
    return facts::certificate_field(pool, facts, Side::Client, field, legacy);
  }
  if (const auto field = after(name, "SSL_SERVER_"); !field.empty()) {
    return facts::certificate_field(pool, facts, Side::Server, field, legacy);
  }
  return nullptr;
}

// Sets what has a value; mod_ssl leaves empty variables out as well.
void set_unless_empty(apr_table_t* env, const char* name, const char* value) {
  if (value != nullptr && *value != '\0') apr_table_setn(env, name, value);
}

}  // namespace

const char* variable(apr_pool_t* pool, const Facts& facts, std::string_view name, DnForm form) {
  if (const Row* row = find_row(name)) return session_value(pool, facts, row->id);
  if (!config::starts_with_word(name, "SSL_")) return nullptr;
  const char* value = certificate_value(pool, facts, name, form);
  return value != nullptr ? value : "";
}

const char* constant(apr_pool_t* pool, std::string_view name) {
  const Row* row = find_row(name);
  if (row == nullptr) return nullptr;
  if (row->id == Variable::VersionInterface) return interface_version;
  if (row->id == Variable::VersionLibrary || row->id == Variable::VersionLibraryInterface) return engine(pool);
  return nullptr;
}

const char* verdict(apr_pool_t* pool, const Facts& facts) {
  switch (facts.verify) {
    case facts::Verify::None:
      return "NONE";
    case facts::Verify::Success:
      return "SUCCESS";
    // mod_ssl's manual promises GENEROUS for optional_no_ca, but with TLS 1.3 it prints the reason. (A session of
    // TLS 1.2 that is resumed it calls SUCCESS, which nobody should believe.)
    case facts::Verify::Unverified:
      if (facts.version == tls12) return "GENEROUS";
      break;
    case facts::Verify::Failed:
      break;
  }
  return apr_pstrcat(pool, "FAILED:", copy(pool, facts.verify_reason), nullptr);
}

void export_standard(apr_pool_t* pool, const Facts& facts, DnForm form, apr_table_t* env) {
  const bool ech = facts.ech != facts::Ech::NotTried;
  for (const Row& row : rows) {
    const bool exported =
        row.where == Availability::StdEnvVars || (ech && row.where == Availability::StdEnvVarsWithEch);
    if (exported) set_unless_empty(env, row.name, session_value(pool, facts, row.id));
  }
  // A refused certificate says nothing: its connection lives on only for sections that do not ask for one.
  const auto set = [&](Side side, const char* prefix) {
    for (const facts::Field& field : facts::exported_fields(pool, facts, side, form == DnForm::Legacy)) {
      apr_table_setn(env, apr_pstrcat(pool, prefix, field.name, nullptr), field.value);
    }
  };
  if (facts.verify != facts::Verify::Failed) set(Side::Client, "SSL_CLIENT_");
  set(Side::Server, "SSL_SERVER_");
}

void export_certificates(apr_pool_t* pool, const Facts& facts, apr_table_t* env) {
  const auto set = [&](const char* name) {
    const char* value = certificate_value(pool, facts, name, DnForm::Rfc2253);
    apr_table_setn(env, name, value != nullptr ? value : "");
  };
  set("SSL_SERVER_CERT");
  set("SSL_CLIENT_CERT");
  if (facts.verify == facts::Verify::Failed) return;
  const std::size_t count = std::min(facts::client_certificates(facts), chain_exported + 1);
  for (std::size_t i = 1; i < count; ++i) {
    set(apr_psprintf(pool, "SSL_CLIENT_CERT_CHAIN_%" APR_SIZE_T_FMT, i - 1));
  }
}

}  // namespace tls::report
