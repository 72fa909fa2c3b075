"""GADA: no-reference image quality assessment with generative adversarial data augmentation."""

__version__ = "0.1.0"
