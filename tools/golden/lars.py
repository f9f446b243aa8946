"""Golden runs of LARS: optax, and transcriptions of the paper and of the form with the rate outside the momentum."""

import common
import numpy as np

SHAPES = [(1,), (7,), (8,), (9,), (64,), (65,), (1023,), (8, 9)]
BASE = {"lr": 0.5, "momentum": 0.9, "weight_decay": 0.01, "trust_coefficient": 0.02}


def paper(lr, momentum, weight_decay, trust_coefficient):
    """Algorithm 1 of You, Gitman & Ginsburg (2017)."""

    def step(t, w, g, state):
        size, slope = np.linalg.norm(w), np.linalg.norm(g)
        local = trust_coefficient * size / (slope + weight_decay * size)
        v = state["v"] = momentum * state.get("v", 0.0) + lr * local * (g + weight_decay * w)
        return w - v

    return step


def outside(lr, momentum, weight_decay, trust_coefficient, eps):
    """The same local rate, eps in its denominator, and the rate applied to the velocity, as PyTorch's SGD does."""

    def step(t, w, g, state):
        size, slope = np.linalg.norm(w), np.linalg.norm(g)
        local = trust_coefficient * size / (slope + weight_decay * size + eps)
        v = state["v"] = momentum * state.get("v", 0.0) + local * (g + weight_decay * w)
        rate = lr * (1 - (t - 1) / 200)
        return w - rate * v

    return step


with common.File("lars") as file:
    import optax

    for shape in SHAPES:
        name = "x".join(map(str, shape))
        file.optax(f"lars-optax-{name}", "optax.lars(0.5, weight_decay=0.01, trust_coefficient=0.02)",
                   optax.lars(0.5, weight_decay=0.01, trust_coefficient=0.02), BASE, shape=shape)
        file.paper(f"lars-paper-{name}", "a transcription of You, Gitman & Ginsburg (2017), Algorithm 1", paper(**BASE),
                   BASE, {"norms": "sum"}, shape=shape)
    file.optax("lars-optax-defaults", "optax.lars(0.1)", optax.lars(0.1),
               {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.0, "trust_coefficient": 0.001}, shape=(65,))
    file.optax("lars-optax-nesterov", "optax.lars(0.5, weight_decay=0.01, trust_coefficient=0.02, eps=0.1, nesterov=True)",
               optax.lars(0.5, weight_decay=0.01, trust_coefficient=0.02, eps=0.1, nesterov=True), {**BASE, "eps": 0.1},
               {"nesterov": "true"}, shape=(65,))
    file.paper("lars-rate-outside", "a transcription: the rate, which falls, outside the momentum", outside(**BASE, eps=0.1),
               {**BASE, "eps": 0.1}, {"norms": "sum", "lr_at": "outside", "schedule": "falling"}, shape=(65,))
