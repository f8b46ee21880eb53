#!/bin/sh
# The first thing to look at: the flights of 2013, a baseline of January to March, and the checks of 21 days of May.
set -eu
python -c 'from pathlib import Path; from demo.flights import prepare; prepare(Path(".demo/flights"), log=print)'
driftmon baseline build flights
driftmon backfill flights
