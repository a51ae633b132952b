"""The face in the browser: start form, live numbers, charts and downloads, on Locust's web UI."""
