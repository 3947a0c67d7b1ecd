"""Keras and TensorFlow, without TensorFlow's greeting where it would become part of a page or of a build."""

import contextlib
import os
import sys


@contextlib.contextmanager
def _without_stderr():
    """Send stderr nowhere, C++ included: TensorFlow 2.21 greets before it reads any setting."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


on_a_page = {"ipykernel", "sphinx"} & set(sys.modules)
if on_a_page:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # obeyed after the import
with _without_stderr() if on_a_page else contextlib.nullcontext():
    import keras
    import tensorflow as tf
