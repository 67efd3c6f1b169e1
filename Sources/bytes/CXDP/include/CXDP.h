// SPDX-License-Identifier: Apache-2.0
// C shims for what Swift cannot call, or must not call, by itself. Two laws hold in every header here:
//
//  - A function does one system act and decides nothing. It returns 0 or a count on success and -errno on failure.
//  - What a hot Swift function may call is marked CXDP_HOT. The mark is a promise to Swift's performance checker that
//    the call neither allocates nor takes a lock, so only plain system calls and vDSO reads may carry it.
//
// Every file descriptor made here is close-on-exec.
#ifndef CXDP_H
#define CXDP_H

#include "cxdp_ground.h"
#include "cxdp_hot.h"
#include "cxdp_interface.h"
#include "cxdp_lab.h"
#include "cxdp_memory.h"
#include "cxdp_message.h"
#include "cxdp_process.h"
#include "cxdp_program.h"
#include "cxdp_sandbox.h"
#include "cxdp_socket.h"

#endif
