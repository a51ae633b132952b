"""The live faces of a run: start form, live numbers, charts and downloads; Prometheus."""
