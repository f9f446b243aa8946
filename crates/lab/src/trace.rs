use crate::{Format, Table, display, format};
use std::fmt::Write as _;
use std::ops::Index;

/// One step of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The step, counted from 1.
    pub t: u64,
    /// The loss at the point before the step.
    pub loss: f64,
    /// The parameters after the step.
    pub theta: Vec<f64>,
    /// The gradient at the point before the step.
    pub grad: Vec<f64>,
    /// The first moment, uncorrected (`exp_avg` or `momentum_buffer`); empty if the rule keeps none.
    pub m: Vec<f64>,
    /// The second moment, uncorrected (`exp_avg_sq`); empty if the rule keeps none.
    pub v: Vec<f64>,
    /// `m` divided by the rule's correction at `t`.
    pub m_hat: Vec<f64>,
    /// `v` divided by the rule's correction at `t`.
    pub v_hat: Vec<f64>,
    /// The largest second moment so far, as AMSGrad stores it (`max_exp_avg_sq`); empty for other rules.
    pub v_max: Vec<f64>,
    /// What the step changed: `theta` now minus `theta` before, after any projection.
    pub update: Vec<f64>,
    /// The Euclidean norm of `grad`.
    pub grad_norm: f64,
    /// The Euclidean norm of `update`.
    pub update_norm: f64,
    /// The Euclidean norm of `theta`.
    pub theta_norm: f64,
}

/// A vector of a step by name.
type Field = (&'static str, fn(&Step) -> &Vec<f64>);

/// The vectors of a step in the order of tables and CSV.
const FIELDS: [Field; 8] = [
    ("theta", |s| &s.theta),
    ("grad", |s| &s.grad),
    ("m", |s| &s.m),
    ("v", |s| &s.v),
    ("m_hat", |s| &s.m_hat),
    ("v_hat", |s| &s.v_hat),
    ("v_max", |s| &s.v_max),
    ("update", |s| &s.update),
];

/// A recorded run: where it started and what each step did.
///
/// `trace[0]` is the first recorded step, which is t = 1 unless [`Run::every`](crate::Run::every) left steps out.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The rule's name, or the one given.
    pub name: String,
    /// The parameters before the first step.
    pub start: Vec<f64>,
    /// The recorded steps.
    pub steps: Vec<Step>,
    /// Why the run ended before its last step, if it did.
    pub stopped: Option<String>,
}

impl Index<usize> for Trace {
    type Output = Step;

    fn index(&self, i: usize) -> &Step {
        &self.steps[i]
    }
}

impl<'a> IntoIterator for &'a Trace {
    type Item = &'a Step;
    type IntoIter = std::slice::Iter<'a, Step>;

    fn into_iter(self) -> Self::IntoIter {
        self.steps.iter()
    }
}

impl Trace {
    /// The same trace under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The number of recorded steps.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether no step was recorded.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The recorded steps, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Step> {
        self.steps.iter()
    }

    /// The last recorded step.
    ///
    /// # Panics
    /// If no step was recorded.
    pub fn last(&self) -> &Step {
        self.steps
            .last()
            .expect("the trace has no step: run at least one")
    }

    /// A value of each step against `t`, as [`Figure::series`](crate::plot::Figure::series) takes it.
    pub fn series(&self, value: impl Fn(&Step) -> f64) -> Vec<(f64, f64)> {
        self.iter().map(|s| (s.t as f64, value(s))).collect()
    }

    /// The way of two coordinates of `theta`, from the start on, as [`Figure::path`](crate::plot::Figure::path) takes it.
    ///
    /// # Panics
    /// If there is no coordinate `i` or `j`.
    pub fn path(&self, i: usize, j: usize) -> Vec<(f64, f64)> {
        let points = self.iter().map(|s| &s.theta);
        std::iter::once(&self.start)
            .chain(points)
            .map(|theta| (theta[i], theta[j]))
            .collect()
    }

    /// The trace as a table: every quantity for one parameter, loss and norms for more.
    pub fn table(&self) -> Table {
        let count = self.len();
        let plural = if count == 1 { "step" } else { "steps" };
        let mut caption = format!("{}, {count} {plural}", self.name);
        if let Some(why) = &self.stopped {
            let _ = write!(caption, " (stopped: {why})");
        }
        let table =
            Table::new(caption).column("t", self.iter().map(|s| s.t as f64), Format::Integer);
        let column = |table: Table, name: &str, value: &dyn Fn(&Step) -> f64| {
            table.column(name, self.iter().map(value), Format::Auto)
        };
        if self.start.len() != 1 {
            let table = column(table, "loss", &|s| s.loss);
            let table = column(table, "|theta|", &|s| s.theta_norm);
            let table = column(table, "|grad|", &|s| s.grad_norm);
            return column(table, "|update|", &|s| s.update_norm);
        }
        let kept = FIELDS
            .into_iter()
            .filter(|(_, field)| self.iter().all(|s| !field(s).is_empty()));
        kept.fold(table, |table, (name, field)| {
            column(table, name, &|s| field(s)[0])
        })
    }

    /// Everything that was recorded as CSV, a column per coordinate, with digits that give the numbers back exactly.
    pub fn csv(&self) -> String {
        let dim = self.start.len();
        let mut out = String::from("t,loss,grad_norm,update_norm,theta_norm");
        let kept: Vec<_> = FIELDS
            .into_iter()
            .filter(|(_, field)| self.iter().all(|s| field(s).len() == dim))
            .collect();
        for (name, _) in &kept {
            for i in 0..dim {
                let _ = write!(out, ",{name}_{i}");
            }
        }
        out.push('\n');
        for s in self {
            let scalars = [s.loss, s.grad_norm, s.update_norm, s.theta_norm];
            let vectors = kept.iter().flat_map(|(_, field)| field(s));
            let _ = write!(out, "{}", s.t);
            for x in scalars.iter().chain(vectors) {
                let _ = write!(out, ",{}", format::exact(*x));
            }
            out.push('\n');
        }
        out
    }

    /// Shows the trace in a notebook as its table.
    pub fn evcxr_display(&self) {
        print!("{}", self.blocks());
    }

    pub(crate) fn blocks(&self) -> String {
        let table = self.table();
        display::block("text/plain", &table.to_string())
            + &display::block("text/html", &table.html())
    }
}
