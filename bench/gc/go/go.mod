module burrow_bench_gc

go 1.19
