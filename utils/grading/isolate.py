"""Shut a process in: no files but its own, no network, no processes of others, limits on the rest.

Everything here uses what Linux offers to any user: Landlock for files (a list of what may be
opened; what is not on it cannot be opened), namespaces for network and processes, and resource
limits. `shut_in` is called in a process that was forked for one submission, before its first line
of code runs. What a machine lacks is said by `missing`, and the grader then refuses unless told.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

# Numbers of the kernel's interface (linux/landlock.h, linux/sched.h, linux/prctl.h).
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_RULE_PATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_FILES_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many rights on files each version knows
_TCP = 0b11
_SCOPED = 0b11  # abstract sockets, and signals to others
_NO_NEW_PRIVILEGES, _DIE_WITH_PARENT, _NOT_DUMPABLE = 38, 1, 4
_MS_NOSUID_NODEV = 2 | 4


@dataclass(frozen=True)
class Limits:
    """What one run of a submission may use.

    Parameters
    ----------
    seconds : float
        Wall-clock time of the whole run.
    cell_seconds : float
        Wall-clock time of one cell.
    megabytes : int
        Memory of a process (address space).
    file_megabytes : int
        Size of a file, and of all files together where a folder in memory can be had.
    processes : int
        Processes and threads at a time.
    """

    seconds: float = 120
    cell_seconds: float = 60
    megabytes: int = 4096
    file_megabytes: int = 64
    processes: int = 128

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise ValueError(f"limit {name} must be above 0; got {value!r}")


class _Rules(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Path(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def landlock_version() -> int:
    """Return the version of Landlock that the kernel offers, 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, _libc().syscall(_CREATE, None, 0, 1))


def missing() -> list[str]:
    """Return which protections this machine cannot give, in words; tried in a child process."""
    if os.name != "posix":
        return ["limits on time and memory", "protection of files", "a cut network"]
    lacks = [] if landlock_version() else ["protection of files (Landlock)"]
    if sys.platform != "linux":
        lacks.append("a reliable limit on memory")
    if not _can_unshare() and landlock_version() < 4:
        lacks.append("a cut network")
    return lacks


def _can_unshare() -> bool:
    if not hasattr(os, "unshare"):
        return False
    child = os.fork()
    if child == 0:
        try:
            _new_spaces()
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def shut_in(box: Path, readable: Iterable[Path], listable: Iterable[Path], limits: Limits) -> None:
    """Shut this process in for good; it must have a single thread.

    The process that calls goes on as the first of a new group of processes: whatever it starts
    ends with it. What cannot be had on this machine is left out: `missing` says what.

    Parameters
    ----------
    box : Path
        The only folder that may be written to, and the working folder from now on.
    readable : iterable of Path
        Files and folders that may be read and run.
    listable : iterable of Path
        Folders whose names, but not contents, may be read.
    limits : Limits
        Memory, processor time, file size and number of processes.
    """
    os.setsid()
    if hasattr(os, "unshare"):
        with contextlib.suppress(OSError):
            _new_spaces()
            _own_processes()
            _folder_in_memory(box, limits.file_megabytes)
    os.chdir(box)
    _limit(limits)
    if landlock_version():
        _restrict_files(box, readable, listable)


def die_with_parent() -> None:
    """Ask the kernel to end this process when the one that forked it ends."""
    if sys.platform == "linux":
        _libc().prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


def _new_spaces() -> None:
    """Leave the network, the mounts and the other processes behind."""
    user, group = os.getuid(), os.getgid()
    os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET | os.CLONE_NEWNS | os.CLONE_NEWPID)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def _own_processes() -> None:
    """Go on as the first process of the new space; the old one waits and passes the end on."""
    child = os.fork()
    if child:
        os.closerange(0, 64)
        status = os.waitpid(child, 0)[1]
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    die_with_parent()


def _folder_in_memory(box: Path, megabytes: int) -> None:
    options = f"size={megabytes}m,mode=700".encode()
    _libc().mount(b"tmpfs", os.fsencode(box), b"tmpfs", _MS_NOSUID_NODEV, options)


def _limit(limits: Limits) -> None:
    import resource  # noqa: PLC0415 - not on Windows

    megabyte = 2**20
    wanted = {
        resource.RLIMIT_AS: limits.megabytes * megabyte,
        resource.RLIMIT_CPU: round(limits.seconds * 2),  # a sampler may use two processors
        resource.RLIMIT_FSIZE: limits.file_megabytes * megabyte,
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in wanted.items():
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(kind, (value, value))


def _restrict_files(box: Path, readable: Iterable[Path], listable: Iterable[Path]) -> None:
    version = landlock_version()
    rights = 2 ** _FILES_BY_ABI.get(version, 16) - 1
    rules = _Rules(rights, _TCP if version >= 4 else 0, _SCOPED if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    libc = _libc()
    ruleset = _must(libc.syscall(_CREATE, ctypes.byref(rules), size, 0))
    read = _EXECUTE | _READ_FILE | _READ_DIR
    allowed = [(box, rights)]
    allowed += [(path, read) for path in readable]
    allowed += [(path, _READ_DIR) for path in listable]
    allowed += [(Path("/dev/null"), _READ_FILE | _WRITE_FILE)]
    for path, wanted in allowed:
        try:
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        on_files = rights if path.is_dir() else _EXECUTE | _READ_FILE | _WRITE_FILE
        rule = _Path(wanted & on_files, handle)
        _must(libc.syscall(_ADD, ruleset, _RULE_PATH, ctypes.byref(rule), 0))
        os.close(handle)
    _must(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    libc.prctl(_NOT_DUMPABLE, 0, 0, 0, 0)
    _must(libc.syscall(_RESTRICT, ruleset, 0))
    os.close(ruleset)


def _must(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the kernel refused to shut the process in: {os.strerror(number)}")
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
