/* Microseconds of one softmax over 4 elements by oneDNN 2 in a loop: what bench/overhead.ts takes off. */
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHECK(call) \
  do { if ((call) != dnnl_success) return 1; } while (0)

int main(int count, char **words) {
  long turns = count > 1 ? atol(words[1]) : 100000;
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_memory_desc_t md;
  dnnl_softmax_desc_t softmax;
  dnnl_primitive_desc_t pd;
  dnnl_primitive_t primitive;
  dnnl_memory_t source, destination;
  float a[4] = {1, 2, 3, 4}, b[4];
  dnnl_dims_t dims = {1, 4};
  CHECK(dnnl_engine_create(&engine, dnnl_cpu, 0));
  CHECK(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
  CHECK(dnnl_memory_desc_init_by_tag(&md, 2, dims, dnnl_f32, dnnl_ab));
  CHECK(dnnl_softmax_forward_desc_init(&softmax, dnnl_forward_inference, &md, 1));
  CHECK(dnnl_primitive_desc_create(&pd, &softmax, NULL, engine, NULL));
  CHECK(dnnl_primitive_create(&primitive, pd));
  CHECK(dnnl_memory_create(&source, &md, engine, a));
  CHECK(dnnl_memory_create(&destination, &md, engine, b));
  dnnl_exec_arg_t args[2] = {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, destination}};
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (long i = 0; i < turns; i++) CHECK(dnnl_primitive_execute(primitive, stream, 2, args));
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.6f\n", ((end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) * 1e-9) * 1e6 / turns);
  return 0;
}
