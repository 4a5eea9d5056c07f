"""What develops Ferry and converts nothing: the benchmark, the fuzzer and the operator coverage."""
