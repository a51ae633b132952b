# A run through LiteLLM, which logs to requests.jsonl, in front of a server that fails now and then:
# the configuration and the callback of tests/interop.
python - <<'PYTHON'
from pathlib import Path
from tests.interop import litellm_proxy, servers, test_litellm_log
config = test_litellm_log.CONFIG.format(url="http://127.0.0.1:9001", key="sk-gateway-of-this-page")
Path("config.yaml").write_text(config)
Path("writer.py").write_text(litellm_proxy.WRITER)
version = litellm_proxy.VERSION
bin_folder = servers.installed("litellm", version, f"litellm[proxy]=={version}")
Path("litellm").symlink_to(bin_folder / "litellm")
PYTHON
echo OPENAI_API_KEY=sk-gateway-of-this-page > .env
python -m simulator --port 9001 --profile fast --dialect deepseek --latency 0.1 \
    --fault error_500=0.2 &
LITELLM_LOCAL_MODEL_COST_MAP=True ./litellm --config config.yaml --host 127.0.0.1 --port 4000 \
    --telemetry False &
listens 4000
locust --headless -H http://127.0.0.1:4000/v1 --mode rpm --model m --target 600 --duration 4 \
    --stop-rule off
mv results/* results/RUN
