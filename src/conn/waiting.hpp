// SPDX-License-Identifier: Apache-2.0
// How a handshake waits for its client without a thread, in whichever httpd runs.
#pragma once

#include "apr/httpd.hpp"

namespace tls::conn {

// What the running MPM offers. One object of ours runs in all of httpd 2.4.52 and later, so that this is asked at run
// time and never by what the headers knew.
enum class Waiting : unsigned char {
  // Only this thread can wait: worker, prefork, and event without our watch of deadlines.
  Blocks,
  // event of httpd 2.4.63 and later: process_connection returns CONN_STATE_ASYNC_WAITIO.
  WaitIo,
  // event of httpd before 2.4.63: the state of a response that is being written, with interest in reading, and a flag
  // that has the MPM run process_connection when the client has sent something (server/mpm/event/event.c,
  // process_socket, "clogging_input_filters").
  WriteCompletion,
};

// What this MPM offers. Call once in child_init, before any connection.
Waiting waiting_of_mpm();

// Hands the connection to the MPM until its client has sent something; process_connection then returns OK.
void wait_in_mpm(conn_rec* c, Waiting how);

// Takes it back, before process_connection goes on with a handshake that waited.
void resume_from_mpm(conn_rec* c, Waiting how);

}  // namespace tls::conn
