"""Golden runs of Adamax: PyTorch, optax, and the paper's form without epsilon."""

import common
import numpy as np

STATE = {"exp_avg": "exp_avg", "exp_inf": "exp_inf"}
BASE = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.1}
OTHER = {"lr": 0.02, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.0}


def optax_state(kept):
    return {"exp_avg": kept[0].mu, "exp_inf": kept[0].nu}


def paper(settings):
    """Kingma & Ba (2014), Algorithm 2.."""
    lr, beta1, beta2 = settings["lr"], settings["beta1"], settings["beta2"]

    def step(t, theta, g, state):
        m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
        u = state["u"] = np.maximum(beta2 * state.get("u", 0.0 * g), np.abs(g))
        return theta - lr / (1 - beta1**t) * m / u

    return step


with common.File("adamax") as file:
    import optax
    import torch

    def torch_adamax(s):
        betas = (s["beta1"], s["beta2"])
        options = {"lr": s["lr"], "betas": betas, "eps": s["eps"], "weight_decay": s["weight_decay"]}
        return lambda params: torch.optim.Adamax(params, foreach=False, **options)

    file.torch(
        "adamax-torch-defaults",
        "torch.optim.Adamax()",
        lambda params: torch.optim.Adamax(params, foreach=False),
        {},
        {"preset": "torch"},
        shape=(65,),
        state=STATE,
    )
    file.torch(
        "adamax-torch",
        "torch.optim.Adamax(lr=0.02, betas=(0.8, 0.9), eps=1e-3)",
        torch_adamax(OTHER),
        OTHER,
        state=STATE,
    )
    file.torch(
        "adamax-torch-weight-decay",
        "torch.optim.Adamax(lr=0.01, weight_decay=0.1)",
        torch_adamax(BASE),
        BASE,
        shape=(65,),
        state=STATE,
    )
    file.optax(
        "adamax-optax-defaults",
        "optax.adamax(2e-3)",
        optax.adamax(2e-3),
        {},
        {"preset": "optax"},
        shape=(65,),
        state=optax_state,
    )
    file.optax(
        "adamax-optax",
        "optax.adamax(0.02, b1=0.8, b2=0.9, eps=1e-3)",
        optax.adamax(0.02, 0.8, 0.9, 1e-3),
        OTHER,
        state=optax_state,
    )
    file.optax(
        "adamax-optax-decoupled",
        "optax.adamaxw(0.01, weight_decay=0.1)",
        optax.adamaxw(0.01, weight_decay=0.1),
        BASE,
        {"decoupled": "true"},
        shape=(65,),
        state=optax_state,
    )
    # Seven entries: without epsilon, one that has had no gradient is 0/0.
    file.paper(
        "adamax-paper",
        "Kingma & Ba (2014), Algorithm 2",
        paper({**OTHER, "eps": 0.0}),
        {**OTHER, "eps": 0.0},
        shape=(7,),
    )
    file.torch(
        "adamax-torch-f32",
        "torch.optim.Adamax(lr=0.01, weight_decay=0.1), float32",
        torch_adamax(BASE),
        BASE,
        shape=(9,),
        state=STATE,
        dtype="f32",
    )
