"""Limits of our own machine that a load generator can meet, and what to raise then. Pure.

An errno from a connection that never left the machine says nothing about the gateway, nor does one
that says its network is unreachable. Only ECONNREFUSED is a refusal by the gateway.
"""

import errno
import re
from typing import NamedTuple

from recording.outcome import Outcome


class Limit(NamedTuple):
    """A limit of the machine: what ran out, and what to do, in English and Chinese."""

    en: str
    zh: str
    advice_en: str
    advice_zh: str


_PORTS = Limit(
    "local ports", "本机端口",
    "widen net.ipv4.ip_local_port_range, send from more machines, or keep connections "
    "(--connections warm)",
    "扩大 net.ipv4.ip_local_port_range、增加压测机，或保持连接（--connections warm）",
)  # fmt: skip
_MEMORY = Limit(
    "kernel memory for sockets", "socket 内核内存",
    "lower the concurrency or raise net.ipv4.tcp_mem", "降低并发，或提高 net.ipv4.tcp_mem",
)  # fmt: skip
_POLICY = Limit(
    "permission", "权限",
    "look at this machine's firewall and security policy", "检查本机的防火墙与安全策略",
)  # fmt: skip
LIMITS: dict[str, Limit] = {
    "EMFILE": Limit(
        "open files", "打开文件数", "raise ulimit -n, or lower the concurrency",
        "提高 ulimit -n，或降低并发",
    ),
    "ENFILE": Limit(
        "open files of the whole system", "系统打开文件总数", "raise fs.file-max",
        "提高 fs.file-max",
    ),
    "EADDRNOTAVAIL": _PORTS,
    "EADDRINUSE": _PORTS,
    "EAGAIN": _PORTS,
    "ENOBUFS": _MEMORY,
    "ENOMEM": _MEMORY,
    "EACCES": _POLICY,
    "EPERM": _POLICY,
    "EAFNOSUPPORT": Limit(
        "an address family", "地址族",
        "this machine has no IPv6 (or no IPv4): use a host name or address of the other family",
        "本机不支持 IPv6（或 IPv4）：请使用另一种地址",
    ),
}  # fmt: skip
"""By the errno's name; the rows carry it as their `error_type`."""
UNREACHABLE = ("ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EHOSTDOWN", "ENONET")
_IN_WORDS = re.compile(r"\[errno (\d+)\]", re.I)


def name_of(number: int | None) -> str:
    """The name of an errno, e.g. `EMFILE`; empty if there is none."""
    return errno.errorcode.get(number or 0, "")


def of_errno(number: int | None) -> Outcome | None:
    """The outcome of an errno at a connection; None: it is neither this machine's nor the
    network's.
    """
    name = name_of(number)
    if name in LIMITS:
        return Outcome.LOCAL_LIMIT
    if name in UNREACHABLE:
        return Outcome.UNREACHABLE
    return Outcome.CONNECTION_REFUSED if name == "ECONNREFUSED" else None


def of_words(message: str) -> Outcome | None:
    """The same for an error's text such as `[Errno 24] Too many open files`."""
    match = _IN_WORDS.search(message)
    return of_errno(int(match[1])) if match else None
