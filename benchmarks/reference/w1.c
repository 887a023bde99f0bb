/* Places W1, and does nothing else: no metrics, no options, no other trace. The replay engine is measured against it.
 *
 *     cc -O2 -march=native -o w1 w1.c
 *     ./w1 first-fit|best-fit HOSTS REQUESTS.bin
 *
 * REQUESTS.bin is an array of `struct request`, in the order of arrival. At an arrival whatever leaves at that millisecond or
 * before leaves first, by time and then by number; a request that no host can hold is dropped. Prints one line of JSON:
 * placed, rejected, the check value sum (host + 1) * (request + 1) mod 2^64, and CPU seconds from the empty hosts to the
 * last request (reading the file not included).
 *
 * First fit keeps, for every flavour, the set of hosts that can hold one. Best fit (fewest free vCPUs, ties to the lowest
 * host) keeps hosts in rows by free vCPUs and in each row in cells by free memory, each cell a set. A set of hosts is a tree
 * of bits with 64 branches, so that its lowest member is four words away. Departures are in a binary heap.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HOST_VCPUS = 64,
    HOST_GIB = 256,
    MOST_FLAVOURS = 64,
    MOST_HOSTS = 1 << 24,
    ROW_WORDS = HOST_GIB / 64 + 1,
};

struct request {
    int64_t arrival_ms;
    int64_t lifetime_ms;
    int32_t vcpus;
    int32_t gib;
};

static void fail(const char *what)
{
    fprintf(stderr, "w1: %s\n", what);
    exit(1);
}

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static inline uint64_t bit(int number)
{
    return UINT64_C(1) << (number & 63);
}

static inline int lowest_bit(uint64_t word)
{
    return __builtin_ctzll(word);
}

/* A set of hosts. A bit of `low` is a host; a bit of each level above is a word, not 0, of the one below. */

struct host_set {
    uint64_t *low, *mid, *high;
    uint64_t top;
};

static struct host_set empty_set(int hosts)
{
    size_t words = (size_t)(hosts + 63) / 64, pages = (words + 63) / 64;
    struct host_set set = {
        zeroed(words, sizeof(uint64_t)),
        zeroed(pages, sizeof(uint64_t)),
        zeroed((pages + 63) / 64, sizeof(uint64_t)),
        0,
    };
    return set;
}

static inline void add(struct host_set *set, int host)
{
    uint64_t before = set->low[host >> 6];
    set->low[host >> 6] = before | bit(host);
    if (before == 0) {
        set->mid[host >> 12] |= bit(host >> 6);
        set->high[host >> 18] |= bit(host >> 12);
        set->top |= bit(host >> 18);
    }
}

static inline void discard(struct host_set *set, int host)
{
    if (set->low[host >> 6] &= ~bit(host))
        return;
    if (set->mid[host >> 12] &= ~bit(host >> 6))
        return;
    if (set->high[host >> 18] &= ~bit(host >> 12))
        return;
    set->top &= ~bit(host >> 18);
}

/* -1 for an empty set. */
static inline int lowest(const struct host_set *set)
{
    if (set->top == 0)
        return -1;
    int at = lowest_bit(set->top);
    at = at << 6 | lowest_bit(set->high[at]);
    at = at << 6 | lowest_bit(set->mid[at]);
    return at << 6 | lowest_bit(set->low[at]);
}

/* What hosts have left, and the flavours that are asked for. */

struct room {
    int16_t vcpus, gib;
};

static int hosts;
static struct room *room;
static int flavours;
static struct room need[MOST_FLAVOURS];

static int flavour_of(const struct request *request)
{
    for (int f = 0; f < flavours; f++)
        if (need[f].vcpus == request->vcpus && need[f].gib == request->gib)
            return f;
    if (flavours == MOST_FLAVOURS)
        fail("more than 64 flavours");
    if (request->vcpus < 1 || request->vcpus > HOST_VCPUS || request->gib < 1 || request->gib > HOST_GIB)
        fail("a request that no empty host can hold");
    need[flavours] = (struct room){(int16_t)request->vcpus, (int16_t)request->gib};
    return flavours++;
}

/* First fit. */

static struct host_set fitting[MOST_FLAVOURS];
/* Which flavours fit into that many vCPUs, and into that much memory: a bit for each. */
static uint64_t fit_vcpus[HOST_VCPUS + 1], fit_gib[HOST_GIB + 1];

static void first_fit_begin(void)
{
    for (int f = 0; f < flavours; f++) {
        for (int vcpus = need[f].vcpus; vcpus <= HOST_VCPUS; vcpus++)
            fit_vcpus[vcpus] |= bit(f);
        for (int gib = need[f].gib; gib <= HOST_GIB; gib++)
            fit_gib[gib] |= bit(f);
        fitting[f] = empty_set(hosts);
        for (int host = 0; host < hosts; host++)
            add(&fitting[f], host);
    }
}

static inline int first_fit_find(int f)
{
    return lowest(&fitting[f]);
}

static inline void first_fit_changed(int host, struct room before, struct room after)
{
    uint64_t fits = fit_vcpus[after.vcpus] & fit_gib[after.gib];
    uint64_t changed = (fit_vcpus[before.vcpus] & fit_gib[before.gib]) ^ fits;
    for (; changed; changed &= changed - 1) {
        int f = lowest_bit(changed);
        if (fits & bit(f))
            add(&fitting[f], host);
        else
            discard(&fitting[f], host);
    }
}

/* Best fit. */

struct row {
    uint64_t occupied[ROW_WORDS]; /* a bit for each cell that has hosts */
    struct host_set cell[HOST_GIB + 1];
};

static struct row *rows;

static void join(int host, struct room where)
{
    struct row *row = &rows[where.vcpus];
    struct host_set *cell = &row->cell[where.gib];
    if (cell->low == NULL)
        *cell = empty_set(hosts);
    add(cell, host);
    row->occupied[where.gib >> 6] |= bit(where.gib);
}

static void leave(int host, struct room where)
{
    struct row *row = &rows[where.vcpus];
    struct host_set *cell = &row->cell[where.gib];
    discard(cell, host);
    if (cell->top == 0)
        row->occupied[where.gib >> 6] &= ~bit(where.gib);
}

static void best_fit_begin(void)
{
    rows = zeroed(HOST_VCPUS + 1, sizeof *rows);
    for (int host = 0; host < hosts; host++)
        join(host, room[host]);
}

static inline int best_fit_find(int f)
{
    int first_word = need[f].gib >> 6;
    for (int vcpus = need[f].vcpus; vcpus <= HOST_VCPUS; vcpus++) {
        const struct row *row = &rows[vcpus];
        int best = MOST_HOSTS;
        for (int word = first_word; word < ROW_WORDS; word++) {
            uint64_t cells = row->occupied[word];
            if (word == first_word)
                cells &= ~UINT64_C(0) << (need[f].gib & 63);
            for (; cells; cells &= cells - 1) {
                int host = lowest(&row->cell[word << 6 | lowest_bit(cells)]);
                best = host < best ? host : best;
            }
        }
        if (best < MOST_HOSTS)
            return best;
    }
    return -1;
}

static inline void best_fit_changed(int host, struct room before, struct room after)
{
    leave(host, before);
    join(host, after);
}

/* Departures: a binary heap, the earliest on top. */

struct departure {
    int64_t time_ms;
    int32_t request;
};

static struct departure *heap;
static long departures;

static inline int before(struct departure a, struct departure b)
{
    return a.time_ms < b.time_ms || (a.time_ms == b.time_ms && a.request < b.request);
}

static inline void push(struct departure new)
{
    long at = departures++;
    while (at > 0 && before(new, heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = new;
}

static inline struct departure pop(void)
{
    struct departure earliest = heap[0], last = heap[--departures];
    long at = 0;
    for (;;) {
        long child = 2 * at + 1;
        if (child >= departures)
            break;
        if (child + 1 < departures && before(heap[child + 1], heap[child]))
            child++;
        if (!before(heap[child], last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return earliest;
}

/* The run. */

struct outcome {
    long placed, rejected;
    uint64_t check;
};

static inline void change(int best_fit, int host, int f, int sign)
{
    struct room had = room[host], has = had;
    has.vcpus = (int16_t)(has.vcpus + sign * need[f].vcpus);
    has.gib = (int16_t)(has.gib + sign * need[f].gib);
    room[host] = has;
    if (best_fit)
        best_fit_changed(host, had, has);
    else
        first_fit_changed(host, had, has);
}

/* Inlined for each of the two policies, so that neither asks which one it is. */
static inline __attribute__((always_inline)) struct outcome place_all(
    int best_fit, const struct request *requests, const uint8_t *flavour, int32_t *placed_on, long count)
{
    struct outcome found = {0, 0, 0};
    for (long i = 0; i < count; i++) {
        while (departures && heap[0].time_ms <= requests[i].arrival_ms) {
            int32_t gone = pop().request;
            change(best_fit, placed_on[gone], flavour[gone], 1);
        }
        int host = best_fit ? best_fit_find(flavour[i]) : first_fit_find(flavour[i]);
        if (host < 0) {
            found.rejected++;
            continue;
        }
        placed_on[i] = host;
        change(best_fit, host, flavour[i], -1);
        push((struct departure){requests[i].arrival_ms + requests[i].lifetime_ms, (int32_t)i});
        found.placed++;
        found.check += (uint64_t)(host + 1) * (uint64_t)(i + 1);
    }
    return found;
}

static struct request *read_requests(const char *path, long *count)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        fail("cannot read the requests");
    *count = ftell(file) / (long)sizeof(struct request);
    rewind(file);
    struct request *requests = zeroed((size_t)*count + 1, sizeof *requests);
    if (fread(requests, sizeof *requests, (size_t)*count, file) != (size_t)*count)
        fail("cannot read the requests");
    fclose(file);
    return requests;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        fail("expected first-fit|best-fit HOSTS REQUESTS.bin");
    int best_fit = strcmp(argv[1], "best-fit") == 0;
    if (!best_fit && strcmp(argv[1], "first-fit") != 0)
        fail("the policy is first-fit or best-fit");
    hosts = atoi(argv[2]);
    if (hosts < 1 || hosts >= MOST_HOSTS)
        fail("HOSTS: expected a number from 1 to 2^24 - 1");
    long count;
    struct request *requests = read_requests(argv[3], &count);
    uint8_t *flavour = zeroed((size_t)count + 1, 1);
    for (long i = 0; i < count; i++)
        flavour[i] = (uint8_t)flavour_of(&requests[i]);

    double began = cpu_seconds();
    room = zeroed((size_t)hosts, sizeof *room);
    for (int host = 0; host < hosts; host++)
        room[host] = (struct room){HOST_VCPUS, HOST_GIB};
    heap = zeroed((size_t)count + 1, sizeof *heap);
    int32_t *placed_on = zeroed((size_t)count + 1, sizeof *placed_on);
    if (best_fit)
        best_fit_begin();
    else
        first_fit_begin();
    struct outcome found = best_fit ? place_all(1, requests, flavour, placed_on, count)
                                    : place_all(0, requests, flavour, placed_on, count);
    double spent = cpu_seconds() - began;

    printf("{\"policy\": \"%s\", \"hosts\": %d, \"placed\": %ld, \"rejected\": %ld, \"check\": %" PRIu64
           ", \"cpu_seconds\": %.6f}\n",
           argv[1], hosts, found.placed, found.rejected, found.check, spent);
    return 0;
}
