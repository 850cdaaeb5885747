"""Takes full-size encoders through fine-tuning, publication, a worker's full run and the swap into a running bot.

Run it with ``python -m benchmarks.gpu_full_run``.
"""
