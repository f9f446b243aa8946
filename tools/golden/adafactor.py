"""Golden runs of Adafactor: torch's and optax's forms on vectors, matrices and stacks of matrices, and the paper's."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from common import File

jax.config.update("jax_enable_x64", True)

VECTORS = [(1,), (7,), (8,), (9,), (64,), (65,), (1023,)]
MATRICES = [(1, 7), (8, 9), (64, 65), (16, 3, 4)]


def settings(**changes):
    defaults = {
        "lr": 0.01,
        "beta1": 0.0,
        "decay_exponent": 0.8,
        "decay_offset": 0,
        "eps": float("nan"),
        "eps_scale": 1e-3,
        "clip": 1.0,
        "min_dim_size_to_factor": 0,
        "multiply_by_parameter_scale": 1,
        "weight_decay": 0.0,
    }
    return {**defaults, **changes}


def options(form):
    """The three forms differ in where epsilon is, in the rate, in the axes that are factored, and in the decay."""
    return {"form": form}


def words(values):
    return ", ".join(f"{key}={value}" for key, value in values.items())


def torch_run(file, name, shape, dtype="f64", **changes):
    """An eps that is not a number stands for torch's None: the machine epsilon of the type."""
    s = settings(**changes)
    given = {
        "lr": s["lr"],
        "beta2_decay": -s["decay_exponent"],
        "eps": (None if np.isnan(s["eps"]) else s["eps"], s["eps_scale"]),
        "d": s["clip"],
        "weight_decay": s["weight_decay"],
        "foreach": False,
    }
    if len(shape) > 1:
        state = {"exp_avg_sq_row": "row_var", "exp_avg_sq_col": "col_var"}
    else:
        state = {"exp_avg_sq": "variance"}

    def build(params):
        return torch.optim.Adafactor(params, **given)

    source = f"torch.optim.Adafactor({words(changes)})"
    file.torch(name, source, build, s, options("torch"), shape, state, dtype)


def optax_run(file, name, shape, factored=True, **changes):
    """optax.adafactor written out, since it computes 1 - t^-0.8 in float32; here that is in float64, and the momentum too."""
    s = settings(**{"eps": 1e-30, "min_dim_size_to_factor": 128, **changes})

    def decay(step, exponent):
        return 1.0 - (jnp.asarray(step, jnp.float64) + 1.0) ** (-exponent)

    chain = [
        optax.scale_by_factored_rms(
            factored,
            s["decay_exponent"],
            int(s["decay_offset"]),
            int(s["min_dim_size_to_factor"]),
            s["eps"],
            decay,
        )
    ]
    if np.isfinite(s["clip"]):
        chain.append(optax.clip_by_block_rms(s["clip"]))
    chain.append(optax.scale_by_learning_rate(s["lr"], flip_sign=False))
    if s["multiply_by_parameter_scale"]:
        chain.append(optax.scale_by_param_block_rms(s["eps_scale"]))
    momentum = len(chain)
    if s["beta1"]:
        chain.append(optax.ema(s["beta1"], debias=False, accumulator_dtype=jnp.float64))
    if s["weight_decay"]:
        chain.append(optax.add_decayed_weights(s["weight_decay"]))
    chain.append(optax.scale(-1))

    def state(kept):
        named = {}
        if kept[0].v.shape == shape:
            named["exp_avg_sq"] = kept[0].v
        else:
            named |= {"exp_avg_sq_row": kept[0].v_row, "exp_avg_sq_col": kept[0].v_col}
        if s["beta1"]:
            named["exp_avg"] = kept[momentum].ema
        return named

    source = f"optax.adafactor({words(changes)}{'' if factored else ', factored=False'}), in x64 throughout"
    form = "optax" if factored else "optax_unfactored"
    file.optax(name, source, optax.chain(*chain), s, options(form), shape, state)


def paper_run(file, name, shape):
    """Algorithms 4 and 5 of Shazeer & Stern (2018), with sums and not means, and the settings of Algorithm 6."""
    s = settings(eps=1e-30)

    def step(t, theta, grad, state):
        alpha = max(1e-3, np.sqrt(np.mean(theta**2))) * min(1e-2, 1 / np.sqrt(t))
        beta2 = 1 - t**-0.8
        square = grad**2 + 1e-30
        if theta.ndim == 2:
            state["r"] = beta2 * state.get("r", 0.0) + (1 - beta2) * square.sum(axis=1)
            state["c"] = beta2 * state.get("c", 0.0) + (1 - beta2) * square.sum(axis=0)
            v = np.outer(state["r"], state["c"]) / state["r"].sum()
        else:
            v = state["v"] = beta2 * state.get("v", 0.0) + (1 - beta2) * square
        u = grad / np.sqrt(v)
        return theta - alpha * u / max(1.0, np.sqrt(np.mean(u**2)) / 1.0)

    file.paper(name, "Algorithms 4 to 6 of arXiv:1804.04235", step, s, options("paper"), shape)


def label(shape):
    return "x".join(map(str, shape))


with File("adafactor") as file:
    for shape in VECTORS + MATRICES:
        torch_run(file, f"adafactor-torch-{label(shape)}", shape)
    for shape in [(9,), (8, 9), (3, 5, 4)]:
        torch_run(
            file,
            f"adafactor-torch-options-{label(shape)}",
            shape,
            lr=0.3,
            decay_exponent=0.5,
            eps=1e-2,
            eps_scale=0.9,
            clip=1.5,
            weight_decay=0.1,
        )
    torch_run(file, "adafactor-torch-f32", (9,), "f32", weight_decay=0.1)
    # torch squares norms that it has rounded, and so is 2 ulp off in the averages themselves; where a parameter is as small
    # as its step (lr 0.01) half an ulp of that shows on top.
    torch_run(file, "adafactor-torch-f32-matrix", (8, 9), "f32", lr=0.001, weight_decay=0.1)
    for shape in VECTORS:
        optax_run(file, f"adafactor-optax-{label(shape)}", shape)
    optax_run(file, "adafactor-optax-small-8x9", (8, 9))
    for shape in [(2, 7), (8, 9), (64, 65), (16, 3, 4), (3, 16, 4), (4, 16, 3)]:
        optax_run(file, f"adafactor-optax-{label(shape)}", shape, min_dim_size_to_factor=2)
    for shape in [(8, 9), (16, 3, 4), (3, 16, 4)]:
        optax_run(
            file,
            f"adafactor-optax-options-{label(shape)}",
            shape,
            lr=0.1,
            min_dim_size_to_factor=2,
            beta1=0.9,
            decay_exponent=0.6,
            decay_offset=-5,
            clip=2.0,
            weight_decay=0.01,
        )
    optax_run(file, "adafactor-optax-unfactored", (8, 9), factored=False, min_dim_size_to_factor=2, beta1=0.5)
    optax_run(
        file,
        "adafactor-optax-plain",
        (8, 9),
        min_dim_size_to_factor=2,
        clip=float("inf"),
        multiply_by_parameter_scale=0,
        eps=1e-3,
        weight_decay=0.01,
    )
    optax_run(file, "adafactor-optax-scale", (9,), clip=1.2, eps_scale=0.7, beta1=0.8)
    for shape in [(65,), (8, 9)]:
        paper_run(file, f"adafactor-paper-{label(shape)}", shape)
