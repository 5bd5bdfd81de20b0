"""Forms in character sets that the service reads as Latin-1 on purpose: a rule for that row of README.md's table."""
import codecs
import re

import compare
import python_multipart.multipart

# Sets of several bytes a character, and Python's own, under Python's names.
UNREAD = {
    "big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jis_2004", "euc_jisx0213", "euc_jp", "euc_kr", "gb18030", "gb2312",
    "gbk", "hz", "idna", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3", "iso2022_jp_ext",
    "iso2022_kr", "johab", "punycode", "raw-unicode-escape", "shift_jis", "shift_jis_2004", "shift_jisx0213", "undefined",
    "unicode-escape", "utf-7"}


def in_latin1(request, theirs, ours, ask, explain):
    kind = request.value(b"content-type")
    if request.path != b"/upload/" or not kind: return False
    label = python_multipart.multipart.parse_options_header(kind)[1].get(b"charset", b"")
    try:
        if codecs.lookup(label.decode("latin-1")).name not in UNREAD: return False
    except (LookupError, ValueError):
        return False
    other = re.sub(rb"(?i)(charset\s*=\s*)" + re.escape(label), rb"\g<1>latin-1", kind)
    request = request._replace(headers=tuple(
        (name, other if name.lower() == b"content-type" else value) for name, value in request.headers))
    answer = ask(request)
    return not compare.differences(request, answer, ours) or bool(explain(request, answer, ours, ask))


RULES = {
    "a form whose `charset` is one of several bytes a character (GBK, Big5, Shift-JIS, EUC, ISO 2022, UTF-7 …) or one of "
    "Python's own (`punycode` …)": in_latin1,
}
