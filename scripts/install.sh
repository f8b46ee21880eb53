#!/usr/bin/env bash
# Makes $VENV and installs everything pinned in $LOCK, and driftmon itself, editable. Called by `make install`.
set -euo pipefail
: "${PYTHON:=python3}" "${VENV:=.venv}" "${LOCK:=requirements/dev.txt}"

"$PYTHON" - <<'PY' || { echo "driftmon needs Python 3.11 or newer; name one: make install PYTHON=python3.12" >&2; exit 1; }
import sys
sys.exit(sys.version_info < (3, 11))
PY

if [ ! -x "$VENV/bin/python" ] || ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
  rm -rf "$VENV"
  if ! "$PYTHON" -m venv "$VENV" >/dev/null 2>&1; then
    # Debian splits venv from Python.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      echo "installing python3-venv (python3 -m venv needs it)"
      apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
      rm -rf "$VENV" && "$PYTHON" -m venv "$VENV"
    else
      echo "python3 -m venv does not work here; install it first: sudo apt-get install python3-venv" >&2
      exit 1
    fi
  fi
fi

echo "installing the packages pinned in $LOCK into $VENV"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 VIRTUAL_ENV="$PWD/$VENV"
pip() { "$VENV/bin/python" -m pip -q "$@"; }
# uv takes seconds where pip takes minutes; where it cannot reach the index that pip is set up for, pip does it all.
if pip install --require-hashes -r requirements/uv.txt 2>/dev/null \
  && "$VENV/bin/uv" pip install -q --compile-bytecode --require-hashes -r "$LOCK"; then
  :
else
  echo "uv did not manage; installing with pip, which takes a few minutes"
  pip install --require-hashes -r "$LOCK"
fi
pip install --no-deps --no-build-isolation -e .
