"""Where source text comes from: finding files, reading them, decoding them, and the comments that silence findings."""
