# Functions for the scripts of nginx/ and Tests/.

# require COMMAND-OR-FILE=PACKAGE…: installs the Debian packages that are missing.
require() {
    missing=""
    for pair in "$@"; do
        thing=${pair%%=*} package=${pair#*=}
        case $thing in
        /*) [ -e "$thing" ] || missing="$missing $package" ;;
        *) command -v "$thing" >/dev/null 2>&1 || [ -x "/usr/sbin/$thing" ] || missing="$missing $package" ;;
        esac
    done
    [ -z "$missing" ] && return 0
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || {
            echo "missing packages:$missing. Ask an administrator for: apt-get install$missing" >&2
            return 1
        }
        as_root=sudo
    fi
    echo "Installing Debian packages${as_root:+ with sudo}:$missing"
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 # words on purpose
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# Checks for Swift and installs what the build needs.
require_build() {
    command -v swift >/dev/null 2>&1 || {
        echo "swift is not in PATH: install Swift 6.2 or newer (https://swift.org/install)" >&2
        return 1
    }
    headers=/usr/include
    require gcc=build-essential pkg-config=pkg-config \
        $headers/fcgiapp.h=libfcgi-dev $headers/json-c/json.h=libjson-c-dev \
        "$headers/$(uname -m)-linux-gnu/cblas.h=libopenblas-dev"
}
