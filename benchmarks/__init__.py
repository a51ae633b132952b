"""What the tool costs and how well it keeps time, side by side with its peers: `make bench`."""
