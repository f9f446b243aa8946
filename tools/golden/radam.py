"""Golden runs of RAdam: PyTorch, optax, and the paper's threshold of 4 without epsilon."""

import common
import numpy as np

STATE = {"exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq"}
BASE = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.1}
OTHER = {"lr": 0.02, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3, "weight_decay": 0.0}
TORCH = {"eps_at": "uncorrected", "divided": "above"}
OPTAX = {"eps_at": "corrected", "divided": "at_least"}


def optax_state(kept):
    return {"exp_avg": kept[0].mu, "exp_avg_sq": kept[0].nu}


def paper(settings):
    """Liu et al. (2020), Algorithm 2."""
    lr, beta1, beta2 = settings["lr"], settings["beta1"], settings["beta2"]
    rho_inf = 2 / (1 - beta2) - 1

    def step(t, theta, g, state):
        v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * g**2
        m = state["m"] = beta1 * state.get("m", 0.0) + (1 - beta1) * g
        m_hat = m / (1 - beta1**t)
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        if rho <= 4:
            return theta - lr * m_hat
        r = np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
        return theta - lr * r * m_hat * np.sqrt((1 - beta2**t) / v)

    return step


with common.File("radam") as file:
    import optax
    import torch

    def torch_radam(s, **kwargs):
        betas = (s["beta1"], s["beta2"])
        options = {"lr": s["lr"], "betas": betas, "eps": s["eps"], "weight_decay": s["weight_decay"], **kwargs}
        return lambda params: torch.optim.RAdam(params, foreach=False, **options)

    file.torch(
        "radam-torch-defaults",
        "torch.optim.RAdam()",
        lambda params: torch.optim.RAdam(params, foreach=False),
        {},
        {"preset": "torch"},
        shape=(65,),
        state=STATE,
    )
    file.torch(
        "radam-torch",
        "torch.optim.RAdam(lr=0.02, betas=(0.8, 0.9), eps=1e-3)",
        torch_radam(OTHER),
        OTHER,
        TORCH,
        state=STATE,
    )
    for decoupled in ("false", "true"):
        file.torch(
            "radam-torch-decoupled" if decoupled == "true" else "radam-torch-weight-decay",
            f"torch.optim.RAdam(lr=0.01, weight_decay=0.1, decoupled_weight_decay={decoupled.title()})",
            torch_radam(BASE, decoupled_weight_decay=decoupled == "true"),
            BASE,
            {**TORCH, "decoupled": decoupled},
            shape=(65,),
            state=STATE,
        )
    file.optax(
        "radam-optax-defaults",
        "optax.radam(1e-3)",
        optax.radam(1e-3),
        {},
        {"preset": "optax"},
        shape=(65,),
        state=optax_state,
    )
    file.optax(
        "radam-optax",
        "optax.radam(0.02, b1=0.8, b2=0.9, eps=1e-3, eps_root=1e-4)",
        optax.radam(0.02, 0.8, 0.9, 1e-3, 1e-4),
        {**OTHER, "eps_root": 1e-4},
        OPTAX,
        state=optax_state,
    )
    file.optax(
        "radam-optax-nesterov",
        "optax.radam(0.02, b1=0.8, b2=0.9, eps=1e-3, threshold=9, nesterov=True)",
        optax.radam(0.02, 0.8, 0.9, 1e-3, threshold=9.0, nesterov=True),
        {**OTHER, "threshold": 9.0},
        {**OPTAX, "nesterov": "true"},
        shape=(65,),
        state=optax_state,
    )
    # With beta2 = 0.625 the powers vanish before step 100: rho_t becomes rho_inf, and only >= is met.
    limit = 2.0 / (1.0 - 0.625) - 1.0
    file.optax(
        "radam-optax-threshold-met",
        "optax.radam(0.02, b1=0.8, b2=0.625, eps=1e-3, threshold=2/(1 - 0.625) - 1)",
        optax.radam(0.02, 0.8, 0.625, 1e-3, threshold=limit),
        {**OTHER, "beta2": 0.625, "threshold": limit},
        OPTAX,
        shape=(9,),
        state=optax_state,
    )
    # Seven entries: without epsilon, one that has had no gradient is 0/0.
    file.paper(
        "radam-paper",
        "Liu et al. (2020), Algorithm 2",
        paper({**OTHER, "eps": 0.0}),
        {**OTHER, "eps": 0.0, "threshold": 4.0},
        TORCH,
        shape=(7,),
    )
    file.torch(
        "radam-torch-f32",
        "torch.optim.RAdam(lr=0.01, weight_decay=0.1), float32",
        torch_radam(BASE),
        BASE,
        TORCH,
        shape=(9,),
        state=STATE,
        dtype="f32",
    )
