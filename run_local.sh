#!/usr/bin/env bash
# Rekindle on one machine that has nothing but Python 3.10 or later (3.11 to 3.13 are best).
#
#   ./run_local.sh                                   the demonstration: an embedded S3, sample logs, a backfill, a search, SQL
#   ./run_local.sh backfill --bucket my-bucket --pattern 'logs/**' --hot-tier my-tier   any rekindle command
#   ./run_local.sh serve --hot-tier my-tier          the service
#
# The first run makes `.venv` beside this script and installs there; later runs begin at once. See scripts/install.sh for what it minds.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
"$here/scripts/install.sh" demo,service
venv="${REKINDLE_VENV:-$here/.venv}"

if (($#)); then
    exec "$venv/bin/rekindle" "$@"
fi
# `demo` is not installed. PYTHONSAFEPATH: it is this repository's, also where the current folder has something of that name.
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
PYTHONSAFEPATH=1 REKINDLE_COMMAND="$0" exec "$venv/bin/python" -m demo
