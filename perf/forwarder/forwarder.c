// SPDX-License-Identifier: Apache-2.0
// bulkhead-perf-forwarder [--judge | --judge-unverified] OBJECT PORT PORT: what AF_XDP costs by itself. Both directions between two ports,
// one thread, no byte of a frame read, nothing counted but frames. Everything else is as Bulkhead has it by default, so that what differs
// is what a firewall costs: the same redirect program (OBJECT is bpf/redirect.bpf.c, compiled), one UMEM of 16,384 frames of 2 KiB in a
// memory file, rings of 4,096, copy mode, bursts of 64, a call for each 32 frames to send, and a sleep of 100 ms at most after 200 empty
// turns.
//
// With --judge each frame goes the way of the reference pipeline (perf/reference) between both rings: recognised, its transport's checksum
// verified (not with --judge-unverified), looked up, held against its flow's state, counted. That is what a firewall costs in C.
//
// Prints `ready`, runs until SIGTERM or SIGINT, and then prints what it forwarded as JSON.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge.h"
#include "rings.h"

enum { FRAME = 2048, FRAMES = 16384, RING = 4096, BURST = 64, SPINS = 200, SLEEP = 100, CLOSED = 1 };

struct port {
    uint32_t ifindex;
    int socket;
    struct ring receive, transmit, fill, completion;
    uint64_t forwarded, lost;
};

static struct port ports[2];
static uint64_t spare[FRAMES];
static uint32_t spares;
static volatile sig_atomic_t is_over;
static struct reference *judge;

static void end(int number) {
    (void)number;
    is_over = 1;
}

static int must(int result, const char *doing) {
    if (result >= 0) return result;
    fprintf(stderr, "bulkhead-perf-forwarder: %s: %s\n", doing, strerror(-result));
    exit(1);
}

/// Sent frames come back, and the kernel gets as many free ones as it takes.
static inline void recycle(struct port *port) {
    uint32_t count = ring_filled(&port->completion, RING);
    if (count > 0) {
        for (uint32_t i = 0; i < count; i++) spare[spares++] = *ring_address(&port->completion);
        ring_release(&port->completion);
    }
    count = ring_free(&port->fill, RING);
    if (count > spares) count = spares;
    if (count > 0) {
        for (uint32_t i = 0; i < count; i++) *ring_address(&port->fill) = spare[--spares] & ~(uint64_t)(FRAME - 1);
        ring_submit(&port->fill);
    }
}

static inline uint32_t forward(struct port *from, struct port *to) {
    uint32_t const count = ring_filled(&from->receive, BURST);
    if (count == 0) return 0;
    uint32_t const room = ring_free(&to->transmit, count);
    for (uint32_t i = 0; i < room; i++) {
        struct descriptor const *in = ring_descriptor(&from->receive);
        *ring_descriptor(&to->transmit) = (struct descriptor){in->address, in->length, 0};
    }
    for (uint32_t i = room; i < count; i++) spare[spares++] = ring_descriptor(&from->receive)->address;
    ring_release(&from->receive);
    ring_submit(&to->transmit);
    from->forwarded += room;
    from->lost += count - room;
    return count;
}

/// Lets the kernel send: in copy mode a call sends 32 frames at most, so it is repeated as long as that helps.
static inline void kick(struct port *port) {
    if (!(__atomic_load_n(port->transmit.shared.flags, __ATOMIC_RELAXED) & CXDP_RING_NEED_WAKEUP)) return;
    uint32_t pending = ring_pending(&port->transmit);
    for (int tries = 0; pending > 0 && tries < 64; tries++) {
        int const result = cxdp_xsk_kick(port->socket);
        uint32_t const left = ring_pending(&port->transmit);
        if (result == -ENETDOWN || result == -ENXIO || left == pending) return;
        pending = left;
    }
}

/// One turn over both ports: how many frames it handled.
static inline uint32_t turn(void) {
    if (judge) return reference_turn(judge, cxdp_wall_seconds(), (uint32_t)(cxdp_monotonic_ns() >> 20));
    uint32_t handled = 0;
    for (int i = 0; i < 2; i++) {
        recycle(&ports[i]);
        handled += forward(&ports[i], &ports[1 - i]);
    }
    return handled;
}

static void run(void) {
    uint32_t idle = 0;
    struct pollfd waiting[2] = {{.fd = ports[0].socket, .events = POLLIN}, {.fd = ports[1].socket, .events = POLLIN}};
    while (!is_over) {
        uint32_t const handled = turn();
        kick(&ports[0]);
        kick(&ports[1]);
        idle = handled ? 0 : idle + 1;
        if (idle > SPINS) {
            cxdp_poll(waiting, 2, SLEEP);
            idle = 0;
        } else if (idle > 0) {
            cxdp_pause();
        }
    }
}

static void *load_file(const char *path, size_t *length) {
    struct stat facts;
    int const fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd < 0 || fstat(fd, &facts) < 0 ? -errno : 0, path);
    void *bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    must(bytes == MAP_FAILED ? -errno : 0, path);
    *length = (size_t)facts.st_size;
    close(fd);
    return bytes;
}

static void open_sockets(void *umem) {
    for (int i = 0; i < 2; i++) {
        struct port *port = &ports[i];
        struct cxdp_rings rings;
        port->socket = must(cxdp_xsk_open(), "opening a socket");
        must(cxdp_xsk_set_rings(port->socket, RING, RING, RING, RING), "making rings");
        if (i == 0) must(cxdp_xsk_register_umem(port->socket, umem, (uint64_t)FRAME * FRAMES, FRAME, 0), "registering the UMEM");
        uint32_t const flags = i == 0 ? CXDP_BIND_COPY | CXDP_BIND_NEED_WAKEUP : CXDP_BIND_SHARED_UMEM;
        int bound = -EBUSY;
        // The queue's former owner may still be on its way out.
        for (int tries = 0; tries < 4000 && bound == -EBUSY; tries++) {
            bound = cxdp_xsk_bind(port->socket, port->ifindex, 0, flags, i == 0 ? -1 : ports[0].socket);
            if (bound == -EBUSY) usleep(500);
        }
        must(bound, "binding a socket");
        must(cxdp_xsk_map_rings(port->socket, RING, RING, RING, RING, &rings), "mapping rings");
        port->receive = ring_over(rings.receive);
        port->transmit = ring_over(rings.transmit);
        port->fill = ring_over(rings.fill);
        port->completion = ring_over(rings.completion);
    }
}

static void attach(const char *object) {
    size_t length;
    void *bytes = load_file(object, &length);
    static char log[16384];
    uint32_t *words;
    int const mode = must(cxdp_create_mode_map(), "making the mode word");
    must(cxdp_map_mode_for_writing(mode, &words), "mapping the mode word");
    cxdp_write_mode(words, CLOSED, 0);
    for (int i = 0; i < 2; i++) {
        struct cxdp_redirect loaded;
        int const error = cxdp_redirect_load(bytes, length, -1, -1, mode, &loaded, log, sizeof log);
        must(error, error ? log : "");
        must(cxdp_link_create(loaded.program, ports[i].ifindex, CXDP_ATTACH_NATIVE), "attaching the redirect program");
        must(cxdp_map_set(loaded.sockets, 0, (uint32_t)ports[i].socket), "inserting a socket");
    }
}

/// Gives the reference the rings, the packet memory and all its frames.
static void begin_to_judge(void *umem, bool verifies) {
    struct reference_parts parts = {.frames = umem, .frames_size = (uint64_t)FRAME * FRAMES, .frame_size = FRAME};
    for (int i = 0; i < 2; i++) {
        struct port const *port = &ports[i];
        parts.ports[i] = (struct reference_port){
            ring_of(port->fill), ring_of(port->receive), ring_of(port->transmit), ring_of(port->completion), .ring_size = RING};
    }
    parts.verifies_checksums = verifies;
    judge = judging(&parts, FRAMES);
    must(judge ? 0 : -ENOMEM, "making flow tables");
}

static void tell(void) {
    uint64_t forwarded = ports[0].forwarded + ports[1].forwarded, lost = ports[0].lost + ports[1].lost;
    if (judge) {
        forwarded = reference_forwarded(judge);
        lost = reference_dropped(judge);
    }
    printf("{\"forwarded\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"cpu_ns\": %" PRIu64 "}\n", forwarded, lost, cxdp_thread_cpu_ns());
}

int main(int count, char **words) {
    bool const verifies = count == 5 && !strcmp(words[1], "--judge");
    bool const judges = verifies || (count == 5 && !strcmp(words[1], "--judge-unverified"));
    if (count != 4 && !judges) {
        fprintf(stderr, "usage: bulkhead-perf-forwarder [--judge | --judge-unverified] OBJECT PORT PORT\n");
        return 2;
    }
    char **places = words + count - 3;
    for (int i = 0; i < 2; i++) {
        ports[i].ifindex = if_nametoindex(places[1 + i]);
        must(ports[i].ifindex ? 0 : -errno, places[1 + i]);
    }
    struct sigaction const ending = {.sa_handler = end};
    sigaction(SIGTERM, &ending, NULL);
    sigaction(SIGINT, &ending, NULL);
    must(cxdp_raise_memlock(), "lifting the limit on locked memory");
    int const file = must(cxdp_memfd_create("umem", (uint64_t)FRAME * FRAMES, false), "making the UMEM");
    void *umem = mmap(NULL, (size_t)FRAME * FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    must(umem == MAP_FAILED ? -errno : 0, "mapping the UMEM");
    open_sockets(umem);
    if (judges) {
        begin_to_judge(umem, verifies);
        turn();
    } else {
        while (spares < FRAMES) {
            spare[spares] = (uint64_t)spares * FRAME;
            spares++;
        }
        for (int i = 0; i < 2; i++) recycle(&ports[i]);
    }
    attach(places[0]);
    printf("ready\n");
    fflush(stdout);
    run();
    tell();
    return 0;
}
