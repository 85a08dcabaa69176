#include "config/effective.hpp"

namespace tls::config {

std::vector<std::uint8_t> encode_policy(const EffectivePolicy& policy) {
  std::vector<std::uint8_t> out;
  const auto put16 = [&out](std::size_t v) {
    out.push_back(static_cast<std::uint8_t>(v >> 8U));
    out.push_back(static_cast<std::uint8_t>(v));
  };
  const auto put_list = [&](const std::vector<std::uint16_t>& list) {
    put16(list.size());
    for (const auto v : list) put16(v);
  };
  const ProtocolPolicy& p = policy.protocol;
  out.push_back(static_cast<std::uint8_t>((p.tls12 ? 1 : 0) | (p.tls13 ? 2 : 0) | (p.honor_client_order ? 4 : 0)));
  put_list(p.suites);
  put_list(p.groups);
  return out;
}

}  // namespace tls::config
