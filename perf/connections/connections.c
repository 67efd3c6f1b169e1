// SPDX-License-Identifier: Apache-2.0
// Opens TCP connections as fast as they can be opened, each with a whole handshake, and none that carries anything.
//
//     connections serve ADDRESS PORT              accepts and closes until SIGTERM; prints `listening`
//     connections open ADDRESS PORT SECONDS N     keeps N attempts under way; prints {"opened", "failed", "seconds", "p50_us", "p99_us"}
//
// A connection counts when connect() is done: SYN, SYN+ACK and ACK have passed. It is then reset by whoever opened it, so that neither side
// waits in TIME_WAIT and ports do not run out. An attempt that is not answered within a second counts as failed.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, EVENTS = 256, PLACES = 1 << 20 };

static volatile sig_atomic_t is_over;
static uint64_t begun[MOST];   // when the attempt on this descriptor began, in ns; 0: none
static uint32_t times[PLACES]; // attempts that took so many microseconds

static void end(int number) {
    (void)number;
    is_over = 1;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static void fail(const char *doing) {
    fprintf(stderr, "connections: %s: %s\n", doing, strerror(errno));
    exit(1);
}

static int serve(const struct sockaddr_in *place) {
    int const listener = socket(AF_INET, SOCK_STREAM, 0);
    int const on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (const struct sockaddr *)place, sizeof *place) < 0) fail("bind");
    if (listen(listener, 4096) < 0) fail("listen");
    printf("listening\n");
    fflush(stdout);
    while (!is_over) {
        int const one = accept(listener, NULL, NULL);
        if (one >= 0) close(one);
    }
    return 0;
}

/// Begins an attempt; -1 when the machine has no room for one now.
static int attempt(int poller, const struct sockaddr_in *place) {
    int const one = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (one < 0) return -1;
    // Closing it sends a reset.
    struct linger const reset = {.l_onoff = 1, .l_linger = 0};
    setsockopt(one, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    struct epoll_event event = {.events = EPOLLOUT, .data.fd = one};
    if (one >= MOST || (connect(one, (const struct sockaddr *)place, sizeof *place) < 0 && errno != EINPROGRESS)) {
        close(one);
        return -1;
    }
    begun[one] = now();
    epoll_ctl(poller, EPOLL_CTL_ADD, one, &event);
    return 0;
}

/// The time in microseconds that a share of the attempts did not exceed.
static uint32_t percentile(uint64_t opened, double share) {
    uint64_t seen = 0;
    for (uint32_t place = 0; place < PLACES; place++) {
        seen += times[place];
        if (seen > 0 && (double)seen >= share * (double)opened) return place;
    }
    return 0;
}

/// Ends attempts that nobody answered; how many.
static uint64_t give_up(uint64_t before) {
    uint64_t count = 0;
    for (int one = 0; one < MOST; one++) {
        if (begun[one] == 0 || begun[one] > before) continue;
        begun[one] = 0;
        close(one);
        count++;
    }
    return count;
}

static int open_many(const struct sockaddr_in *place, double seconds, uint64_t most) {
    int const poller = epoll_create1(0);
    uint64_t const start = now(), last = start + (uint64_t)(seconds * 1e9);
    uint64_t opened = 0, failed = 0, under_way = 0, looked = start, time = start;
    struct epoll_event events[EVENTS];
    while (!is_over && time < last) {
        while (under_way < most && attempt(poller, place) == 0) under_way++;
        int const count = epoll_wait(poller, events, EVENTS, 10);
        time = now();
        for (int i = 0; i < count; i++) {
            int const one = events[i].data.fd;
            int error = 0;
            socklen_t length = sizeof error;
            getsockopt(one, SOL_SOCKET, SO_ERROR, &error, &length);
            uint64_t const took = (time - begun[one]) / 1000;
            if (error) {
                failed++;
            } else {
                opened++;
                times[took < PLACES ? took : PLACES - 1]++;
            }
            begun[one] = 0;
            close(one);
            under_way--;
        }
        if (time - looked > 100000000) {
            uint64_t const given_up = give_up(time - 1000000000);
            failed += given_up;
            under_way -= given_up;
            looked = time;
        }
    }
    printf(
        "{\"opened\": %llu, \"failed\": %llu, \"seconds\": %.3f, \"p50_us\": %u, \"p99_us\": %u}\n", (unsigned long long)opened,
        (unsigned long long)failed, (double)(time - start) / 1e9, percentile(opened, 0.5), percentile(opened, 0.99));
    return 0;
}

int main(int count, char **words) {
    struct sockaddr_in place = {.sin_family = AF_INET};
    if (count < 4 || inet_pton(AF_INET, words[2], &place.sin_addr) != 1) {
        fprintf(stderr, "usage: connections serve ADDRESS PORT | open ADDRESS PORT SECONDS N\n");
        return 2;
    }
    place.sin_port = htons((uint16_t)atoi(words[3]));
    struct sigaction const ending = {.sa_handler = end};
    sigaction(SIGTERM, &ending, NULL);
    sigaction(SIGINT, &ending, NULL);
    if (strcmp(words[1], "serve") == 0) return serve(&place);
    if (strcmp(words[1], "open") == 0 && count == 6) return open_many(&place, atof(words[4]), strtoull(words[5], NULL, 10));
    fprintf(stderr, "usage: connections serve ADDRESS PORT | open ADDRESS PORT SECONDS N\n");
    return 2;
}
