#!/usr/bin/env bash
# Make the environment `.venv` and install Rekindle with the versions of constraints.txt. Usage: scripts/install.sh [EXTRA,EXTRA…]
#
# Does nothing where `.venv` already has these extras and neither setup.py, pyproject.toml nor constraints.txt has changed since. An
# environment that was not finished (Ctrl-C, no network) is begun again. Speaks on standard error only: `run_local.sh … --json` stays JSON.
#   PYTHON=…          the Python to use, instead of the first fitting one
#   VENV=…            the folder to make, instead of `.venv`: one for each Python, side by side
#   REKINDLE_VENV=…   an environment to use as it is: nothing is installed
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${VENV:-.venv}"
[[ "$venv" == /* ]] || venv="$here/$venv"
stamp="$venv/.rekindle-installed"      # "CHECKSUM EXTRA,EXTRA": written last
unfinished="$venv/.rekindle-unfinished" # there from before the first file until the stamp is written
lock="$venv.lock"
[[ -z "${REKINDLE_VENV:-}" ]] || exit 0

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

fits() { # PYTHON MINOR MINOR: is it one that runs, with a minor version in the range?
    "$1" -c "import sys; sys.exit(not (3, $2) <= sys.version_info[:2] <= (3, $3))" >/dev/null 2>&1
}

find_python() { # prints the first Python that fits and can make environments; else says on standard error what to install
    local candidates="${PYTHON:-python3 python python3.13 python3.12 python3.11 python3.10 python3.14}"
    local low_high candidate unable=""
    for low_high in "11 13" "10 14"; do
        [[ -z "${PYTHON:-}" ]] || local IFS= # a path may hold spaces
        for candidate in $candidates; do
            fits "$candidate" "${low_high% *}" "${low_high#* }" || continue
            if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
                command -v "$candidate"
                return
            fi
            unable="${unable:-$candidate}"
        done
    done
    if [[ -n "$unable" ]]; then
        local version
        version="$("$unable" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
        fail "$(command -v "$unable") is Python $version, but can't make environments: its module ensurepip is missing." \
            "On Debian and Ubuntu: sudo apt-get install python$version-venv. Then run this again."
    fi
    [[ -z "${PYTHON:-}" ]] || fail "PYTHON=$PYTHON is no Python 3.10 to 3.14 that runs."
    fail "Rekindle needs Python 3.11, 3.12 or 3.13 (3.10 and 3.14 do too), and none is on PATH: python3 is" \
        "$(python3 --version 2>/dev/null || echo missing). Install one (Debian and Ubuntu: sudo apt-get install python3 python3-venv;" \
        "macOS: brew install python@3.13), or name one that is elsewhere: PYTHON=/path/to/python3.12"
}

wanted_stamp() { # EXTRAS: the stamp that a finished environment with these has
    printf '%s %s' "$(cat "$here/setup.py" "$here/pyproject.toml" "$here/constraints.txt" | cksum | tr ' ' '-')" "$1"
}

union() { printf '%s\n' "$@" | tr ',' '\n' | sed '/^$/d' | sort -u | paste -s -d , -; }

installed_extras() { if [[ -f "$stamp" ]]; then cut -s -d ' ' -f 2 "$stamp"; fi; }

in_step() { # EXTRAS
    [[ -f "$stamp" ]] && [[ "$(cat "$stamp")" == "$(wanted_stamp "$1")" ]] && fits "$venv/bin/python" 10 14
}

take_lock() { # a second run waits here for the first, and takes over from one that was killed
    local owner
    until mkdir "$lock" 2>/dev/null; do
        owner="$(cat "$lock/pid" 2>/dev/null || true)"
        if [[ -n "$owner" ]] && ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$lock"
        else
            sleep 1
        fi
    done
    trap 'rm -rf "$lock"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    echo $$ >"$lock/pid"
}

make_venv() {
    local python
    if [[ -d "$venv" && ! -f "$stamp" && ! -f "$unfinished" ]]; then
        fail "$venv is there, but was not made by this script: move it away, or use it as it is with REKINDLE_VENV=$venv"
    fi
    python="$(find_python)" || exit 1
    rm -rf "$venv"
    mkdir "$venv"
    : >"$unfinished"
    say "Making ${venv#"$here/"} with $("$python" --version) ($python)"
    "$python" -m venv "$venv" >&2 || fail "$python could not make an environment. On Debian and Ubuntu: sudo apt-get install python3-venv"
}

install() { # EXTRAS
    local log="$venv/install.log" begin=$SECONDS
    say "Installing Rekindle and the packages of constraints.txt (a minute or two the first time; details: ${venv#"$here/"}/install.log)"
    if ! (cd "$here" && "$venv/bin/python" -m pip --disable-pip-version-check install --no-input -c constraints.txt -e ".${1:+[$1]}") >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "Installing failed; its last lines are above, all of them in $log. Run this again when the cause is gone (no network?)."
    fi
    say "Installed in $((SECONDS - begin)) s"
}

main() {
    local extras
    extras="$(union "${1:-}" "$(installed_extras)")"
    if in_step "$extras"; then return; fi
    take_lock
    extras="$(union "${1:-}" "$(installed_extras)")" # another run may have installed meanwhile
    if in_step "$extras"; then return; fi
    if [[ -f "$stamp" ]] && fits "$venv/bin/python" 10 14; then
        mv "$stamp" "$unfinished" # bring it in step; interrupted, it is made anew
    else
        make_venv
    fi
    install "$extras"
    wanted_stamp "$extras" >"$unfinished"
    mv "$unfinished" "$stamp"
}

main "$@"
