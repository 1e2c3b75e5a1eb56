#!/usr/bin/env bash
# scipy.signal.lfilter: a filter without recursion is many times slower than the same filter with a recursion of zero.
#
# Versions: scipy 1.16.3, numpy 2.3.5, CPython 3.11.
# Expected: a finite impulse response, lfilter(b, [1.0], x, axis=0, zi=...), costs no more than a recursive filter of the
#   same order; filtering a stream frame by frame (one row of 52 facial weights, 30 times a second) takes microseconds.
# Seen: with a denominator of length 1 SciPy leaves its compiled loop and convolves column by column in Python. One row of
#   52 columns took 119 µs, with the denominator [1.0, 0.0] 13 µs: the outputs and the final states are equal
#   to the last bit that matters. So give FIR filters of a stream a trailing zero.
# Fails when: the outputs differ, or the plain form is less than three times as slow as the padded one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scipy==1.16.3 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import timeit

import numpy as np
from scipy.signal import lfilter

difference = np.array([30.0, -30.0])
row = np.random.default_rng(0).random((1, 52))
state = np.zeros((1, 52))
plain = lambda: lfilter(difference, np.array([1.0]), row, axis=0, zi=state)
padded = lambda: lfilter(difference, np.array([1.0, 0.0]), row, axis=0, zi=state)
for one, other in zip(plain(), padded(), strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-12)
times = [min(timeit.repeat(call, number=200, repeat=7)) / 200 for call in (plain, padded)]
print(f"denominator [1.0]: {times[0] * 1e6:.0f} us, [1.0, 0.0]: {times[1] * 1e6:.0f} us, ratio {times[0] / times[1]:.1f}")
raise SystemExit(0 if times[0] > 3.0 * times[1] else "the plain form is no longer slow")
PYTHON
