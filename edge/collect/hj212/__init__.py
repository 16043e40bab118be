"""HJ 212-2017 over TCP: data loggers call, send frames, and get an answer when what they sent is durable."""
