#!/usr/bin/env python3
"""Writes syntax.json and doubles.json beside itself: what CPython's own json module makes of our vectors.

Needs CPython 3.11; nothing else. The verdicts are Python's, the vectors are ours: one group for every rule
of the grammar, each with its near misses.
"""
import base64, json, math, os, random, re, struct, sys

assert sys.version_info[:2] == (3, 11), "the messages are those of CPython 3.11"
HERE = os.path.dirname(os.path.abspath(__file__))

NUMBERS = """0 -0 1 -1 10 123 1.0 -1.0 0.1 1e1 1E1 1e+1 1e-1 1.5e300 1e400 -1e400 1e-400 0e1 0e+1 0.0e-1
1E22 1e23 5e-324 2.2250738585072011e-308 123456789012345678901234567890 -9223372036854775808 9223372036854775808
0.1e1 20e1 1e0001 0.00000000000000000000000000000000000000000000000000001 1.7976931348623159e308
00 01 -01 +1 ++1 1. .1 -.1 1.e1 1e 1e+ 1e- 1e1.5 0e 0.e1 1.2.3 1a 1_0 0x1 0b1 - -- -a 1e1e1 - 1 1e+-1 NaN Infinity -Infinity
nan inf -NaN +Infinity Inf -Inf NaNs Infinity1 Infinit -Infinit -I 1,0 1\u0660 \u0661 -\u0661""".split()
STRINGS = [
    '""', '"a"', '"\\""', '"\\\\"', '"\\/"', '"/"', '"\\b\\f\\n\\r\\t"', '"\\u0041"', '"\\u00e9"', '"\\uFFFF"', '"\\ufffe"',
    '"\\ud83d\\ude00"', '"\\uD83D\\uDE00"', '"\\ud800"', '"\\udc00"', '"\\ud800x"', '"\\ud800\\n"', '"\\ud800\\ud800"',
    '"\\udc00\\ud800"', '"\\ud800\\u0041"', '"\\ud83d\\ud83d\\ude00"', '"\\u0000"', '"\\u001f"', '"\\u007f"', '"\x7f"', '"\x80"',
    '"\u2028\u2029"', '"\ufeff"', '"\uffff"', '"\U0010ffff"', '"文字"', '"😀"', '"e\u0301"', '"a\\u0301"', '" \\u0020 "',
    '"\\a"', '"\\x41"', '"\\v"', '"\\0"', "\"\\'\"", '"\\U0041"', '"\\u"', '"\\u1"', '"\\u12"', '"\\u123"', '"\\u123g"', '"\\u 123"',
    '"\\u-123"', '"\\u+123"', '"\\u0x12"', '"\\u００４１"', '"\\ud800\\u"', '"\\ud800\\u1"', '"\\ud800\\udc0"', '"\\ud800\\udc0g"',
    '"\\ud83d\\', '"\\ud83d\\u', '"\\ud83d\\ude00', '"\\', '"\\u', '"\\u0041', '"', '"a', '"a\\"', "'a'", "a", '"\n"', '"\t"', '"\r"',
    '"\x00"', '"\x1f"', '"a\x01b"', '"文\x01"', '"文\\x"', '"文', '"\\文"', '""""', '"a""b"', '"a" "b"', '`a`', '"a\\\n"', '“a”',
]
WORDS = """null true false nul nulll tru truee fals falsee Null TRUE True None undefined n t f nu tr fa nan-1 NULL""".split()
CONTAINERS = """[] [1] [1,2] [[]] [[],[]] [{}] {} {"a":1} {"a":{}} {"a":[]} {"":0} {"a":1,"a":2} {"a":1,"b":2,"a":3}
{"a":{"b":{"c":[1,{"d":2}]}}} [null,true,false,0,"",[],{}] {"\\u0061":1,"a":2} {"é":1,"é":2} {"b":1,"a":2,"b":{"x":1,"x":2}}
[ ] , : [1 [1, [1,] [,1] [,] [1,,2] [1;2] [1:2] [1}  {] [) (1) [1]] [1]1 [1][2] {}{} [[1] [[1], {"a" {"a": {"a":} {"a":1 {"a":1, {"a":1,}
{,"a":1} {,} {"a":1,,"b":2} {"a"} {"a",1} {"a"=1} {a:1} {'a':1} {1:1} {null:1} {[]:1} {"a":1:2} {"a"::1} {:1} {"a":1;"b":2}
{"a":1}} {"a":[} {"a":[1} {"a":{"b"} {"a":1"b":2} [1"a"] ["a"1] [1true] [truefalse] [1.5.5] <null> // /**/1 1/**/ #1 [1]# ...
{"a":1//
} """.split()
SPACES = ["", " ", "\t", "\n", "\r", " \t\n\r1\r\n\t ", "\x0b1", "\x0c1", "\u00a01", "1\u00a0", "\u20281", "\ufeff1", "1\ufeff", "\u30001",
          "[ 1 , 2 ]", "{ \"a\" : 1 , \"b\" : 2 }", "[\x0b]", "[1\x0c]", "{\"a\"\u00a0:1}", "\x00", "1\x00", "\x001", "[\x00]", " \n", "\\", "*", "文", "[文]", "é1", "1 é"]
DEEP = ["[" * 300 + "]" * 300, '{"a":' * 300 + "1" + "}" * 300, "[" * 300, "[" * 20000, '{"a":' * 20000, "[" * 300 + "]" * 301, '[{"a":' * 150 + "x"]
LONG = ["1" * 4300, "-" + "1" * 4300, "1" * 4301, "-" + "1" * 4301, "[1," + "2" * 4301 + ",x", "1" * 4301 + ".5", "1" * 4301 + "e1", "0." + "1" * 5000, "[" + "9" * 400 + "]", "x" + "1" * 4301]
BYTES = [
    b"\xff", b'"\xff"', b'"\xc0\xaf"', b'"\xc1\x81"', b'"\xe0\x80\x80"', b'"\xe0\x9f\xbf"', b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"', b'"\xed\xa0\xbd\xed\xb8\x80"',
    b'"\xf0\x80\x80\x80"', b'"\xf0\x8f\xbf\xbf"', b'"\xf4\x8f\xbf\xbf"', b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"', b'"\xf8\x88\x80\x80\x80"', b'"\x80"', b'"\xbf"',
    b'"\xc3"', b'"\xe6\x96"', b'"\xf0\x9f\x98"', b'"\xe6\x96\x87', b"\xe6\x96", b'["\xe6\x96\x87"x]', b"[1,\xff", b"x\xff", b"\xef\xbb\xbf1", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf1",
    b"\xef\xbb", b"\xef\xbb\xbf[\xff]", b"\xef\xbb\xbf[1,]", b'{"\xed\xa0\x80":1,"\xed\xa0\x80":2}', b"\xfe\xff", b"\xff\xfe", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"\x00", b"\x00\x00", b"\x00\x00\x00",
    b"\x00\x00\x00\x00", b"1\x00", b"\x001", b"1\x00\x00", b"1\x00\x00\x00", b"\x00\x00\x001", b"\x00\x00\x11\x00\x00\x00", b"\x00\xd8\x00\x00", b"[\x00\x00\xd8]\x00", b'"\x00\x3d\xd8\x00\xde"\x00',
    b"\xff\xfe\x3d\xd8", b"\xff\xfe[\x00]", b"\xff\xfe[\x00]\x00\x00", b"\xff\xfe\x00\x00\x00\x00\x11\x00", b"\xff\xfe\x00\x00[\x00\x00\x00\x00\xd8\x00\x00", b"\xff\xfe\x00\x00[\x00\x00", b"\x00\x00\xfe\xff\x00\x00\x001",
]


def encoded():
    for text in ["1", "[]", "{}", '"文"', '{"文":[1,"😀"]}', "[1 2]", "", "x", '["\\ud800"]', "[1,]", '"é"', " 12"]:
        for name in ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]:
            yield text.encode(name)
        yield b"\xfe\xff" + text.encode("utf-16-be")
        yield b"\x00\x00\xfe\xff" + text.encode("utf-32-be")
        yield text.encode("utf-16") + b"\x00"
        yield text.encode("utf-32")[:-1]


def mutated():
    """Small damage to well-formed texts, the same on every run."""
    dice = random.Random(20)
    seeds = ['{"texts":["a\\n\\"b\\u00e9","文"],"noise_level":0.25}', '[1.5e-3,-0,true,null,{"k":[[],{}]}]', '{"a":"\\ud83d\\ude00","b":[NaN,-Infinity]}']
    for _ in range(500):
        text = bytearray(dice.choice(seeds).encode())
        for _ in range(dice.choice([1, 1, 2])):
            at = dice.randrange(len(text))
            match dice.randrange(4):
                case 0: del text[at : at + dice.choice([1, 1, 2, 6])]
                case 1: text[at:at] = bytes([dice.choice(b'{}[]",:\\ueE+-.01 \n\t\x00\x1f\x80')])
                case 2: text[at] = dice.choice(b'{}[]",:\\ueE+-.01 ntfNI')
                case 3: del text[at:]
            if not text: break
        yield bytes(text)


def plain(value):
    """The value with null for what JSON cannot hold."""
    if isinstance(value, float): return value if math.isfinite(value) else None
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list): return [plain(v) for v in value]
    return value


def verdict(body):
    try: value = json.loads(body)
    except json.JSONDecodeError as error: return {"message": error.msg, "position": error.pos}
    except (ValueError, RecursionError): return {}
    text = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    return {"value": re.sub("[\ud800-\udfff]", lambda unit: "\\u%04x" % ord(unit[0]), text)}


def main():
    texts = [f(x) for x in NUMBERS + STRINGS + WORDS for f in (str, "[{}]".format, '{{"a":{},"b":0}}'.format)]
    texts += CONTAINERS + SPACES + DEEP + LONG
    bodies = [t.encode("utf-8", "surrogatepass") for t in texts] + BYTES + list(encoded()) + list(mutated())
    cases = [{"body": base64.b64encode(b).decode(), **verdict(b)} for b in dict.fromkeys(bodies)]
    lines = ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases)
    open(os.path.join(HERE, "syntax.json"), "w").write(f"[\n{lines}\n]\n")

    dice = random.Random(21)
    doubles = [0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1e17, 123456789012345678.0, 1e-4, 1e-5, 0.00012345, 5e-324, 1.7976931348623157e308, 1e22, 1e23, 9007199254740993.0]
    doubles += [struct.unpack("d", dice.randbytes(8))[0] for _ in range(400)]
    doubles += [dice.uniform(-1, 1) * 10 ** dice.randint(-8, 20) for _ in range(400)]
    doubles += [float(dice.randint(-(10**18), 10**18)) for _ in range(100)]
    lines = ",\n".join(json.dumps([struct.pack(">d", x).hex(), repr(x)]) for x in doubles if math.isfinite(x))
    open(os.path.join(HERE, "doubles.json"), "w").write(f"[\n{lines}\n]\n")
    print(len(cases), "texts", sum("value" in c for c in cases), "of them JSON")


main()
