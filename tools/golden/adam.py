"""Golden runs of Adam: PyTorch, optax, and transcriptions of the incomplete corrections and of the form with epsilon before the correction."""

import common
import numpy as np

STATE = {"exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq"}
BASE = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.1}
OTHER = {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.0}


def optax_state(kept):
    return {"exp_avg": kept[0].mu, "exp_avg_sq": kept[0].nu}


def paper(settings, correct_m=True, correct_v=True, efficient=False):
    """Kingma & Ba (2014), Algorithm 1, or the efficient form at the end of section 2."""
    lr, beta1, beta2, eps = (settings[key] for key in ("lr", "beta1", "beta2", "eps"))

    def step(t, theta, g, state):
        m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
        v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g**2
        if efficient:
            rate = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
            return theta - rate * m / (np.sqrt(v) + eps)
        m_hat = m / (1 - beta1**t) if correct_m else m
        v_hat = v / (1 - beta2**t) if correct_v else v
        return theta - lr * m_hat / (np.sqrt(v_hat) + eps)

    return step


with common.File("adam") as file:
    import optax
    import torch

    def torch_adam(s):
        betas = (s["beta1"], s["beta2"])
        options = {"lr": s["lr"], "betas": betas, "eps": s["eps"], "weight_decay": s["weight_decay"]}
        return lambda params: torch.optim.Adam(params, foreach=False, fused=False, **options)

    file.torch(
        "adam-torch-defaults",
        "torch.optim.Adam()",
        lambda params: torch.optim.Adam(params, foreach=False, fused=False),
        {},
        {"preset": "torch"},
        shape=(65,),
        state=STATE,
    )
    file.torch(
        "adam-torch-other",
        "torch.optim.Adam(lr=0.02, betas=(0.8, 0.95), eps=1e-3)",
        torch_adam(OTHER),
        OTHER,
        state=STATE,
    )
    file.torch(
        "adam-torch-weight-decay",
        "torch.optim.Adam(lr=0.01, weight_decay=0.1)",
        torch_adam(BASE),
        BASE,
        shape=(65,),
        state=STATE,
    )
    file.optax(
        "adam-optax-defaults",
        "optax.adam(1e-3)",
        optax.adam(1e-3),
        {},
        {"preset": "optax"},
        shape=(65,),
        state=optax_state,
    )
    file.optax(
        "adam-optax-eps-root",
        "optax.adam(0.02, b1=0.8, b2=0.95, eps=1e-3, eps_root=1e-4)",
        optax.adam(0.02, 0.8, 0.95, 1e-3, 1e-4),
        {**OTHER, "eps_root": 1e-4},
        state=optax_state,
    )
    for name, what, options in (
        ("both", "Algorithm 1", {}),
        ("first", "Algorithm 1, m alone corrected", {"correct_v": False}),
        ("second", "Algorithm 1, v alone corrected", {"correct_m": False}),
        ("neither", "Algorithm 1, neither corrected", {"correct_m": False, "correct_v": False}),
    ):
        file.paper(
            f"adam-paper-{name}",
            f"Kingma & Ba (2014), {what}",
            paper(OTHER, **options),
            OTHER,
            {"bias_correction": name},
            shape=(65,),
        )
    file.paper(
        "adam-paper-efficient",
        "Kingma & Ba (2014), the efficient form of section 2",
        paper(OTHER, efficient=True),
        OTHER,
        {"eps_at": "uncorrected"},
        shape=(65,),
    )
    file.torch(
        "adam-torch-f32",
        "torch.optim.Adam(lr=0.01, weight_decay=0.1), float32",
        torch_adam(BASE),
        BASE,
        shape=(9,),
        state=STATE,
        dtype="f32",
    )
