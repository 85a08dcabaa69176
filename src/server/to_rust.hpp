// Lists as the bridge takes them.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "rust/cxx.h"

namespace tls::server {

template <class T>
rust::Vec<T> to_rust(const std::vector<T>& list) {
  rust::Vec<T> out;
  out.reserve(list.size());
  std::copy(list.begin(), list.end(), std::back_inserter(out));
  return out;
}

inline rust::Vec<rust::String> to_rust(const std::vector<std::string>& list) {
  rust::Vec<rust::String> out;
  out.reserve(list.size());
  for (const std::string& text : list) out.push_back(text);
  return out;
}

}  // namespace tls::server
