"""Ordeals: what happens to the program if files, disks, processes and visitors are as bad as they can be.

Each ordeal is a function of a count and a folder and returns one result row; `make torture` runs them in full and
`tests/integration/test_torture.py` in a short form.
"""
