"""What is promised about speed, measured: one module for each promise of the design's section 8.

`python -m benchmarks` runs them all in less than four minutes, `python -m benchmarks NAME...` some.
Each prints a table with its aim beside the figures. Nothing is asserted about seconds: machines
differ. Ratios are taken in one run, alternating, so that a busy machine slows both sides.
"""
