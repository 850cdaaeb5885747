"""Takes encoders of full size through fine-tune, publication, a worker's full run and the swap in a running bot.

Run it with ``python -m benchmarks.gpu_full_run``.
"""
