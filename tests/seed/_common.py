# Appendix B of the article, as it stands, re-indented.
import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path


def load_env(path=".env"):
    env_path = Path(path)
    if not env_path.exists():
        raise FileNotFoundError(f"Missing {path}")
    for raw in env_path.read_text().splitlines():
        line = raw.strip()
        if not line or line.startswith("#") or "=" not in line:
            continue
        key, value = line.split("=", 1)
        os.environ.setdefault(key, value)


def openai_chat_request(model, messages, max_tokens=8, stream=False, timeout=45, extra=None):
    load_env()
    base_url = os.environ["NONELINEAR_OPENAI_BASE_URL"].rstrip("/")
    api_key = os.environ["NONELINEAR_API_KEY"]
    body = {
        "model": model,
        "messages": messages,
        "max_tokens": max_tokens,
        "stream": stream,
    }
    if extra:
        body.update(extra)
    request = urllib.request.Request(
        base_url + "/chat/completions",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": "Bearer " + api_key,
            "Content-Type": "application/json",
        },
        method="POST",
    )
    start = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            data = json.loads(response.read().decode())
            return {
                "ok": True,
                "status": response.status,
                "elapsed_sec": round(time.perf_counter() - start, 3),
                "response": data,
            }
    except urllib.error.HTTPError as error:
        return {
            "ok": False,
            "status": error.code,
            "elapsed_sec": round(time.perf_counter() - start, 3),
            "error": error.read().decode(errors="replace")[:2000],
        }
    except Exception as error:
        return {
            "ok": False,
            "status": None,
            "elapsed_sec": round(time.perf_counter() - start, 3),
            "error": type(error).__name__ + ": " + str(error),
        }
