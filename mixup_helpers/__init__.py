"""MixUp for NumPy batches and Keras training, as the MixUp book explains it."""

from mixup_helpers.mixing import mix_labels, mixup_data, mixup_loss

__all__ = ["MixUpDataset", "mix_labels", "mixup_data", "mixup_loss"]


def __getattr__(name):
    # Imported on first use, so that `import mixup_helpers` does not load TensorFlow.
    if name == "MixUpDataset":
        from mixup_helpers.training import MixUpDataset

        return MixUpDataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
