"""The parts of ``benchmarks.learning``: what is written, who writes and judges it, and what is made of it."""
