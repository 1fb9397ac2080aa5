"""Benches: what they measure and the figures stand in README.md; `python -m bench [NAME...]` runs them.

Other people's work shares the machine, so figures are ratios between things run in turns inside one run, and
absolute ones stand beside the commit latency of the machine in the same run.
"""
