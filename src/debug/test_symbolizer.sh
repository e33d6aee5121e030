#!/bin/sh
# Stands for `burrow symbolize` in memory_test.cc: the same place for each address.
while read -r kind _; do
  if [ "$kind" = A ]; then
    printf 'F a_function_with_a_long_name\t/a/folder/and/a/file.cc\t7\t_Z27a_function_with_a_long_namev\t5\n.\n'
  fi
done
