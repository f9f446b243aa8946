use crate::objective::Objective;
use crate::{Error, Progress, Step, Trace};
use moments::{Optimizer, Rule};

/// Steps `rule` on `objective` from `start`, `steps` times, and records every step.
///
/// ```
/// use moments::Sgd;
/// use moments_lab::{objective::Square, run};
///
/// let rule = Sgd { lr: 0.25, ..Sgd::default() };
/// let trace = run(&Square, &[4.0], rule, 2)?;
/// assert_eq!(trace[0].theta, [2.0]); // x − 0.25 · 2x
/// assert_eq!(trace[1].update, [-1.0]);
/// # Ok::<(), moments_lab::Error>(())
/// ```
///
/// # Errors
/// [`Error::Dimension`] if the start does not fit the objective, [`Error::Step`] if the optimizer refuses a step (a hyperparameter
/// that means nothing, a gradient that is not finite), [`Error::Diverged`] if a parameter is no longer finite.
pub fn run<O, R>(objective: &O, start: &[f64], rule: R, steps: u64) -> Result<Trace, Error>
where
    O: Objective + ?Sized,
    R: Rule,
{
    Run::new(start, rule).on(objective, steps)
}

/// Steps `rule` from `start` on a gradient of your own: `(t, theta) -> (loss, grad)`, with `t` counted from 1.
///
/// Use it for stochastic gradients and for online problems, where the loss changes with `t`.
///
/// # Errors
/// As [`run`]; a gradient of the wrong length is an [`Error::Step`].
pub fn run_with<R, F>(start: &[f64], rule: R, steps: u64, gradient: F) -> Result<Trace, Error>
where
    R: Rule,
    F: FnMut(u64, &[f64]) -> (f64, Vec<f64>),
{
    Run::new(start, rule).with(steps, gradient)
}

type Projection<'a> = Box<dyn FnMut(&mut [f64]) + 'a>;
type Schedule<'a, R> = Box<dyn FnMut(u64, &mut R) + 'a>;

/// A run with more to say than [`run`] can: a projection, a schedule, sparse recording, a stop at divergence.
///
/// In a notebook, a run of more than a second prints how far it is. Jupyter's interrupt ends it after the step at hand and
/// keeps the trace so far; [`Trace::stopped`] then says so.
///
/// ```
/// use moments::Sgd;
/// use moments_lab::{Run, objective::Square};
///
/// let trace = Run::new(&[3.0], Sgd { lr: 0.1, ..Sgd::default() })
///     .clamp(-2.0, 2.0)
///     .schedule(|t, rule| rule.lr = 0.1 / t as f64)
///     .every(10)
///     .on(&Square, 25)?;
/// assert_eq!(trace.iter().map(|s| s.t).collect::<Vec<_>>(), [10, 20, 25]);
/// # Ok::<(), moments_lab::Error>(())
/// ```
pub struct Run<'a, R> {
    start: Vec<f64>,
    rule: R,
    name: Option<String>,
    every: u64,
    stop_when_not_finite: bool,
    projection: Option<Projection<'a>>,
    schedule: Option<Schedule<'a, R>>,
}

impl<'a, R: Rule> Run<'a, R> {
    /// A run of `rule` from `start`, which [`on`](Self::on) or [`with`](Self::with) carries out.
    pub fn new(start: &[f64], rule: R) -> Self {
        Self {
            start: start.to_vec(),
            rule,
            name: None,
            every: 1,
            stop_when_not_finite: false,
            projection: None,
            schedule: None,
        }
    }

    /// Names the trace; otherwise it has the rule's name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Records each `n`-th step and the last one; a long run is then small. 0 counts as 1.
    #[must_use]
    pub fn every(mut self, n: u64) -> Self {
        self.every = n.max(1);
        self
    }

    /// Puts every parameter back into `[low, high]` after each step.
    #[must_use]
    pub fn clamp(self, low: f64, high: f64) -> Self {
        self.project(move |theta| {
            for x in theta {
                *x = x.max(low).min(high);
            }
        })
    }

    /// Changes the parameters after each step, as a projection onto a feasible set does.
    #[must_use]
    pub fn project(mut self, projection: impl FnMut(&mut [f64]) + 'a) -> Self {
        self.projection = Some(Box::new(projection));
        self
    }

    /// Changes the rule before step `t` (from 1), as a schedule of the learning rate does.
    #[must_use]
    pub fn schedule(mut self, schedule: impl FnMut(u64, &mut R) + 'a) -> Self {
        self.schedule = Some(Box::new(schedule));
        self
    }

    /// Ends the run at the first step that is not finite and keeps the trace so far; [`Trace::stopped`] then says why.
    ///
    /// Without this, such a step is an error.
    #[must_use]
    pub fn stop_when_not_finite(mut self) -> Self {
        self.stop_when_not_finite = true;
        self
    }

    /// Runs `steps` steps on an objective.
    ///
    /// # Errors
    /// As [`run`].
    pub fn on<O>(self, objective: &O, steps: u64) -> Result<Trace, Error>
    where
        O: Objective + ?Sized,
    {
        if objective.dim() != self.start.len() {
            return Err(Error::Dimension {
                objective: objective.name().to_string(),
                expected: objective.dim(),
                found: self.start.len(),
            });
        }
        self.with(steps, |_, theta| {
            (objective.loss(theta), objective.grad(theta))
        })
    }

    /// Runs `steps` steps on a gradient of your own: `(t, theta) -> (loss, grad)`, with `t` counted from 1.
    ///
    /// # Errors
    /// As [`run_with`].
    pub fn with<F>(mut self, steps: u64, mut gradient: F) -> Result<Trace, Error>
    where
        F: FnMut(u64, &[f64]) -> (f64, Vec<f64>),
    {
        let mut theta = self.start.clone();
        let mut opt = Optimizer::new(self.rule);
        let mut trace = Trace {
            name: self.name.unwrap_or_else(|| self.rule.name().to_string()),
            start: self.start,
            steps: Vec::new(),
            stopped: None,
        };
        let mut progress = Progress::new(&trace.name, steps);
        for t in 1..=steps {
            if let Some(schedule) = &mut self.schedule {
                schedule(t, &mut opt.rule);
            }
            let before = theta.clone();
            let (loss, grad) = gradient(t, &theta);
            let outcome = opt
                .step(&mut theta, &grad)
                .map_err(|source| Error::Step { t, source })
                .and_then(|()| finite(t, &theta));
            if let Err(error) = outcome {
                if self.stop_when_not_finite && is_divergence(&error) {
                    trace.stopped = Some(error.to_string());
                    break;
                }
                return Err(error);
            }
            if let Some(projection) = &mut self.projection {
                projection(&mut theta);
                finite(t, &theta)?;
            }
            let interrupted = progress.interrupted(t, loss);
            // The last step is always there, so that an interrupted run ends in a step as well.
            if t % self.every == 0 || t == steps || interrupted {
                trace.steps.push(record(&opt, loss, grad, &before, &theta));
            }
            if interrupted && t < steps {
                trace.stopped = Some(format!("interrupted at step {t} of {steps}"));
                break;
            }
        }
        Ok(trace)
    }
}

fn finite(t: u64, theta: &[f64]) -> Result<(), Error> {
    match theta.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(index) => Err(Error::Diverged {
            t,
            index,
            value: theta[index],
        }),
    }
}

fn is_divergence(error: &Error) -> bool {
    matches!(
        error,
        Error::Diverged { .. }
            | Error::Step {
                source: moments::Error::NonFiniteGradient { .. },
                ..
            }
    )
}

/// What the optimizer shows after a step; nothing of it is computed a second time except the corrections.
fn record<R: Rule>(
    opt: &Optimizer<R>,
    loss: f64,
    grad: Vec<f64>,
    before: &[f64],
    theta: &[f64],
) -> Step {
    let t = opt.t();
    let state = |name| opt.state(name).map_or_else(Vec::new, <[f64]>::to_vec);
    let divided = |values: &[f64], by: f64| values.iter().map(|x| x / by).collect();
    let m = match opt.state("exp_avg") {
        Some(m) => m.to_vec(),
        None => state("momentum_buffer"),
    };
    let v = state("exp_avg_sq");
    let (correct_m, correct_v) = opt.rule.corrections(t);
    let update: Vec<f64> = theta.iter().zip(before).map(|(a, b)| a - b).collect();
    Step {
        t,
        loss,
        m_hat: divided(&m, correct_m),
        v_hat: divided(&v, correct_v),
        m,
        v,
        v_max: state("max_exp_avg_sq"),
        grad_norm: norm(&grad),
        update_norm: norm(&update),
        theta_norm: norm(theta),
        grad,
        update,
        theta: theta.to_vec(),
    }
}

/// The Euclidean norm; exact for a single entry.
fn norm(x: &[f64]) -> f64 {
    match x {
        [x] => x.abs(),
        _ => x.iter().map(|x| x * x).sum::<f64>().sqrt(),
    }
}
