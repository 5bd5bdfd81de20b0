"""Commands under a seccomp filter: the kernel itself refuses a system call, or ends the process that makes it."""
import platform
import shutil
import sys

# System call numbers.
CALLS = {"x86_64": {"fallocate": 285, "fsync": 74, "openat": 257, "poll": 7},
         "aarch64": {"fallocate": 47, "fsync": 82, "openat": 56}}[platform.machine()]

# Operations of the kernel's packet language.
LOAD, EQUAL, ANY, ABOVE, RETURN = 0x20, 0x15, 0x45, 0x25, 0x06
REFUSE, KILL, ALLOW = 0x00050000, 0x80000000, 0x7fff0000

# The tests' own may lie where another user cannot run it.
PYTHON = shutil.which("python3", path="/usr/bin:/bin") or sys.executable

# Sets the filter of its first argument and becomes the command of the others.
SET = """
import ctypes, os, struct, sys
steps = [[int(number) for number in step.split(":")] for step in sys.argv[1].split(",")]
code = b"".join(struct.pack("=HBBI", operation, then, other, value) for operation, value, then, other in steps)
filter = ctypes.create_string_buffer(code)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(steps), ctypes.addressof(filter))
library = ctypes.CDLL(None, use_errno=True)
library.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
assert library.prctl(38, 1, 0, 0, 0) == 0
assert library.prctl(22, 2, ctypes.addressof(program), 0, 0) == 0, "no seccomp here"
os.execvp(sys.argv[2], sys.argv[2:])
"""


def filtered(*steps):
    """The words before a command; a step is an operation, its value, and how many to skip if so and if not."""
    text = ",".join(":".join(str(number) for number in [*step, 0, 0][:4]) for step in steps)
    return [PYTHON, "-S", "-E", "-c", SET, text]


def argument(index):
    """Where the lower half of a system call's argument stands."""
    return 16 + 8 * index


def refusing(call, code, flag=0):
    """`call` ends with the error `code`; of openat only where a bit of `flag` is set."""
    if flag:
        return filtered((LOAD, 0), (EQUAL, CALLS[call], 0, 3), (LOAD, argument(2)), (ANY, flag, 0, 1),
                        (RETURN, REFUSE | code), (RETURN, ALLOW))
    return filtered((LOAD, 0), (EQUAL, CALLS[call], 0, 1), (RETURN, REFUSE | code), (RETURN, ALLOW))


def ending_at_waits(first, last):
    """Whoever waits for that many milliseconds in `poll` is ended by the kernel, as by a crash."""
    return filtered((LOAD, 0), (EQUAL, CALLS["poll"], 0, 4), (LOAD, argument(2)), (ABOVE, first - 1, 0, 2),
                    (ABOVE, last, 1, 0), (RETURN, KILL), (RETURN, ALLOW))
