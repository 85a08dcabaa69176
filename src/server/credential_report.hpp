// SPDX-License-Identifier: Apache-2.0
// What reports say of the certificates of virtual hosts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

struct server_rec;

namespace tls::server {

// What a report says of one certificate.
struct CertificateReport {
  std::string key;  // kind and size
  std::string subject;
  std::string names;
  std::string not_after;
  std::int64_t days_left = 0;
  std::size_t chain_length = 0;
};

// Calls `print` for each virtual host with TLS, in a process of its own that reads the files; for `httpd -t`.
using PrintCredentials = std::function<void(const server_rec*, const std::vector<CertificateReport>&)>;
void report_credentials(server_rec* main, const PrintCredentials& print);

// What is wrong, or not as it was meant, with a file that the configuration names: certificates, keys, CAs, lists.
struct FileProblem {
  std::string place;  // "file:line"
  bool is_fatal = false;
  std::string text;
};

// Calls `print` for each, in a process of its own that reads the files; for `httpd -t`.
using PrintProblem = std::function<void(const FileProblem&)>;
void report_problems(server_rec* main, const PrintProblem& print);

}  // namespace tls::server
