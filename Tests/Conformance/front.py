"""Where nginx, and not the service, decides what is answered: rules for those rows of README.md's table."""
import re
import urllib.parse

import compare

BAD_REQUEST = b'{"detail":"Bad Request"}'


def is_refused(ours):
    return ours.status == 400 and ours.body in (BAD_REQUEST, b"")


def refused_target(request, theirs, ours, ask, explain):
    path = request.target.partition(b"?")[0]
    wrong = not path.startswith(b"/") or re.search(rb"%00|%(?![0-9a-fA-F]{2})", path)
    return bool(wrong) and theirs.status < 500 and is_refused(ours)


def resolved(target):
    """The target nginx makes of one, None where it leads above the root; unchanged where there is nothing to resolve."""
    path, mark, query = re.sub(rb"^http://[^/?#]*", b"", target).partition(b"#")[0].partition(b"?")
    segments = []
    parts = urllib.parse.unquote_to_bytes(path).split(b"/")[1:]
    for number, part in enumerate(parts):
        if part not in (b".", b".."):
            segments.append(part)
            continue
        if part == b"..":
            if not segments: return None
            segments.pop()
        if number == len(parts) - 1: segments.append(b"")
    return b"/" + urllib.parse.quote_from_bytes(b"/".join(segments)).encode() + mark + query


def resolved_path(request, theirs, ours, ask, explain):
    path = urllib.parse.unquote_to_bytes(request.target.partition(b"?")[0])
    if not re.search(rb"/\.\.?(/|$)|#|^http://", path) and b"#" not in request.target: return False
    target = resolved(request.target)
    if target is None: return is_refused(ours)
    if target == request.target: return False
    other = request._replace(target=target)
    answer = ask(other)
    return not compare.differences(other, answer, ours) or bool(explain(other, answer, ours, ask))


def line_feed_at_end(request, theirs, ours, ask, explain):
    path = urllib.parse.unquote_to_bytes(request.target.partition(b"?")[0])
    return path.rstrip(b"/").endswith(b"\n") and theirs.status != 404 and ours.status == 404 \
        and ours.body == (b"" if request.method == b"HEAD" else b'{"detail":"Not Found"}')


def refused_method(request, theirs, ours, ask, explain):
    return theirs.status in (404, 405, 307) and not request.method.isupper() and is_refused(ours)


def refused_host(request, theirs, ours, ask, explain):
    host = request.value(b"host")
    return host is not None and (not host or bool(re.search(rb"[ /]|\.\.", host))) and is_refused(ours)


def too_long(request, theirs, ours, ask, explain):
    if len(request.target) > 8000: return ours.status == 414
    return any(len(name) + len(value) > 8000 for name, value in request.headers) and is_refused(ours)


RULES = {
    "a path that ends in a line feed (`%0A`), slashes behind it left aside": line_feed_at_end,
    "a target without a slash in front, with a broken `%` escape or with `%00`": refused_target,
    "a path with `.` or `..` segments, a target with `#` or from `http://` on": resolved_path,
    "a method in small letters": refused_method,
    "an empty `Host` or one with a space, a slash or two dots in a row": refused_host,
    "a target or a header line above 8 kB": too_long,
}
