#include "report/failures.hpp"

#include <apr_thread_mutex.h>
#include <apr_time.h>

#include <array>
#include <functional>

namespace tls::report {
namespace {

// One slot per kind; kinds that share a slot displace each other, which at worst makes a line loud too often.
struct Slot {
  std::size_t kind = 0;
  apr_time_t loud_at = 0;
  std::uint32_t repeated = 0;
};

constexpr std::size_t kSlots = 256;
constexpr apr_interval_time_t kQuiet = 60 * APR_USEC_PER_SEC;

std::array<Slot, kSlots> slots;
apr_thread_mutex_t* mutex = nullptr;

Verdict count(std::size_t kind, apr_time_t now) noexcept {
  Slot& slot = slots[kind % kSlots];
  if (slot.kind == kind && now - slot.loud_at < kQuiet) {
    ++slot.repeated;
    return {false, 0};
  }
  const std::uint32_t repeated = slot.kind == kind ? slot.repeated : 0;
  slot = {kind, now, 0};
  return {true, repeated};
}

}  // namespace

Verdict count_failure(std::string_view cause, const void* host) noexcept {
  if (mutex == nullptr) return {};
  const std::size_t kind = std::hash<std::string_view>()(cause) * 31U + std::hash<const void*>()(host);
  apr_thread_mutex_lock(mutex);
  const Verdict verdict = count(kind, apr_time_now());
  apr_thread_mutex_unlock(mutex);
  return verdict;
}

void init_failures(apr_pool_t* child_pool) noexcept {
  slots.fill({});
  if (apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, child_pool) != APR_SUCCESS) mutex = nullptr;
}

}  // namespace tls::report
