// SPDX-License-Identifier: Apache-2.0
#include "facts/certificates.hpp"

#include <apr_strings.h>
#include <apr_time.h>

#include <cstring>

#include "apr/slice.hpp"
#include "mod_tls_bridge/src/lib.rs.h"

namespace tls::facts {
namespace {

const char* text(apr_pool_t* pool, const rust::Vec<std::uint8_t>& bytes) {
  return apr_pstrmemdup(pool, reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::int64_t now() { return apr_time_sec(apr_time_now()); }

bool is_client(Side side) { return side == Side::Client; }

}  // namespace

std::size_t client_certificates(const Facts& facts) {
  return facts.identity == nullptr ? 0 : facts.identity->client_certificates();
}

const char* certificate_field(apr_pool_t* pool, const Facts& facts, Side side, std::string_view name, bool legacy) {
  if (facts.identity == nullptr) return nullptr;
  const auto field = facts.identity->field(is_client(side), apr::bytes(name.data(), name.size()), legacy, now());
  return field.found ? text(pool, field.value) : nullptr;
}

const char* hello_field(apr_pool_t* pool, const Facts& facts, std::string_view name) {
  if (facts.identity == nullptr) return "";
  const auto field = facts.identity->hello(apr::bytes(name.data(), name.size()));
  return field.found ? text(pool, field.value) : "";
}

std::vector<Field> exported_fields(apr_pool_t* pool, const Facts& facts, Side side, bool legacy) {
  std::vector<Field> fields;
  if (facts.identity == nullptr) return fields;
  const auto exported = facts.identity->exported(is_client(side), legacy, now());
  fields.reserve(exported.size());
  for (const auto& field : exported) fields.push_back({text(pool, field.name), text(pool, field.value)});
  return fields;
}

bool is_cut(const Facts& facts) { return facts.identity != nullptr && facts.identity->tells_cut(); }

std::vector<const char*> extension_values(apr_pool_t* pool, const Facts& facts, Side side, std::string_view name) {
  std::vector<const char*> values;
  if (facts.identity == nullptr) return values;
  const auto found = facts.identity->extensions(is_client(side), apr::bytes(name.data(), name.size()));
  for (const auto& field : found) values.push_back(text(pool, field.value));
  return values;
}

const char* who(apr_pool_t* pool, const Facts& facts) {
  constexpr apr_size_t longest = 200;
  const auto field = [&](const char* name) -> const char* {
    const char* value = certificate_field(pool, facts, Side::Client, name, false);
    if (value == nullptr) return nullptr;
    const char* shown = ap_escape_logitem(pool, value);
    return std::strlen(shown) <= longest ? shown
                                         : apr_pstrcat(pool, apr_pstrmemdup(pool, shown, longest), "...", nullptr);
  };
  const char* subject = field("S_DN");
  const char* issuer = field("I_DN");
  const char* serial = field("M_SERIAL");
  if (subject == nullptr || issuer == nullptr || serial == nullptr) return "";
  return apr_psprintf(pool, "subject \"%s\", issuer \"%s\", serial %s", subject, issuer, serial);
}

Judgement judge(apr_pool_t* pool, const Facts& facts, const rs::ClientVerifier& verifier, config::VerifyClient mode,
                std::uint32_t depth) {
  if (facts.identity == nullptr) return {Verify::Failed, "no certificate", 1, ""};
  const rs::Verdict verdict = facts.identity->judge(verifier, static_cast<rs::ClientMode>(mode), depth);
  return {static_cast<Verify>(verdict.outcome), apr_pstrmemdup(pool, verdict.reason.data(), verdict.reason.size()),
          verdict.number, apr_pstrmemdup(pool, verdict.advice.data(), verdict.advice.size())};
}

}  // namespace tls::facts
