"""What an operation costs us beside redis-server, measured in the same run: `python -m benchmarks`.

The machine is shared and noisy, so operations per second say little. What is stable is CPU time per
operation, and most of all its ratio to redis-server's under the same load a moment earlier. Every number
that is judged here is such a ratio, the median of several interleaved rounds.
"""
