# A ladder is killed as soon as one request of its step of 8 has been answered.
echo OPENAI_API_KEY=sk-any > .env
python -m simulator --port 8000 --profile seed &
listens 8000
locust --headless -H http://127.0.0.1:8000/v1 --mode ladder --model gpt-5.4-nano \
    --steps 3,8,6 --step-pause 0 --run-id evening &
rows() { cat results/*/requests-*.csv 2> /dev/null | wc -l; }
while [ "$(rows)" -lt 5 ]; do kill -0 $!; sleep 0.01; done  # one is the header
kill -9 $!
