"""Golden runs of SGD: PyTorch, optax, and a transcription of SGDW."""

import common
import numpy as np

STATE = {"momentum_buffer": "momentum_buffer"}
LR = {"lr": 0.01}
MOMENTUM = {**LR, "momentum": 0.9}


def sgdw(lr, momentum, weight_decay):
    """Algorithm 1 of Loshchilov & Hutter (2019), line 9, with a schedule multiplier of alpha: both terms are scaled by the rate."""

    def step(t, theta, g, state):
        m = state["m"] = momentum * state.get("m", 0.0) + lr * g
        return theta - m - lr * weight_decay * theta

    return step


def ema(lr, beta, nesterov):
    """The exponential moving average as a velocity."""

    def step(t, theta, g, state):
        v = state["v"] = beta * state.get("v", 0.0) + (1 - beta) * g
        return theta - lr * ((1 - beta) * g + beta * v if nesterov else v)

    return step


with common.File("sgd") as file:
    import optax
    import torch

    def torch_sgd(**options):
        return lambda params: torch.optim.SGD(params, foreach=False, fused=False, **options)

    for name, settings, options in [
        ("plain", LR, {}),
        ("decay", {**LR, "weight_decay": 0.1}, {}),
        ("momentum", MOMENTUM, {}),
        ("nesterov", MOMENTUM, {"nesterov": True}),
        ("dampening", {**MOMENTUM, "dampening": 0.3}, {}),
        ("momentum-decay", {**MOMENTUM, "weight_decay": 0.1}, {}),
        ("nesterov-decay", {**MOMENTUM, "weight_decay": 0.1}, {"nesterov": True}),
        ("dampening-decay", {**MOMENTUM, "dampening": 0.9, "weight_decay": 0.1}, {}),
    ]:
        shown = ", ".join(f"{key}={value}" for key, value in {**settings, **options}.items())
        state = STATE if "momentum" in settings else None
        wide = name in ("plain", "momentum", "nesterov")
        ours = {key: str(value).lower() for key, value in options.items()}
        file.torch(f"sgd-torch-{name}", f"torch.optim.SGD({shown})", torch_sgd(**settings, **options), settings, ours,
                   shape=(1023,) if wide else (65,), state=state)
        file.torch(f"sgd-torch-{name}-f32", f"torch.optim.SGD({shown})", torch_sgd(**settings, **options), settings, ours,
                   shape=(9,), state=state, dtype="f32")

    file.optax("sgd-optax-plain", "optax.sgd(0.01)", optax.sgd(0.01), LR, shape=(65,))
    for nesterov in (False, True):
        name = "nesterov" if nesterov else "momentum"
        file.optax(f"sgd-optax-{name}", f"optax.sgd(0.01, momentum=0.9, nesterov={nesterov})",
                   optax.sgd(0.01, momentum=0.9, nesterov=nesterov), MOMENTUM, {"nesterov": str(nesterov).lower()},
                   shape=(65,), state=lambda kept: {"momentum_buffer": kept[0].trace})
        file.paper(f"sgd-ema-{name}", f"a transcription: moving average, nesterov={nesterov}", ema(0.01, 0.9, nesterov),
                   MOMENTUM, {"convention": "ema", "nesterov": str(nesterov).lower()}, shape=(65,))
    file.paper("sgd-paper-sgdw", "a transcription of Loshchilov & Hutter (2019), Algorithm 1", sgdw(0.01, 0.9, 0.1),
               {**MOMENTUM, "weight_decay": 0.1}, {"decay": "decoupled"})
    file.paper("sgd-paper-sgdw-plain", "a transcription of Loshchilov & Hutter (2019), Algorithm 1", sgdw(0.01, 0.0, 0.1),
               {**LR, "weight_decay": 0.1}, {"decay": "decoupled"}, shape=(65,))
