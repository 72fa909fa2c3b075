"""IQA-LS: classifiers trained against label distributions that follow image quality (Chen et al., 2017)."""
