#!/bin/sh
# Gets the clients and applications that the integration tests run against a cluster: those in Python into
# .venv-clients, those for Node.js into tests/integration/node/node_modules. Where there is no Node.js 20 with
# npm, it comes from PyPI. Does nothing when that was done before. Fails with what could not be had.
set -eu
cd "$(dirname "$0")/.."

VENV=.venv-clients sh scripts/venv.sh clients

PATH="$PATH:$PWD/.venv-clients/bin"
has_node() {
    command -v npm >/dev/null && node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' 2>/dev/null
}
if ! has_node; then
    PATH="$PWD/.venv-clients/bin:$PATH"
    VENV=.venv-clients sh scripts/venv.sh node
    if ! has_node; then
        echo "There is no Node.js 20 or newer with npm, nor could it be had from PyPI." >&2
        exit 1
    fi
fi

cd tests/integration/node
wanted="$(cat package-lock.json | cksum) $(node --version)"
if [ "$(cat node_modules/.installed 2>/dev/null || true)" != "$wanted" ]; then
    echo "Installing the clients for Node.js into tests/integration/node/node_modules" >&2
    npm ci --silent --no-audit --no-fund --ignore-scripts >&2
    echo "$wanted" > node_modules/.installed
fi
