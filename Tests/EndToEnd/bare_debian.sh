#!/bin/sh
# Installs the package as an unprivileged user in a bare Debian, where there is no Swift, OpenBLAS, libfcgi or json-c, and
# asks it through that user's own nginx, first without /proc. As root; needs debootstrap, python3 and 600 MB; takes a
# minute or two a release, so not a part of nginx/test. The mirror is the one this machine's apt uses.
# usage: Tests/EndToEnd/bare_debian.sh [PACKAGE.tar.gz = made by nginx/package] [SUITE… = bookworm trixie]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(id -u)" -eq 0 ] || { echo "debootstrap needs root" >&2; exit 64; }
package=${1:-$("$top/nginx/package" | tail -n 1)}
[ $# -eq 0 ] || shift
# The second has another C library than the one that the package was built with.
[ $# -gt 0 ] || set -- bookworm trixie
if [ $# -gt 1 ]; then
    for suite; do "$0" "$package" "$suite"; done
    exit
fi
suite=$1
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' | awk -v suite="$suite" '$1 == suite { print $2; exit }')
mirror=${mirror:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)}

root=$(mktemp -d /var/tmp/bare-debian.XXXXXX)
chmod 755 "$root"
processes=""
stop() {
    trap - EXIT INT TERM
    for process in $processes; do kill "$process" 2>/dev/null || true; done
    wait
    ! mountpoint -q "$root/proc" || umount "$root/proc" || return
    rm -rf --one-file-system "$root"
}
trap stop EXIT
trap 'exit 1' INT TERM

echo "== bare $suite with nginx-light and curl"
debootstrap --variant=minbase --include=nginx-light,curl "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log"
    exit 1
}
rm -f "$root.log"
found=$(find "$root" -xdev \( -name 'libswift*' -o -name 'swiftc' -o -name '*openblas*' -o -name 'libfcgi*' -o -name 'libjson-c*' \) -print)
[ -z "$found" ] || { echo "not bare: $found" >&2; exit 1; }
chroot "$root" useradd --create-home --shell /bin/sh stranger
cp "$package" "$root/home/stranger/"
user=$(chroot "$root" id -u stranger)

enter="chroot --userspec=$user:$user $root /usr/bin/env -i HOME=/home/stranger PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8"
as_user() { $enter sh -euc "cd ~; $*"; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=http://127.0.0.1:$port

start() {
    # Not through the function, whose process would be a shell around it.
    $enter sh -euc "cd ~/denoiser; exec ./denoiser serve --config nginx/serve.conf --socket run/denoiser.sock" &
    processes=$!
    $enter sh -euc "exec /usr/sbin/nginx -p ~/denoiser/ -c nginx/nginx.conf -e run/nginx-error.log" &
    processes="$processes $!"
    as_user "for i in 1 2 3 4 5 6 7 8 9 10; do curl -sf -o /dev/null $base/health && exit 0; sleep 0.5; done; exit 1" || {
        echo "no answer from $base/health" >&2
        tail -n 20 "$root/home/stranger/denoiser/run"/*log >&2
        exit 1
    }
}

# Compares what a command prints with a pattern.
expect() {
    pattern=$1
    shift
    answer=$(as_user "$*")
    case $answer in
    $pattern) echo "ok: $(printf %s "$answer" | cut -c1-150)" ;;
    *) echo "expected $pattern, got: $answer" >&2; exit 1 ;;
    esac
}
ask() {
    expect '{"status":"healthy","model_loaded":true,"device":"cpu"}' "curl -s $base/health"
    expect '{"denoised_embeddings":*"shape":\[2,384\]*' \
        "curl -s $base/denoise/text -H 'Content-Type: application/json' -d '{\"texts\":[\"hello world\",\"good morning\"]}'"
    echo "ok: $(PYTHONPATH=$top/Tests/EndToEnd python3 -m support.charset_requests "$port")"
    as_user 'i=0; while [ $i -lt 60 ]; do echo "Sentence number $i tells of the weather on day $i."; i=$((i + 1)); done >text.txt'
    expect '{"filename":"text.txt","word_count":600,"loss":*' "curl -s -F file=@text.txt $base/upload/"
    expect '200' "curl -s -o /dev/null -w '%{http_code}' $base/docs-assets/swagger-ui-bundle.js"
    expect '*model_loaded":true*' "curl -s $base/health; test -s denoiser/models/embedding_denoiser.pt"
}

echo "== install as user $user"
as_user "tar xzf $(basename "$package"); ./denoiser-*/install --port $port; rm -r denoiser-*/"
echo "== start and ask without /proc"
start
ask
for process in $processes; do
    kill "$process"
    wait "$process" || { echo "process $process ended with $?" >&2; exit 1; }
done
echo "== start and ask"
mount -t proc proc "$root/proc"
start
ask
echo "== upgrade over it"
as_user "tar xzf $(basename "$package"); ./denoiser-*/install | head -n 1; test -s denoiser/models/embedding_denoiser.pt; grep -q $port denoiser/nginx/nginx.conf"
echo "passed"
