"""Golden runs of diffGrad, from transcriptions: neither PyTorch nor optax has it."""

import common
import numpy as np

BASE = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
OTHER = {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.3}


def transcription(settings, eps_at):
    """Dubey et al. (2020): Adam's step times the friction of the change of the gradient.

    The paper adds epsilon to the corrected root. The authors' code folds the corrections into the rate
    and adds epsilon to the uncorrected one.
    """
    lr, beta1, beta2 = settings["lr"], settings["beta1"], settings["beta2"]
    eps, weight_decay = settings["eps"], settings["weight_decay"]

    def step(t, theta, g, state):
        if t == 1:
            state.update(m=np.zeros_like(g), v=np.zeros_like(g), g=np.zeros_like(g))
        g = g + weight_decay * theta
        friction = 1 / (1 + np.exp(-np.abs(state["g"] - g)))
        m = beta1 * state["m"] + (1 - beta1) * g
        v = beta2 * state["v"] + (1 - beta2) * g * g
        state.update(m=m, v=v, g=g.copy())
        if eps_at == "corrected":
            m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
            return theta - lr * friction * m_hat / (np.sqrt(v_hat) + eps)
        rate = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        return theta - rate * (m * friction) / (np.sqrt(v) + eps)

    return step


with common.File("diffgrad") as file:
    for name, source, settings, eps_at, shape in (
        ("diffgrad-paper", "Dubey et al. (2020)", BASE, "corrected", (1023,)),
        ("diffgrad-paper-weight-decay", "Dubey et al. (2020), coupled decay", OTHER, "corrected", (65,)),
        ("diffgrad-authors-code", "the authors' form: epsilon before the correction", OTHER, "uncorrected", (65,)),
    ):
        file.paper(name, source, transcription(settings, eps_at), settings, {"eps_at": eps_at}, shape)
