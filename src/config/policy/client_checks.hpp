// SPDX-License-Identifier: Apache-2.0
// Rules about what clients' certificates are asked for.
#pragma once

#include <memory>
#include <span>

#include "config/policy/findings.hpp"

namespace tls::config {

// Knows all hosts, since lines that others inherit are not in vain where one of them goes by it.
class ClientRules {
 public:
  explicit ClientRules(std::span<const CheckedHost> hosts);
  ClientRules(const ClientRules&) = delete;
  ClientRules& operator=(const ClientRules&) = delete;
  ~ClientRules();

  void check(Findings& out, const CheckedHost& host) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tls::config
