# Gateways with TLS, a proxy that requires a login, and a gateway whose key changes.
cat > .env <<'ENV'
OPENAI_API_KEY=sk-of-this-page
MINE_BASE_URL=http://127.0.0.1:8003/v1
MINE_API_KEY=sk-mine
ENV
python - <<'PYTHON'
from pathlib import Path
from tests.certificates import Authority
authority = Authority(Path())
authority.sign("gateway")
authority.sign("client")
authority.ca.rename("company.pem")
PYTHON
tls="--profile seed --tokens-per-s 20 --tls-cert gateway.pem --tls-key gateway.key"
python -m simulator --port 8443 $tls &
python -m simulator --port 8444 $tls --tls-client-ca company.pem &
python -m tests.proxy --login me:secret --port 3128 &

# The vault's key becomes another 15 s after the first request, when the gateway is replaced.
printf '#!/bin/sh\ncat key\n' > vault
chmod +x vault
echo sk-first > key
{
    python -m simulator --port 8002 --profile fast --latency 2 --key sk-first --log first.csv &
    until [ -s first.csv ] && [ "$(wc -l < first.csv)" -gt 1 ]; do sleep 0.1; done
    sleep 15
    echo sk-second > key
    kill -9 $!
    exec python -m simulator --port 8002 --profile fast --latency 2 --key sk-second
} &
for port in 8443 8444 3128 8002; do listens $port; done
