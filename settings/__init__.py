"""What the operator may ask for: options, endpoint, keys, money, and what a resumed run keeps."""
