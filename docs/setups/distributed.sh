# A gateway that the master and the workers share.
echo OPENAI_API_KEY=sk-any > .env
python -m simulator --port 8000 --profile seed &
listens 8000
