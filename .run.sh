#!/bin/sh
# seconds [seed [path]]
MINQ_MODEL_SECONDS=${1:-5} ${2:+env MINQ_MODEL_SEED=$2} ${3:+MINQ_MODEL_PATH=$3} npx tap test/model.test.ts 2>&1 | sed -n '/Subtest: hist/,/---/p'
