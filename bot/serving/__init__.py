"""The live model in this process: loading, verification and swaps."""
