"""Golden runs of Lion: optax, and a transcription of the paper."""

import common
import numpy as np

BASE = {"lr": 0.01, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0}
OTHER = {"lr": 0.02, "beta1": 0.5, "beta2": 0.8, "weight_decay": 0.3}


def optax_state(kept):
    return {"exp_avg": kept[0].mu}


def paper(settings):
    """Chen et al. (2023), Algorithm 2."""
    lr, beta1, beta2, weight_decay = (settings[key] for key in ("lr", "beta1", "beta2", "weight_decay"))

    def step(t, theta, g, state):
        m = state.get("m", 0.0 * g)
        interpolated = beta1 * m + (1 - beta1) * g
        state["m"] = beta2 * m + (1 - beta2) * g
        return theta - lr * (np.sign(interpolated) + weight_decay * theta)

    return step


with common.File("lion") as file:
    import optax

    def chain(s, mode, smooth_beta=1.0):
        return optax.chain(
            optax.scale_by_lion(s["beta1"], s["beta2"], mode=mode, smooth_beta=smooth_beta),
            optax.add_decayed_weights(s["weight_decay"]),
            optax.scale_by_learning_rate(s["lr"]),
        )

    file.optax(
        "lion-optax-defaults",
        "optax.lion(1e-4)",
        optax.lion(1e-4),
        {},
        {"preset": "optax"},
        shape=(65,),
        state=optax_state,
    )
    file.optax(
        "lion-optax",
        "optax.lion(0.02, b1=0.5, b2=0.8, weight_decay=0.3)",
        optax.lion(0.02, 0.5, 0.8, weight_decay=0.3),
        OTHER,
        {"mode": "hard"},
        state=optax_state,
    )
    file.optax(
        "lion-optax-refined",
        "optax.scale_by_lion(mode='refined'), add_decayed_weights(0.3), lr 0.02",
        chain(OTHER, "refined"),
        OTHER,
        {"mode": "refined"},
        shape=(65,),
        state=optax_state,
    )
    file.optax(
        "lion-optax-smooth",
        "optax.scale_by_lion(mode='smooth', smooth_beta=2.5), lr 0.01",
        chain(BASE, "smooth", 2.5),
        {**BASE, "smooth_beta": 2.5},
        {"mode": "smooth"},
        shape=(65,),
        state=optax_state,
    )
    file.paper("lion-paper", "Chen et al. (2023), Algorithm 2", paper(BASE), BASE, {"mode": "hard"}, shape=(65,))
