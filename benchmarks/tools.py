"""How each tool is made to send the same load, at a concurrency or at a rate."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import peers
from benchmarks.nginx import MODEL, Nginx
from benchmarks.process import Used, run

ROOT = Path(__file__).resolve().parent.parent
KEY = "sk-bench"
PROMPT = "Reply exactly: ok"


@dataclass(frozen=True, slots=True)
class Load:
    """`requests` in all; closed loop with `at_once` in flight, or open loop at `rate_per_s`."""

    base_url: str
    requests: int
    stream: bool = False
    at_once: int = 8
    rate_per_s: float | None = None

    @property
    def rate(self) -> str:
        return f"{self.rate_per_s or 0:g}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A load generator. `sizes`: requests in a short and a long run, plain and streamed."""

    name: str
    command: Callable[[Load, Path], list[str | Path]]
    plain: tuple[int, int]
    streamed: tuple[int, int] | None
    open_loop: bool = True
    env: Mapping[str, str] = field(default_factory=dict)

    def send(self, target: Nginx, load: Load, folder: Path, longest_s: float = 300) -> Used:
        """Sends a load; `folder` is emptied first. Raises Failed."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        target.forget()
        env = {**os.environ, "OPENAI_API_KEY": KEY, **self.env}
        command = self.command(load, folder)
        ours = self.name == "weighbridge"
        used = run(
            command, folder / "out.log", env=env, cwd=ROOT if ours else folder, longest_s=longest_s
        )
        return used


def locust(base_url: str, folder: Path, *more: object) -> list[str | Path]:
    """Our own command line, headless."""
    return [
        sys.executable, "-m", "locust", "-f", ROOT / "locustfile.py", "--headless",
        "-H", base_url, "--model", MODEL, "--max-tokens", "16", "--results", folder / "results",
        *map(str, more),
    ]  # fmt: skip


def _weighbridge(load: Load, folder: Path) -> list[str | Path]:
    # Without a rate, all are due within two seconds, so that `at_once` users are never idle.
    duration_s = 2.0 if load.rate_per_s is None else load.requests / load.rate_per_s
    target = -int(-load.requests * 60 // duration_s)
    workers = load.at_once if load.rate_per_s is None else 200
    window = ["--mode", "rpm", "--target", target, "--duration", duration_s, "--grace", 600]
    stream = ["--stream"] if load.stream else []
    return locust(load.base_url, folder, *window, "--max-workers", workers, *stream)


def _seed(load: Load, folder: Path) -> list[str | Path]:
    """The article's own script: threads and urllib, one connection per request."""
    (folder / ".env").write_text(
        f"NONELINEAR_OPENAI_BASE_URL={load.base_url}\nNONELINEAR_API_KEY={KEY}\n"
    )
    duration_s = 2 if load.rate_per_s is None else int(load.requests / load.rate_per_s)
    target = load.requests * 60 // duration_s
    workers = load.at_once if load.rate_per_s is None else 200
    return [
        sys.executable, ROOT / "tests/seed/throughput_test.py", "--mode", "rpm", "--model", MODEL,
        "--target", str(target), "--duration", str(duration_s), "--max-workers", str(workers),
        "--output", folder / "rows.jsonl",
    ]  # fmt: skip


def _evalscope(load: Load, folder: Path) -> list[str | Path]:
    pace = ["--parallel", str(load.at_once)]
    if load.rate_per_s is not None:
        pace = ["--open-loop", "--rate", load.rate]
    return [
        peers.program("evalscope"), "perf", "--api", "openai", "--model", MODEL,
        "--url", f"{load.base_url}/chat/completions", "--prompt", PROMPT, "--dataset", "openqa",
        "--number", str(load.requests), *pace, "--max-tokens", "16",
        "--stream" if load.stream else "--no-stream", "--no-test-connection",
        "--outputs-dir", folder / "out",
    ]  # fmt: skip


def _tokenizer(folder: Path) -> Path:
    """A tokenizer with two words: aiperf requires one even if the server counts tokens."""
    place = folder / "tokenizer"
    place.mkdir(exist_ok=True)
    words = {"type": "WordLevel", "vocab": {"<unk>": 0, "ok": 1}, "unk_token": "<unk>"}
    definition = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}}
    (place / "tokenizer.json").write_text(json.dumps({**definition, "model": words}))
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"}
    (place / "tokenizer_config.json").write_text(json.dumps(kind))
    return place


def _aiperf(load: Load, folder: Path) -> list[str | Path]:
    lines = folder / "prompts.jsonl"
    lines.write_text(f'{{"text": "{PROMPT}"}}\n' * 100)
    pace = ["--concurrency", str(load.at_once)]
    if load.rate_per_s is not None:
        pace = ["--request-rate", load.rate, "--arrival-pattern", "constant"]
    return [
        peers.program("aiperf"), "profile", "--model", MODEL, "--url",
        load.base_url.removesuffix("/v1"), "--endpoint-type", "chat",
        "--tokenizer", _tokenizer(folder),
        "--use-server-token-count", "--input-file", lines, "--custom-dataset-type", "single_turn",
        "--request-count", str(load.requests), *pace, *(["--streaming"] if load.stream else []),
        "--output-artifact-dir", folder / "out", "--ui", "none",
    ]  # fmt: skip


def _guidellm(load: Load, folder: Path) -> list[str | Path]:
    lines = folder / "prompts.json"
    lines.write_text(json.dumps([{"prompt": PROMPT}] * load.requests))
    pace = f"kind=concurrent,streams={load.at_once}"
    if load.rate_per_s is not None:
        pace = f"kind=constant,rate={load.rate}"
    target = load.base_url.removesuffix("/v1")
    backend = f"kind=openai_http,target={target},model={MODEL},max_tokens=16,validate_backend=False"
    return [
        peers.program("guidellm"), "run", "--backend", f"{backend},stream={load.stream}",
        "--data", f"kind=json_file,path={lines}", "--profile", pace,
        "--constraint", f"kind=max_requests,count={load.requests}", "--disable-progress",
        "--output", f"kind=json,path={folder / 'out.json'}",
    ]  # fmt: skip


def _floor(load: Load, folder: Path) -> list[str | Path]:
    program = [sys.executable, ROOT / "benchmarks/floor.py"]
    return [*program, load.base_url, str(load.requests), str(load.at_once)]


WRK_PER_S = {False: 20_000, True: 2_000}  # about what wrk reaches with nginx's replies and streams


def _wrk(load: Load, folder: Path) -> list[str | Path]:
    """wrk, the floor: C, no schedule, no records. It runs for a time, not for a count."""
    script = folder / "post.lua"
    body = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}]}
    script.write_text(
        'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
        f'wrk.headers["Authorization"] = "Bearer {KEY}"\n'
        f"wrk.body = {json.dumps(json.dumps({**body, 'stream': load.stream}))}\n"
    )
    seconds = max(1, load.requests // WRK_PER_S[load.stream])
    return [
        "wrk", "-t1", f"-c{load.at_once}", f"-d{seconds}s", "-s", script,
        f"{load.base_url}/chat/completions",
    ]  # fmt: skip


WEIGHBRIDGE = Tool("weighbridge", _weighbridge, (500, 6500), (100, 1600))
TOOLS = {
    tool.name: tool
    for tool in (
        WEIGHBRIDGE,
        Tool("evalscope", _evalscope, (500, 4500), (100, 1100)),
        Tool("aiperf", _aiperf, (300, 2300), (100, 600)),
        Tool("guidellm", _guidellm, (200, 1200), (100, 400)),
        Tool("the article's script", _seed, (500, 6500), None),
        Tool("geventhttpclient alone", _floor, (1000, 21000), None, open_loop=False),
        Tool("wrk", _wrk, (20_000, 80_000), (2_000, 8_000), open_loop=False),
    )
}


def usable(names: list[str]) -> list[Tool]:
    """The tools with these names (none: all) that are or could be installed."""
    chosen = [tool for name, tool in TOOLS.items() if not names or name in names]
    here = [tool for tool in chosen if tool.name != "wrk" or shutil.which("wrk")]
    return [t for t in here if t.name not in peers.REQUIREMENTS or peers.install(t.name)]
