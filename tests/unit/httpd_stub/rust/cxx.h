// SPDX-License-Identifier: Apache-2.0
// As much of cxx's types as the filters use, for programs without the Rust half.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace rust {

template <class T>
class Slice {
 public:
  Slice(T* data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  T* data_;
  std::size_t size_;
};

template <class T>
class Box {
 public:
  explicit Box(std::unique_ptr<T> value) : value_(std::move(value)) {}
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace rust
