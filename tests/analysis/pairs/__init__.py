"""Two routes in one run: the statistics, by simulated runs whose truth is known."""
