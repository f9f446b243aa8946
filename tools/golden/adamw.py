"""Golden runs of AdamW: PyTorch, optax, and two transcriptions where neither has the form."""

import common
import numpy as np

STATE = {"exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq"}
BASE = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.1}
OTHER = {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.3}


def optax_state(kept):
    return {"exp_avg": kept[0].mu, "exp_avg_sq": kept[0].nu}


def paper(settings, decay, peak_lr=None, schedule=lambda t: 1.0):
    """Algorithm 2 of Loshchilov & Hutter (2019), with the decay where `decay` says.

    In the paper's words alpha is the rate and eta_t the schedule multiplier: theta <- theta - eta_t (alpha m^/(sqrt v^ + eps) + lambda theta).
    Where there is no `peak_lr`, the decay is scaled by the rate too.
    """
    lr, beta1, beta2 = settings["lr"], settings["beta1"], settings["beta2"]
    eps, weight_decay = settings["eps"], settings["weight_decay"]

    def step(t, theta, g, state):
        if t == 1:
            state.update(m=np.zeros_like(g), v=np.zeros_like(g))
        m = state["m"] = beta1 * state["m"] + (1 - beta1) * g
        v = state["v"] = beta2 * state["v"] + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        if peak_lr is None:
            rate, shrink = lr, lr * weight_decay
        else:
            rate, shrink = schedule(t) * peak_lr, schedule(t) * weight_decay
        step = rate * m_hat / (np.sqrt(v_hat) + eps)
        if decay == "within":
            return theta - step - shrink * theta
        moved = theta - step
        return moved - shrink * moved

    return step


def falling(t):
    return 1 - (t - 1) / 200


with common.File("adamw") as file:
    import optax
    import torch

    def torch_adamw(s, cls=torch.optim.AdamW, **kwargs):
        betas = (s["beta1"], s["beta2"])
        options = {"lr": s["lr"], "betas": betas, "eps": s["eps"], "weight_decay": s["weight_decay"], **kwargs}
        return lambda params: cls(params, foreach=False, fused=False, **options)

    def optax_adamw(s, **kwargs):
        return optax.adamw(s["lr"], s["beta1"], s["beta2"], s["eps"], weight_decay=s["weight_decay"], **kwargs)

    file.torch(
        "adamw-torch-defaults",
        "torch.optim.AdamW()",
        lambda params: torch.optim.AdamW(params, foreach=False, fused=False),
        {},
        {"preset": "torch"},
        shape=(65,),
        state=STATE,
    )
    file.torch(
        "adamw-torch",
        "torch.optim.AdamW(lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.3)",
        torch_adamw(OTHER),
        OTHER,
        {"decay": "before"},
        state=STATE,
    )
    file.torch(
        "adamw-torch-adam",
        "torch.optim.Adam(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True)",
        torch_adamw(BASE, torch.optim.Adam, decoupled_weight_decay=True),
        BASE,
        {"decay": "before"},
        shape=(65,),
        state=STATE,
    )
    file.optax(
        "adamw-optax-defaults",
        "optax.adamw(1e-3)",
        optax.adamw(1e-3),
        {},
        {"preset": "optax"},
        shape=(65,),
        state=optax_state,
    )
    file.optax(
        "adamw-optax",
        "optax.adamw(0.02, b1=0.8, b2=0.95, eps=1e-3, weight_decay=0.3)",
        optax_adamw(OTHER),
        OTHER,
        {"decay": "within"},
        state=optax_state,
    )
    file.optax(
        "adamw-optax-eps-root",
        "optax.adamw(0.01, eps_root=1e-4, weight_decay=0.1)",
        optax_adamw(BASE, eps_root=1e-4),
        {**BASE, "eps_root": 1e-4},
        {"decay": "within"},
        shape=(65,),
        state=optax_state,
    )
    file.optax(
        "adamw-optax-nesterov",
        "optax.adamw(0.01, weight_decay=0.1, nesterov=True) (= optax.nadamw)",
        optax_adamw(BASE, nesterov=True),
        BASE,
        {"decay": "within", "nesterov": "true"},
        shape=(65,),
        state=optax_state,
    )
    file.paper(
        "adamw-after",
        "Loshchilov & Hutter (2019), Algorithm 2, with the decay after the step",
        paper(OTHER, "after"),
        OTHER,
        {"decay": "after"},
    )
    for decay in ("within", "after"):
        file.paper(
            f"adamw-paper-{decay}",
            f"Loshchilov & Hutter (2019), Algorithm 2, falling multiplier, decay {decay}, lambda 0.01",
            paper({**BASE, "weight_decay": 0.01}, decay, 0.01, falling),
            {**BASE, "weight_decay": 0.01, "peak_lr": 0.01},
            {"decay": decay, "decay_scale": "multiplier", "schedule": "falling"},
            shape=(65,),
        )
    file.torch(
        "adamw-torch-f32",
        "torch.optim.AdamW(lr=0.01, weight_decay=0.1), float32",
        torch_adamw(BASE),
        BASE,
        {"decay": "before"},
        shape=(9,),
        state=STATE,
        dtype="f32",
    )
