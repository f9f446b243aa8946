"""Golden runs of schedule-free AdamW and SGD: the authors' package, optax's, and the paper's form of the correction.

Needs, besides what common.py needs: pip install schedulefree
"""

from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
import optax
import schedulefree
from common import File

jax.config.update("jax_enable_x64", True)


def settings(adamw, **changes):
    shared = {"lr": 0.0025 if adamw else 0.01, "beta1": 0.9}
    own = {"beta2": 0.999, "eps": 1e-8} if adamw else {}
    rest = {"weight_decay": 0.0, "warmup_steps": 0, "r": 0.0, "weight_lr_power": 2.0}
    return {**shared, **own, **rest, **changes}


def options(adamw, form="authors", decay_at="y"):
    return {"rule": "adamw" if adamw else "sgd", "form": form, "decay_at": decay_at}


def authors(file, name, adamw, shape=(1023,), dtype="f64", reference=False, **changes):
    s = settings(adamw, **changes)
    given = {key: s[key] for key in ["lr", "weight_decay", "r", "weight_lr_power"]}
    given |= {"warmup_steps": int(s["warmup_steps"]), "foreach": False}
    if adamw:
        kind = schedulefree.AdamWScheduleFreeReference if reference else schedulefree.AdamWScheduleFree
        given |= {"betas": (s["beta1"], s["beta2"]), "eps": s["eps"]}
        if reference:
            given |= {"decay_at_z": True}
    else:
        kind = schedulefree.SGDScheduleFree
        given |= {"momentum": s["beta1"]}

    def build(params):
        opt = kind(params, **given)
        opt.train()
        return opt

    state = {"z": "z", "exp_avg_sq": "exp_avg_sq"} if adamw else {"z": "z"}
    arguments = ", ".join(f"{key}={value}" for key, value in changes.items())
    source = f"schedulefree.{kind.__name__}({arguments}{', decay_at_z=True' if reference else ''})"
    file.torch(name, source, build, s, options(adamw, "authors", "z" if reference else "y"), shape, state, dtype)


def optax_run(file, name, adamw, **changes):
    s = settings(adamw, **changes)
    rate = s["lr"]
    if s["warmup_steps"]:
        # optax's own warm-up divides in float32, which is 4e-7 off; this is the same line in float64.
        def rate(count):
            return s["lr"] * jnp.minimum(jnp.asarray(count, jnp.float64) / s["warmup_steps"], 1.0)

    if adamw:
        first = optax.scale_by_rms(decay=s["beta2"], eps=s["eps"], eps_in_sqrt=False, bias_correction=True)
        base = [first, optax.add_decayed_weights(s["weight_decay"]), optax.scale_by_learning_rate(rate)]
    else:
        base = [optax.add_decayed_weights(s["weight_decay"]), optax.sgd(rate)]
    opt = optax.contrib.schedule_free(
        optax.chain(*base), learning_rate=rate, b1=s["beta1"], weight_lr_power=s["weight_lr_power"]
    )
    arguments = ", ".join(f"{key}={value}" for key, value in changes.items())
    source = f"optax.contrib.schedule_free of {'adamw' if adamw else 'sgd'}({arguments})"

    def state(kept):
        named = {"z": kept.z}
        if adamw:
            named["exp_avg_sq"] = kept.base_optimizer_state[0].nu
        return named

    file.optax(name, source, opt, s, options(adamw, "optax"), state=state)


def paper(file, name, **changes):
    """Algorithm 1 of Defazio et al. (2024), with the point of evaluation x kept as it stands there."""
    s = settings(True, **changes)

    def step(t, y, grad, state):
        if t == 1:
            state.update(z=y.copy(), x=y.copy(), v=np.zeros_like(y), weights=0.0)
        warm = min(1.0, t / s["warmup_steps"]) if s["warmup_steps"] else 1.0
        gamma = s["lr"] * np.sqrt(1 - s["beta2"] ** t) * warm
        state["v"] = s["beta2"] * state["v"] + (1 - s["beta2"]) * grad**2
        direction = grad / (np.sqrt(state["v"]) + s["eps"])
        state["z"] = state["z"] - gamma * direction - gamma * s["weight_decay"] * y
        state["weights"] += gamma**2
        c = gamma**2 / state["weights"]
        state["x"] = (1 - c) * state["x"] + c * state["z"]
        return (1 - s["beta1"]) * state["z"] + s["beta1"] * state["x"]

    file.paper(name, "Algorithm 1 of arXiv:2405.15682", step, s, options(True, "paper"))


with File("schedule_free") as file:
    file.tools.append(f"schedulefree {version('schedulefree')}")
    authors(file, "schedule-free-adamw", True)
    authors(file, "schedule-free-adamw-options", True, weight_decay=0.1, warmup_steps=20, r=0.5, lr=0.01, beta1=0.95)
    authors(file, "schedule-free-adamw-power", True, weight_lr_power=0.0, r=1.0, beta2=0.99, eps=1e-3)
    authors(file, "schedule-free-adamw-decay-at-z", True, reference=True, weight_decay=0.2, warmup_steps=10, lr=0.02)
    authors(file, "schedule-free-sgd", False)
    authors(file, "schedule-free-sgd-options", False, weight_decay=0.1, warmup_steps=30, r=1.5, weight_lr_power=1.0)
    authors(file, "schedule-free-adamw-f32", True, (9,), "f32", weight_decay=0.1, warmup_steps=20)
    authors(file, "schedule-free-sgd-f32", False, (9,), "f32", weight_decay=0.1, warmup_steps=20)
    optax_run(file, "schedule-free-adamw-optax", True)
    optax_run(file, "schedule-free-adamw-optax-options", True, weight_decay=0.1, warmup_steps=20, beta1=0.95)
    optax_run(file, "schedule-free-sgd-optax", False)
    optax_run(file, "schedule-free-sgd-optax-options", False, weight_decay=0.1, warmup_steps=20, weight_lr_power=1.0)
    paper(file, "schedule-free-adamw-paper", weight_decay=0.1, warmup_steps=25, beta2=0.99)
