// SPDX-License-Identifier: Apache-2.0
// What rules over settings see, and what they find.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/policy/effective.hpp"
#include "config/settings.hpp"

namespace tls::config {

enum class Severity : std::uint8_t { Error, Warning, Notice };

// What is wrong, where it was written, for which virtual host, and what to do (the end of `text`).
struct PolicyProblem {
  Severity severity = Severity::Error;
  Source where;
  std::string host;
  std::string text;
};

// One server or virtual host as the rules see it.
struct CheckedHost {
  std::string name;  // "www.example.com:443"
  Source defined;    // its <VirtualHost>, or nothing
  bool is_virtual = false;
  const EffectivePolicy* policy = nullptr;
  const ServerSettings* settings = nullptr;  // merged with the global scope, without defaults
  std::vector<Listener> addresses;
  const char* tls_directive = nullptr;  // the first TLS* word that stands in this very virtual host
  Source tls_written;
  const char* ssl_directive = nullptr;  // and the first SSL* word
  Source ssl_written;
  std::string server_name{};
  std::vector<std::string> aliases{};  // of ServerAlias; patterns too
  bool sections_ask = false;           // some section asks for client certificates
  // Where it is written that requests tell of the client's certificate; what is inherited as well.
  std::vector<Source> tells{};
  // Where it is written that the client's certificate names the user (SSLUserName, FakeBasicAuth); inherited as well.
  std::vector<Source> names_users{};
};

}  // namespace tls::config
