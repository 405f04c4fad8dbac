#!/bin/sh
# Makes .venv, or the place that $VENV names, with this package (editable) and the dependency groups given as
# arguments.
# Does nothing when that was done before for the same pyproject.toml in the same place.
set -eu
cd "$(dirname "$0")/.."

venv="${VENV:-.venv}"
stamp="$venv/.installed${*:+-}$(echo "$*" | tr ' ' '-')"
wanted="$(cat pyproject.toml scripts/venv.sh | cksum) $PWD"
if [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

recent='import sys; sys.exit(sys.version_info < (3, 11))'
if ! "$venv/bin/python" -c "$recent" 2>/dev/null; then
    for python in python3 python3.14 python3.13 python3.12 python3.11 none; do
        if [ "$python" = none ]; then
            echo "Python 3.11 or newer is needed, and is not on PATH." >&2
            exit 2
        fi
        if "$python" -c "$recent" 2>/dev/null; then break; fi
    done
    echo "Making $venv with $python" >&2
    if ! "$python" -m venv --clear "$venv"; then
        echo "'$python -m venv' failed; on Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 2
    fi
fi

echo "Installing trio-dynomite and what it needs into $venv" >&2
for group in "$@"; do
    set -- "$@" --group "$group"
    shift
done
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1' >&2
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable . "$@" >&2
echo "$wanted" > "$stamp"
