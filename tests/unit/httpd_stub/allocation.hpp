// SPDX-License-Identifier: Apache-2.0
// Memory of C++ that runs out when a test says so. One thread.
#pragma once

namespace httpd_stub {

// The `number`th allocation by `new` from now on fails, and none after it.
void fail_allocation(unsigned number);

// Ends that; whether one has failed since.
bool allocation_failed();

}  // namespace httpd_stub
