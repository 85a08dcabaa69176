//! ClientHello, as far as the choice of a virtual host and log lines need it.
