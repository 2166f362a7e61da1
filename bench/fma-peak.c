/*
 * Billions of float32 operations a second that one core does at most: independent fused multiply-adds on registers.
 *
 *     gcc -O2 -march=native bench/fma-peak.c -o /tmp/fma-peak && /tmp/fma-peak
 */
#include <immintrin.h>
#include <stdio.h>
#include <time.h>

#ifdef __AVX512F__
typedef __m512 vector;
#define LANES 16
#define SET _mm512_set1_ps
#define FMA _mm512_fmadd_ps
#else
typedef __m256 vector;
#define LANES 8
#define SET _mm256_set1_ps
#define FMA _mm256_fmadd_ps
#endif
#define CHAINS 12
#define TURNS 100000000L

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

int main(void) {
  double best = 0;
  for (int round = 0; round < 5; round++) {
    vector chains[CHAINS], factor = SET(0.999999f), term = SET(1e-6f);
    for (int i = 0; i < CHAINS; i++) chains[i] = SET(i);
    double start = seconds();
    for (long turn = 0; turn < TURNS; turn++)
#pragma GCC unroll 12
      for (int i = 0; i < CHAINS; i++) chains[i] = FMA(chains[i], factor, term);
    double rate = 2.0 * LANES * CHAINS * TURNS / (seconds() - start) / 1e9;
    for (int i = 1; i < CHAINS; i++) chains[0] = FMA(chains[i], factor, chains[0]);
    volatile vector sink = chains[0];
    (void)sink;
    if (rate > best) best = rate;
  }
  printf("%.1f GFLOP/s\n", best);
  return 0;
}
