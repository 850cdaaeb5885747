"""The parts of ``benchmarks.learning_loop``: what is written, who writes and judges it, and what is made of it."""
