# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What ./start and ./check share: system packages, the virtual environment, the build.
# Sourced with `root` set to the checkout.

say() { printf '== %s\n' "$*"; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Print the first interpreter that is new enough.
find_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# missing KIND: one line for each thing that is needed and not there: "command or file".
missing() {
    local python tool
    if python=$(find_python); then
        "$python" -c 'import venv, ensurepip' 2>/dev/null || echo venv
        "$python" -c 'import os, sys, sysconfig
path = os.path.join(sysconfig.get_paths()["include"], "Python.h")
sys.exit(not os.path.exists(path))' || echo Python.h
    else
        echo python3.11
    fi
    for tool in gcc ip ping "$@"; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || echo "$tool"
    done
    if [ ! -e /usr/include/linux/openvswitch.h ]; then echo linux/openvswitch.h; fi
}

# The package of the running distribution that brings one of those.
package_of() {
    local family=$1
    case $family:$2 in
    apt:venv) echo python3-venv ;;
    apt:Python.h) echo python3-dev ;;
    apt:python3.11) echo python3 python3-venv python3-dev ;;
    apt:gcc) echo gcc libc6-dev ;;
    apt:ip | apt:tc) echo iproute2 ;;
    apt:ping) echo iputils-ping ;;
    apt:linux/openvswitch.h) echo linux-libc-dev ;;
    dnf:venv) echo python3.11 python3.11-pip ;;
    dnf:python3.11) echo python3.11 python3.11-pip python3.11-devel ;;
    dnf:Python.h) echo python3.11-devel ;;
    dnf:ip) echo iproute ;;
    dnf:tc) echo iproute-tc ;;
    dnf:ping) echo iputils ;;
    dnf:linux/openvswitch.h) echo kernel-headers ;;
    *) echo "$2" ;;
    esac
}

# Install what is missing, or say exactly what that is.
install_system_packages() {
    local lacking family item packages=()
    mapfile -t lacking < <(missing "$@")
    [ ${#lacking[@]} -eq 0 ] && return
    if command -v apt-get >/dev/null; then
        family=apt
    elif command -v dnf >/dev/null; then
        family=dnf
    else
        fail "missing: ${lacking[*]} (and neither apt-get nor dnf to install them)"
    fi
    for item in "${lacking[@]}"; do
        read -ra words <<<"$(package_of $family "$item")"
        packages+=("${words[@]}")
    done
    if [ "$(id -u)" -ne 0 ]; then
        fail "missing: ${lacking[*]}; as root: $family${family/apt/-get} install" \
            "${packages[*]}" | sed 's/dnfdnf/dnf/'
    fi
    say "Installing system packages: ${packages[*]}"
    if [ $family = apt ]; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${packages[@]}"; } \
            >"$root/build/packages.log" 2>&1 ||
            { tail -n 20 "$root/build/packages.log" >&2; fail "apt-get failed"; }
    else
        dnf install -y -q "${packages[@]}" >"$root/build/packages.log" 2>&1 ||
            { tail -n 20 "$root/build/packages.log" >&2; fail "dnf failed"; }
    fi
    mapfile -t lacking < <(missing "$@")
    [ ${#lacking[@]} -eq 0 ] || fail "still missing: ${lacking[*]}"
}

# The checksum of files.
digest() { sha256sum "$@" | sha256sum | cut -c1-32; }

# make_environment EXTRAS: .venv with the project (editable) and its dependencies.
make_environment() {
    local extras=$1 python stamp=$root/.venv/.ovswitch-$1 wanted
    wanted=$(digest "$root/pyproject.toml" "$root/setup.py" "$root/tools/launcher.in")
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        python=$(find_python) || fail "Python 3.11 or newer is needed"
        say "Making .venv with $("$python" --version)"
        [ -x "$root/.venv/bin/python" ] || "$python" -m venv "$root/.venv"
        run_pip install --upgrade pip 'setuptools>=68' 'cffi>=1.15' 'docutils>=0.19' \
            wheel
        run_pip install --no-build-isolation --config-settings editable_mode=compat \
            -e "$root${extras:+[$extras]}"
        echo "$wanted" >"$stamp"
    fi
    build_native
}

run_pip() {
    "$root/.venv/bin/python" -m pip --disable-pip-version-check -q "$@" \
        >"$root/build/pip.log" 2>&1 ||
        { tail -n 30 "$root/build/pip.log" >&2; fail "pip $1 failed"; }
}

# The state of what the C parts are built from.
native_digest() {
    (cd "$root" && digest setup.py ovswitch/flow/layout.py ovswitch/native/build_*.py \
        ovswitch/native/csrc/*.[ch])
}

# Compile the C parts in place when a source has changed.
build_native() {
    local stamp=$root/.venv/.ovswitch-native wanted
    wanted=$(native_digest)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        say "Compiling the datapath"
        (cd "$root" && .venv/bin/python setup.py -q build_ext --inplace) \
            >"$root/build/native.log" 2>&1 ||
            { tail -n 30 "$root/build/native.log" >&2; fail "the C build failed"; }
        echo "$wanted" >"$stamp"
    fi
}
