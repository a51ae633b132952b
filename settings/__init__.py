"""What the operator configures: options, endpoint, keys, money, and what a resumed run keeps."""
