"""Stress tests: what happens to the program if files, disks, processes and hostile_requests are as bad as they can be.

Each stress test is a function of a count and a folder and returns one result row; `make stress` runs them in full and
`tests/integration/test_torture.py` in a short form.
"""
