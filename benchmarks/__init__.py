"""What the tool costs and how well it keeps its schedule, compared with its peers: `make bench`."""
