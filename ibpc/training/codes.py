"""The trainer's codes, each with what it means in a sentence."""

from __future__ import annotations

FOREIGN_CHECKPOINT = "E0540"
FOREIGN_NETWORK = "E0541"
UNWRITABLE = "E0542"
NO_DEVICE = "E0543"
NOTHING_TO_TRAIN = "E0841"
NOT_IN_FILE = "E0842"
NOT_THE_SAME = "E0843"
NO_SUCH_LOSS = "E0630"
NOT_A_SUM = "E0631"
NEGATIVE_WEIGHT = "E0632"
NO_SUCH_EXAMPLE = "E0633"
NOT_SHARED = "E0634"
NOT_FINITE = "E0740"
NO_CLEAN_STATISTICS = "E0741"

EXPLANATIONS = {
    FOREIGN_CHECKPOINT: "The folder holds an unfinished training of something else.",
    FOREIGN_NETWORK: "The folder holds a network that another recipe trained, or a broken file.",
    UNWRITABLE: "What training writes has no room, or no permission, where it should go.",
    NO_DEVICE: "The device that was asked for does not exist on this machine.",
    NOTHING_TO_TRAIN: "The network's file has no weights.",
    NOT_IN_FILE: "Trained weights go back into the file that a network came from.",
    NOT_THE_SAME: "The file with its trained weights is not the network that was trained.",
    NO_SUCH_LOSS: "A loss stands over something that it has no formula for.",
    NOT_A_SUM: "A recipe's loss is a sum of losses, each times numbers and schedules.",
    NO_SUCH_EXAMPLE: "A log looks at an example that the training data do not have.",
    NOT_SHARED: "Several processes cannot train this recipe together.",
    NEGATIVE_WEIGHT: "Mixed bounds are a bound only where no weight is negative.",
    NO_CLEAN_STATISTICS: "A bound method does not take a layer's statistics from clean examples.",
    NOT_FINITE: "The loss became infinite or not a number; no weights are made of that.",
}
