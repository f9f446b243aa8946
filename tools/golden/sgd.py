"""Golden runs of SGD: PyTorch, optax, and a transcription of SGDW."""

import common
import numpy as np

STATE = {"momentum_buffer": "momentum_buffer"}
LR = {"lr": 0.01}
MOMENTUM = {**LR, "momentum": 0.9}


def sgdw(lr, momentum, weight_decay):
    """SGDW with a constant rate, by which the decay is scaled too."""

    def step(t, theta, g, state):
        m = state["m"] = momentum * state.get("m", 0.0) + lr * g
        return theta - m - lr * weight_decay * theta

    return step


def sgdw_paper(alpha, momentum, weight_decay):
    """Algorithm 1 of Loshchilov & Hutter (2019), lines 8 and 9, with a falling schedule multiplier, which alone scales the decay."""

    def step(t, theta, g, state):
        eta = common.falling(t)
        m = state["m"] = momentum * state.get("m", 0.0) + eta * alpha * g
        return theta - m - eta * weight_decay * theta

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

    SGDW = common.timm_module("sgdw").SGDW

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
    file.paper("sgd-paper-sgdw-schedule", "a transcription of Loshchilov & Hutter (2019), Algorithm 1, falling multiplier",
               sgdw_paper(0.01, 0.9, 0.001), {**MOMENTUM, "weight_decay": 0.001, "peak_lr": 0.01},
               {"decay": "decoupled", "decay_scale": "multiplier", "lr_at": "inside", "schedule": "falling"}, shape=(65,))
    file.torch("sgd-torch-schedule", "torch.optim.SGD(lr=0.01, momentum=0.9) with a falling rate",
               lambda params: common.Falling(torch_sgd(**MOMENTUM)(params)), MOMENTUM, {"schedule": "falling"}, shape=(65,), state=STATE)
    for nesterov in (False, True):
        name = "timm-sgdw-nesterov" if nesterov else "timm-sgdw"
        file.timm(f"sgd-{name}", f"timm.optim.SGDW(lr=0.01, momentum=0.9, weight_decay=0.1, nesterov={nesterov}) with a falling rate",
                   lambda params: common.Falling(SGDW(params, **MOMENTUM, weight_decay=0.1, nesterov=nesterov, foreach=False)),
                   {**MOMENTUM, "weight_decay": 0.1},
                   {"decay": "decoupled", "schedule": "falling", "nesterov": str(nesterov).lower()}, shape=(65,), state=STATE)
    file.paper("sgd-paper-sgdw-plain", "a transcription of Loshchilov & Hutter (2019), Algorithm 1", sgdw(0.01, 0.0, 0.1),
               {**LR, "weight_decay": 0.1}, {"decay": "decoupled"}, shape=(65,))
