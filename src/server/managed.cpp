// SPDX-License-Identifier: Apache-2.0
#include "server/managed.hpp"

#include <unordered_map>

#include "apr/pool.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

using Answers = std::unordered_map<const server_rec*, ManagedCertificates>;

const Answers* current = nullptr;

apr_status_t forget(void* /*unused*/) {
  current = nullptr;
  return APR_SUCCESS;
}

struct Files {
  explicit Files(apr_pool_t* pool)
      : certificates(apr_array_make(pool, 2, sizeof(const char*))),
        keys(apr_array_make(pool, 2, sizeof(const char*))) {}
  apr_array_header_t* certificates;
  apr_array_header_t* keys;

  void add(const config::CertificateFiles& files) const {
    APR_ARRAY_PUSH(certificates, const char*) = files.certificate.c_str();
    // As in mod_ssl's arrays: a key that is in the certificate's file is named there again.
    APR_ARRAY_PUSH(keys, const char*) = files.key.empty() ? files.certificate.c_str() : files.key.c_str();
  }

  [[nodiscard]] config::CertificateFiles at(int i) const {
    const char* key = i < keys->nelts ? APR_ARRAY_IDX(keys, i, const char*) : "";
    return {APR_ARRAY_IDX(certificates, i, const char*), key, {}};
  }
};

// ssl_engine_init.c, ssl_init_server_ctx: first those who have certificates, then, where there is none at all, those
// who have a placeholder.
ManagedCertificates ask(server_rec* s, apr_pool_t* pool) {
  const config::EffectivePolicy& policy = effective(s);
  const Files files(pool);
  for (const config::CertificateFiles& own : policy.certificates) files.add(own);
  const int before = files.certificates->nelts;
  ap_ssl_add_cert_files(s, pool, files.certificates, files.keys);
  ManagedCertificates answer;
  if (apr_is_empty_array(files.certificates)) {
    ap_ssl_add_fallback_cert_files(s, pool, files.certificates, files.keys);
    answer.fallback = !apr_is_empty_array(files.certificates);
  }
  if (files.certificates->nelts == before) return answer;
  for (int i = 0; i < files.certificates->nelts; ++i) {
    answer.files.push_back(i < before ? policy.certificates[static_cast<std::size_t>(i)] : files.at(i));
  }
  return answer;
}

}  // namespace

void collect_managed(apr_pool_t* pool, const std::vector<server_rec*>& hosts) {
  auto* answers = apr::pool_new<Answers>(pool);
  const apr::TemporaryPool scratch;
  for (server_rec* s : hosts) {
    ManagedCertificates answer = ask(s, scratch.get());
    if (answer.files.empty()) continue;
    answers->emplace(s, std::move(answer));
  }
  current = answers;
  apr_pool_cleanup_register(pool, nullptr, apr::hook<forget, APR_EGENERAL>, apr_pool_cleanup_null);
}

const ManagedCertificates* managed(const server_rec* s) {
  if (current == nullptr) return nullptr;
  const auto found = current->find(s);
  return found == current->end() ? nullptr : &found->second;
}

}  // namespace tls::server
