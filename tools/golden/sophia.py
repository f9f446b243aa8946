"""Golden runs of Sophia: optax's, which is given the recorded curvature, and the paper's."""

import numpy as np
import optax
from common import File, curvature


def settings(
    lr=0.01, beta1=0.965, beta2=0.99, gamma=0.01, eps=1e-8, clip=1.0, weight_decay=1e-4, every=10
):
    return {
        "lr": lr,
        "beta1": beta1,
        "beta2": beta2,
        "gamma": gamma,
        "eps": eps,
        "clip": clip,
        "weight_decay": weight_decay,
        "every": every,
    }


def given(shape):
    """Stands in for optax's estimator; it counts its own calls, of which there is one in `every` steps."""
    import jax
    import jax.numpy as jnp

    def init(params):
        del params
        return jnp.zeros([], jnp.int32)

    def make(every):
        table = np.stack([curvature(t, shape) for t in range(1, 101, every)])

        def update(updates, state, params=None):
            del updates, params
            return jnp.asarray(table)[state], state + 1

        return optax.GradientTransformation(init, update)

    jax.config.update("jax_enable_x64", True)
    return make


def optax_run(file, name, shape=(1023,), **changes):
    s = settings(**changes)
    clip = None if np.isinf(s["clip"]) else s["clip"]
    opt = optax.contrib.sophia(
        s["lr"],
        b1=s["beta1"],
        b2=s["beta2"],
        eps=s["eps"],
        weight_decay=s["weight_decay"],
        gamma=s["gamma"],
        clip_threshold=clip,
        update_interval=int(s["every"]),
        hessian_diagonal_fn=given(shape)(int(s["every"])),
    )
    arguments = ", ".join(f"{key}={value}" for key, value in changes.items())
    file.optax(
        name,
        f"optax.contrib.sophia({arguments}), given the curvature",
        opt,
        s,
        {"momentum": "corrected"},
        shape,
        lambda kept: {"exp_avg": kept[0].mu, "hessian": kept[0].nu},
    )


def paper(file, name, **changes):
    """Algorithm 3 of Liu et al. (2023): the curvature of step t is used in step t."""
    s = settings(**changes)

    def step(t, theta, grad, state):
        m = s["beta1"] * state.get("m", 0.0) + (1 - s["beta1"]) * grad
        h = state.get("h", np.zeros_like(theta))
        if t % s["every"] == 1 or s["every"] == 1:
            h = s["beta2"] * h + (1 - s["beta2"]) * curvature(t, theta.shape)
        state["m"], state["h"] = m, h
        theta = theta - s["lr"] * s["weight_decay"] * theta
        return theta - s["lr"] * np.clip(m / np.maximum(s["gamma"] * h, s["eps"]), -s["clip"], s["clip"])

    file.paper(name, "Algorithm 3 of arXiv:2305.14342", step, s, {"momentum": "uncorrected"})


with File("sophia") as file:
    optax_run(file, "sophia-optax")
    optax_run(file, "sophia-optax-every", every=1, gamma=0.5, clip=0.05, weight_decay=0.1)
    optax_run(file, "sophia-optax-unclipped", clip=float("inf"), eps=0.5, every=3)
    paper(file, "sophia-paper", beta1=0.96, eps=1e-12, weight_decay=0.2)
    paper(file, "sophia-paper-every", every=1, beta2=0.9, gamma=0.05, lr=0.1)
