#include "conn/near.hpp"

#include <apr_portable.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>

namespace tls::conn {
namespace {

constexpr unsigned kNear = 1000;  // microseconds of round trip
constexpr int kPatience = 2;      // milliseconds, the client's calculations included

constinit std::atomic<int> waiting{0};
int room = 0;

// The kernel has measured the round trip when the connection was opened.
bool is_near(int fd) noexcept {
  tcp_info info{};
  socklen_t size = sizeof(info);
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_rtt > 0 && info.tcpi_rtt < kNear;
}

bool wait_for_bytes(int fd) noexcept {
  pollfd socket{fd, POLLIN, 0};
  return poll(&socket, 1, kPatience) == 1;
}

}  // namespace

bool answers_at_once(conn_rec* c) noexcept {
  apr_os_sock_t fd = -1;
  if (apr_os_sock_get(&fd, ap_get_conn_socket(c)) != APR_SUCCESS || fd < 0 || !is_near(fd)) return false;
  const bool may_wait = waiting.fetch_add(1, std::memory_order_relaxed) < room;
  const bool answered = may_wait && wait_for_bytes(fd);
  waiting.fetch_sub(1, std::memory_order_relaxed);
  return answered;
}

void init_near(int threads) noexcept { room = threads / 4; }

}  // namespace tls::conn
