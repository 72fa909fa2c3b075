"""One run: its data, what each stage starts from, the assembly of a phase, its evaluation and its report."""
