#include "apr/guarded.hpp"

#include "report/log.hpp"

namespace tls::apr {

void log_exception(const char* what) noexcept { TLS_LOG_S(ap_server_conf, InternalError, what); }

}  // namespace tls::apr
